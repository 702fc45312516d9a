"""verifies: partitions and disks in use are refused by the name that people know their user by: a mount, swap, an array, logical
volumes, an encrypted volume, ROOT; their neighbours on the same disk can be changed meanwhile, and they keep every bit.
"""

from cases.in_use import devices
from harness.case import Case
from harness.disks import MIB
from harness.lab import Blank, booted

TIMEOUT_S = 1800
EXPECTED_S = 30


def run(case: Case) -> None:
    """One boot."""
    with booted(case, [Blank(256 * MIB, bus="nvme")], plans=True) as lab:
        devices.run(lab, lab.disks[0])
