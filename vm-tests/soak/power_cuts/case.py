"""verifies: what the case power-cuts does, at 30 random moments (POWER_CUTS), each on a machine of its own."""

import os
from dataclasses import replace

from cases.power_cuts import case as once
from harness.case import Case

TIMEOUT_S = 3 * 3600
EXPECTED_S = 3600


def run(case: Case) -> None:
    """The seed is in the log; POWER_CUTS_SEED repeats a run."""
    os.environ.setdefault("POWER_CUTS", "30")
    once.run(replace(case, folder=case.folder.parent.parent / "cases" / "power_cuts"))
