"""Pauses, their jitter and the limits, on a clock of the test's own."""

import itertools

import pytest

from ignition.errors import Failure
from ignition.fetch import retry
from ignition.fetch.settings import Settings
from tests.fetch.server import FakeClock


def clock_of(fake: FakeClock) -> retry.Clock:
    return retry.Clock(fake.now, fake.sleep, fake.random)


@pytest.mark.parametrize(
    ("chance", "expected"),
    [
        pytest.param(0.0, [0.05, 0.1, 0.2, 0.4, 0.8, 1.25, 1.25], id="shortest"),
        pytest.param(1.0, [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0], id="longest: Ignition's"),
    ],
)
def test_pauses_grow_to_the_ceiling(chance: float, expected: list[float]) -> None:
    found = itertools.islice(retry.pauses(Settings(), clock_of(FakeClock(chance))), 7)
    assert list(found) == pytest.approx(expected)


def test_real_pauses_differ_between_machines() -> None:
    first, second = (list(itertools.islice(retry.pauses(Settings(), retry.Clock()), 20)) for _ in range(2))
    assert first != second
    assert all(1.25 <= pause <= 5 for pause in first[6:])


def never(_: retry.Deadline) -> str:
    raise retry.Transient("busy", fix="wait")


def run(fake: FakeClock, settings: Settings) -> str:
    clock = clock_of(fake)
    deadline = retry.Deadline(clock, settings.total_s)
    return retry.until_done(never, what="GET x", where="x", settings=settings, clock=clock, deadline=deadline)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param(Settings(attempts=1), "x: busy (1 attempt in 0.0 s, limit 600 s) (fix: wait)", id="one"),
        pytest.param(Settings(attempts=3, total_s=None), "x: busy (3 attempts in 0.4 s) (fix: wait)", id="three"),
        pytest.param(Settings(total_s=2.0), "x: busy (5 attempts in 1.9 s, limit 2 s) (fix: wait)", id="time"),
    ],
)
def test_giving_up_says_how_often_and_how_long(settings: Settings, message: str) -> None:
    with pytest.raises(Failure) as caught:
        run(FakeClock(), settings)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("limit_s", "said"),
    [
        pytest.param(5.0, "busy (2 attempts in 5.0 s, limit 5 s)", id="an attempt that was cut short says nothing"),
        pytest.param(8.0, "no answer (2 attempts in 8.0 s, limit 8 s)", id="one that had its time does"),
        pytest.param(0.5, "no answer (1 attempt in 0.5 s, limit 0.5 s)", id="the only one does"),
    ],
)
def test_cause_is_what_the_server_said_last(limit_s: float, said: str) -> None:
    fake = FakeClock()
    clock = clock_of(fake)
    deadline = retry.Deadline(clock, limit_s)
    causes = iter(["busy"] if limit_s > 1 else [])

    def attempt(deadline: retry.Deadline) -> str:
        cause = next(causes, "no answer")
        fake.sleep(4.5 if cause == "busy" else deadline.remaining_s() or 0.0)
        raise retry.Transient(cause)

    with pytest.raises(Failure) as caught:
        retry.until_done(attempt, what="GET x", where="x", settings=Settings(), clock=clock, deadline=deadline)
    assert caught.value.what == said


def test_failure_ends_it_at_once() -> None:
    fake = FakeClock()

    def refused(_: retry.Deadline) -> str:
        raise Failure("no")

    clock = clock_of(fake)
    with pytest.raises(Failure, match="^no$"):
        retry.until_done(refused, what="", where="", settings=Settings(), clock=clock, deadline=retry.Deadline(clock, None))
    assert fake.pauses == []


def test_deadline_without_limit_never_comes() -> None:
    deadline = retry.Deadline(clock_of(FakeClock()), None)
    assert (deadline.remaining_s(), deadline.at_most(5.0), deadline.at_most(None)) == (None, 5.0, None)


def test_deadline_shrinks_to_zero() -> None:
    fake = FakeClock()
    deadline = retry.Deadline(clock_of(fake), 10.0)
    fake.sleep(7)
    assert (deadline.remaining_s(), deadline.at_most(5.0), deadline.at_most(1.0), deadline.at_most(None)) == (3.0, 3.0, 1.0, 3.0)
    fake.sleep(7)
    assert deadline.remaining_s() == 0.0


@pytest.mark.parametrize(
    ("of_config", "where"),
    [(True, "ignition.timeouts.httpTotal"), (False, "-fetch-timeout of ignition")],
    ids=["config", "first"],
)
def test_remedy_for_too_little_time_names_who_gave_it(*, of_config: bool, where: str) -> None:
    fake = FakeClock()
    deadline = retry.Deadline(clock_of(fake), 1.0, of_config=of_config).within(None)
    fake.sleep(2.0)
    with pytest.raises(Failure) as caught:
        deadline.check()
    assert caught.value.fix == f"check the server, or allow more time: {where}"
