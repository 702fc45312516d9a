"""A fleet that boots at once against a server that fails half of it: all succeed, and they do not come back together."""

import random
from collections.abc import Callable

from ignition.fetch import retry
from ignition.fetch.settings import Settings
from tests.bench.fleet import Outcome, run
from tests.fetch.server import FakeClock

MACHINES, OUTAGE_S = 200, 4.0


def test_fleet_comes_through() -> None:
    outcome = run(MACHINES, outage_s=OUTAGE_S)
    assert outcome.succeeded == MACHINES
    assert {machine for _, machine in outcome.requests} == set(range(MACHINES))
    assert len(outcome.requests) < 7 * MACHINES


def on_its_own_clock(chance: Callable[[], float]) -> Outcome:
    """The same fleet where time passes in pauses only: on a busy machine, those that were held up come together."""
    requests = []
    for machine in range(MACHINES):
        fake = FakeClock()

        def attempt(_: retry.Deadline, machine: int = machine, fake: FakeClock = fake) -> bytes:
            requests.append((fake.now(), machine))
            if machine % 2 == 1 and fake.now() < OUTAGE_S:
                raise retry.Transient("HTTP status 503 Service Unavailable")
            return b""

        clock = retry.Clock(fake.now, fake.sleep, chance)
        deadline = retry.Deadline(clock, OUTAGE_S + 60)
        retry.until_done(attempt, what="GET /", where="/", settings=Settings(), clock=clock, deadline=deadline)
    return Outcome(MACHINES, sorted(requests))


def test_fleet_does_not_come_in_waves() -> None:
    assert on_its_own_clock(random.Random(1).random).wave() < 4
    assert on_its_own_clock(lambda: 1.0).wave() > 5  # Ignition's pauses


def test_waves_would_be_seen() -> None:
    together = [(0.0, n) for n in range(200)] + [(second, n) for second in (0.2, 0.6, 1.4, 3.0, 6.2) for n in range(0, 200, 2)]
    assert Outcome(200, together).wave() > 5
    spread = [(0.0, n) for n in range(200)] + [(1 + n / 100, n % 200) for n in range(500)]
    assert Outcome(200, spread).wave() < 1.3


def test_rates_are_per_second() -> None:
    assert Outcome(3, [(0.0, 0), (0.05, 1), (0.31, 2)]).rates(0.1) == [20.0, 0.0, 0.0, 10.0]
