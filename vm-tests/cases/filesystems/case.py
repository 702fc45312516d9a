"""verifies: ext4, xfs, btrfs, vfat, swap and none on disks with sectors of 512 and of 4096 bytes: labels, UUIDs, options;
existing file systems that match are kept to the last bit; different ones are refused with a description, or replaced with
wipeFilesystem, also if they have several signatures; devices in use are refused; mounts are made in the order of their paths,
with their options, do not hide anything, and are undone. The first-boot flag and its notes work in /boot on vfat, btrfs and xfs,
whose device is named by UUID, label, partition or node; on FAT they survive a power cut before each step.
"""

from cases.filesystems import flag, keeping, making, mounting
from harness.case import Case
from harness.disks import MIB
from harness.lab import Blank, booted

TIMEOUT_S = 1800
EXPECTED_S = 80
ALSO_ON = ("trixie",)


def run(case: Case) -> None:
    """One boot."""
    with booted(case, [Blank(800 * MIB), Blank(800 * MIB, sector_size=4096, bus="nvme")], plans=True) as lab:
        small, big = lab.disks
        making.run(lab, small)
        keeping.run(lab, small)
        flag.run(lab, small)
        making.run(lab, big)
        mounting.run(lab, big)
