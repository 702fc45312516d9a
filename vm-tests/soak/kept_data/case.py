"""verifies: what the case kept-data does, with 20 generated configs (KEPT_DATA_ROUNDS)."""

import os
from dataclasses import replace

from cases.kept_data import case as once
from harness.case import Case

TIMEOUT_S = 2 * 3600
EXPECTED_S = 900


def run(case: Case) -> None:
    """The seed is in the log; KEPT_DATA_SEED repeats a run."""
    os.environ.setdefault("KEPT_DATA_ROUNDS", "20")
    once.run(replace(case, folder=case.folder.parent.parent / "cases" / "kept_data"))
