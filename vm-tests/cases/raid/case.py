"""verifies: arrays of every level, with spares and options of mdadm's own, on disks with sectors of 512 and of 4096 bytes, with
file systems on them; arrays that are right are used as they are, running or not, with the same UUID and data; what differs is
refused with the reason, or made again where nothing runs; arrays that lack a member; a second run changes no bit.
"""

from cases.raid import keeping, making, refusing
from harness.case import Case
from harness.disks import MIB
from harness.lab import Blank, booted

TIMEOUT_S = 1800
EXPECTED_S = 150


def run(case: Case) -> None:
    """One boot."""
    with booted(case, [Blank(512 * MIB), Blank(512 * MIB, sector_size=4096)]) as lab:
        for disk in lab.disks:
            making.run(lab, disk)
            keeping.run(lab, disk)
        refusing.run(lab, lab.disks[0])
