"""verifies: what the cases grow-stacks and raid do, every stack with every file system, and all of it on both sizes of
sectors.
"""

import os
from dataclasses import replace

from cases.grow_stacks import case as growth
from cases.raid import case as arrays
from harness.case import Case

TIMEOUT_S = 2 * 3600
EXPECTED_S = 1500


def run(case: Case) -> None:
    """One machine after the other."""
    cases = case.folder.parent.parent / "cases"
    os.environ.setdefault("GROW_STACKS", "all")
    (case.work / "growth").mkdir()
    growth.run(replace(case, folder=cases / "grow_stacks", work=case.work / "growth"))
    os.environ.setdefault("RAID_KEEPING", "all")
    (case.work / "arrays").mkdir()
    arrays.run(replace(case, folder=cases / "raid", work=case.work / "arrays"))
