"""verifies: a first boot whose power is cut again and again, at random moments of it, converges to the same machine as one
that was not interrupted. SOAK_ROUNDS says how many machines (default 10), SOAK_SEED repeats an earlier run.
"""

import os
import random
import time

from cases.interrupted.case import Station, judge_same, open_station
from harness.case import Case
from harness.disks import Disk

TIMEOUT_S = 6 * 3600
EXPECTED_S = 3600

CUTS = 4  # at most, for one machine


def run(case: Case) -> None:
    """One machine after the other; the first that differs ends it."""
    seed = int(os.environ.get("SOAK_SEED") or time.time())
    chance = random.Random(seed)  # noqa: S311 - moments to cut the power, not secrets
    case.say(f"seed {seed}")
    with open_station(case) as station:
        steady, seconds = station.finish_timed("uninterrupted", station.drives("steady"))
        for number in range(int(os.environ.get("SOAK_ROUNDS") or 10)):
            drives = station.drives(f"round-{number}")
            for _ in range(chance.randint(1, CUTS)):
                cut(station, drives, chance.uniform(0.2, 1.0) * seconds)
            outcome = station.finish(f"round-{number}", drives)
            judge_same(steady, outcome, case.checks(f"machine {number} of seed {seed}"))


def cut(station: Station, drives: list[Disk], moment_s: float) -> None:
    """Boots, and kills QEMU after a while."""
    with station.machine(f"cut-after-{moment_s:.1f}", drives) as machine:
        time.sleep(moment_s)
        machine.kill()
