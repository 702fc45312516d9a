"""Existing file systems that differ from the config: refused with a description, or replaced with wipeFilesystem.

Continues with the disk of making.py.
"""

from cases.filesystems.making import UUID
from harness import configs, gpt
from harness.checks import Checks
from harness.lab import Lab, LabDisk
from harness.lab_result import done, refused

WHERE = "$.storage.filesystems.0"
EXT4 = f"ext4 labelled 'Exact Label 16' with UUID {UUID.format(1)}"
FAT = "vfat labelled 'FAT LABEL' with UUID ABCD-01EF"
# Number of making.MADE's partition, the file system in the config, and the message.
OTHER = {
    "another format": (1, {"format": "xfs"}, f"holds {EXT4}, not xfs"),
    "another label": (1, {"format": "ext4", "label": "other"}, f"holds {EXT4}, not ext4 labelled 'other'"),
    "another UUID": (1, {"format": "ext4", "uuid": UUID.format(9)}, f"holds {EXT4}, not ext4 with UUID {UUID.format(9)}"),
    "none": (1, {"format": "none"}, f"holds {EXT4}, not nothing"),
    "another FAT": (4, {"format": "vfat", "uuid": "ABCD-0000"}, f"holds {FAT}, not vfat with UUID abcd-0000"),
    "swap": (5, {"format": "ext4"}, f"holds swap labelled 'fifteen-letters' with UUID {UUID.format(5)}, not ext4"),
}  # fmt: skip

# FAT32 leaves the place of an ext4 superblock alone.
TWO_SIGNATURES = """
mkfs.ext4 -q {0}; dd if={0} of=/run/lab/superblock bs=1024 skip=1 count=1 status=none
mkfs.fat -F 32 -s 1 {0} >/run/lab/mkfs 2>&1
dd if=/run/lab/superblock of={0} bs=1024 seek=1 conv=notrunc status=none; udevadm settle
"""


def run(lab: Lab, disk: LabDisk) -> None:
    """In this order: nothing changes until the last."""
    with lab.scenario("other than wanted") as checks:
        refuse(lab, disk, checks)
    with lab.scenario("in use") as checks:
        in_use(lab, disk, checks)
    with lab.scenario("several signatures") as checks:
        several(lab, disk, checks)
    with lab.scenario("wiped") as checks:
        wipe(lab, disk, checks)


def one(disk: LabDisk, number: int, **wanted: object) -> configs.Json:
    """A config with one file system."""
    return configs.storage(filesystems=[{"device": disk.part(number), **wanted}])


def refuse(lab: Lab, disk: LabDisk, checks: Checks) -> None:
    """Each difference has its words; no bit changes."""
    lab.flush(disk)
    before = gpt.digest_of(disk.image)
    for name, (number, wanted, message) in OTHER.items():
        refused(checks, name, lab.provision(one(disk, number, **wanted)), WHERE, f"{disk.part(number)} {message}")
    table = configs.storage(filesystems=[{"device": str(disk), "format": "ext4"}])
    refused(checks, "a disk with a table", lab.provision(table), WHERE, f"{disk} holds a gpt partition table, not ext4")
    both = [
        {"device": disk.part(7), "format": "ext4"},
        {"device": "/dev/disk/by-partlabel/plain", "format": "ext4", "label": "x"},
    ]
    message = f"/dev/disk/by-partlabel/plain and {disk.part(7)} ({WHERE}) are one device with different file systems"
    refused(
        checks, "one device twice", lab.provision(configs.storage(filesystems=both)), "$.storage.filesystems.1.device", message
    )
    lab.flush(disk)
    checks.equal("all bits of the disk", before, gpt.digest_of(disk.image))


def in_use(lab: Lab, disk: LabDisk, checks: Checks) -> None:
    """It is refused with who uses it; one that is right may stay in use."""
    lab.must(f"mkdir -p /mnt/used; mount {disk.part(7)} /mnt/used; swapon {disk.part(5)}")
    users = {7: ("ext4", "mounted on /mnt/used"), 5: ("swap", "used as swap")}
    for number, (format, user) in users.items():
        result = lab.provision(one(disk, number, format=format, wipeFilesystem=True))
        refused(checks, user, result, WHERE, f"{disk.part(number)} is in use ({user})")
        done(checks, f"{user}, and right", lab.provision(one(disk, number, format=format)), [])
    lab.must(f"umount /mnt/used; swapoff {disk.part(5)}")


def several(lab: Lab, disk: LabDisk, checks: Checks) -> None:
    """A FAT beside the remains of an ext4: the first counts, and a wipe removes both."""
    node, again = disk.part(8), f"wipefs {disk.part(8)}"
    lab.must(TWO_SIGNATURES.format(node))
    checks.contains("both signatures exist", ["vfat", "ext4"], lab.must(again))
    done(checks, "the first is right", lab.provision(one(disk, 8, format="vfat")), [])
    result = lab.provision(one(disk, 8, format="ext4"))
    checks.contains("the first is named", f"{node} holds vfat", result.message)
    checks.contains("the journal", f"{node} has several signatures; using the first", result.log)
    done(
        checks, "none", lab.provision(one(disk, 8, format="none", wipeFilesystem=True)), [f"format {node}: done", "settle : done"]
    )
    checks.equal("nothing is left", "", lab.must(again).strip())
    done(checks, "none again", lab.provision(one(disk, 8, format="none")), [])


def wipe(lab: Lab, disk: LabDisk, checks: Checks) -> None:
    """Every format gives way to another one, and a neighbour keeps every bit."""
    lab.flush(disk)
    kept = gpt.read_table(disk.image, disk.sector_size).labelled("xfs")
    before = gpt.digest(disk.image, kept)
    wishes = {1: "btrfs", 3: "ext4", 4: "swap", 5: "vfat", 7: "ext4"}
    uuid = lab.probes(disk)[disk.part(7)]["UUID"]
    entries = [{"device": disk.part(number), "format": format, "wipeFilesystem": True} for number, format in wishes.items()]
    entries[0]["options"] = ["--mixed"]  # a small btrfs
    result = lab.provision(configs.storage(filesystems=entries))
    done(checks, "wiped", result)
    checks.equal("all are made", ["done"] * 5, [row["result"] for row in result.of("format")])
    probes = lab.probes(disk)
    seen = {number: (probes[disk.part(number)].get("TYPE"), probes[disk.part(number)].get("LABEL")) for number in wishes}
    checks.equal("formats and labels", {number: (format, None) for number, format in wishes.items()}, seen)
    checks.true("made again, though it was right", probes[disk.part(7)]["UUID"] != uuid)
    lab.flush(disk)
    checks.equal("the neighbour", before, gpt.digest(disk.image, kept))
    result = lab.provision(one(disk, 6, format="xfs"))
    checks.equal("too small: place", ("disks", 1, WHERE), (result.stage, result.status, result.refusal[0]))
    checks.contains(
        "too small: what mkfs says", ["mkfs.xfs", "size 2048 of data subvolume is too small, minimum 4096 blocks"], result.message
    )
