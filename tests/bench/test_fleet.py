"""A fleet that boots at once against a server that fails half of it: all succeed, and they do not come back together."""

from tests.bench.fleet import Outcome, run

MACHINES = 200


def test_fleet_comes_through_without_waves() -> None:
    outcome = run(MACHINES, outage_s=4.0)
    assert outcome.succeeded == MACHINES
    assert {machine for _, machine in outcome.requests} == set(range(MACHINES))
    assert len(outcome.requests) < 7 * MACHINES
    assert outcome.wave() < 4


def test_waves_would_be_seen() -> None:
    together = [(0.0, n) for n in range(200)] + [(second, n) for second in (0.2, 0.6, 1.4, 3.0, 6.2) for n in range(0, 200, 2)]
    assert Outcome(200, together).wave() > 5
    spread = [(0.0, n) for n in range(200)] + [(1 + n / 100, n % 200) for n in range(500)]
    assert Outcome(200, spread).wave() < 1.3


def test_rates_are_per_second() -> None:
    assert Outcome(3, [(0.0, 0), (0.05, 1), (0.31, 2)]).rates(0.1) == [20.0, 0.0, 0.0, 10.0]
