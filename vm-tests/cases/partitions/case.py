"""verifies: the stage disks' whole matching algorithm on the kernel's own disks with sectors of 512 and of 4096 bytes: numbers,
labels, number 0, wipeTable, wipePartitionEntry, shouldExist, resize, sizes zero and absent, alignment; each refusal with its
message and location; unnamed partitions keep every bit; nodes and links exist when the stage ends; damaged tables are repaired,
those of a smaller disk moved; a second run does not change a bit.
"""

from cases.partitions import damage, matching, rejections
from harness.case import Case
from harness.disks import MIB
from harness.lab import Blank, booted

TIMEOUT_S = 1800
EXPECTED_S = 170


def run(case: Case) -> None:
    """One boot."""
    blanks = [Blank(256 * MIB), Blank(256 * MIB, sector_size=4096), Blank(256 * MIB, bus="nvme")]
    with booted(case, blanks, plans=True) as lab:
        small, big, nvme = lab.disks
        for disk in (small, big):
            matching.run(lab, disk)
        damage.run(lab, nvme, big)
        rejections.run(lab, small)
