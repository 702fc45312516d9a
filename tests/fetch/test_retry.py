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
