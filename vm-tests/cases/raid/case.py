"""verifies: arrays of every level, with spares and options of mdadm's own, on disks with sectors of 512 and of 4096 bytes, with
file systems on them; arrays that match are used unchanged, running or not, with the same UUID and data; different ones are
refused with the reason, or recreated if they do not run; arrays that lack a member; a second run does not change a bit.

RAID_KEEPING=all tests kept arrays on both disks, as the soak does; by default only on the one with sectors of 512 bytes.
"""

import os

from cases.raid import keeping, making, refusing
from harness.case import Case
from harness.disks import MIB
from harness.lab import Blank, booted

TIMEOUT_S = 1800
EXPECTED_S = 240
SECTOR = 512  # bytes


def run(case: Case) -> None:
    """One boot."""
    with booted(case, [Blank(512 * MIB), Blank(512 * MIB, sector_size=4096)]) as lab:
        for disk in lab.disks:
            making.run(lab, disk)
            if disk.sector_size == SECTOR or os.environ.get("RAID_KEEPING") == "all":
                keeping.run(lab, disk)
        refusing.run(lab, lab.disks[0])
