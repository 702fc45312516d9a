"""A partition in use is refused with its holder, by the names people know; its neighbours can be changed meanwhile."""

from cases.partitions.matching import known, table
from harness import configs
from harness.lab import Lab, LabDisk
from harness.lab_result import done, refused

WHERE = "$.storage.disks.0"
LABELS = ("mounted", "swap", "left", "right", "lvm", "crypt")
USERS = {
    1: "mounted on /mnt/in use",
    2: "used as swap",
    3: "member of the array /dev/md/pair",
    4: "member of the array /dev/md/pair",
    5: "held by the logical volume my-group/my-data, held by the logical volume my-group/my-logs",
    6: "held by the encrypted volume my-vault",
}
SETUP = """
mkfs.ext4 -q {0}; mkdir -p '/mnt/in use'; mount {0} '/mnt/in use'
mkswap -q {1}; swapon {1}
mdadm --create /dev/md/pair --quiet --run --homehost any --level 1 --raid-devices 2 --metadata 1.2 {2} {3}
pvcreate --quiet {4}; vgcreate --quiet my-group {4}
lvcreate --quiet --zero n --wipesignatures n --name my-data --size 4M my-group
lvcreate --quiet --zero n --wipesignatures n --name my-logs --size 4M my-group
cryptsetup open --type plain --cipher aes-xts-plain64 --key-size 256 --hash sha256 --batch-mode {5} my-vault </etc/machine-id
udevadm settle
"""


def run(lab: Lab, disk: LabDisk) -> None:
    """One disk with a partition for each kind of use, and a free one."""
    with lab.scenario("in use", disk) as checks:
        entries = [{"number": n, "label": label, "startMiB": 20 * n, "sizeMiB": 20} for n, label in enumerate(LABELS, 1)]
        done(checks, "made", lab.provision(configs.disk(disk, *entries, {"number": 7, "label": "free", "sizeMiB": 0})))
        lab.must(SETUP.format(*(disk.part(number) for number in range(1, 7))))
        before = table(lab, disk)
        for number, user in USERS.items():
            result = lab.provision(configs.disk(disk, {"number": number, "shouldExist": False, "wipePartitionEntry": True}))
            message = f"partition {number} of {disk} is in use ({user}): cannot delete it"
            refused(checks, user, result, f"{WHERE}.partitions.0", message)
        for action, entry in (
            ("replace", {"number": 1, "label": "other", "wipePartitionEntry": True}),
            ("resize", {"number": 1, "sizeMiB": 15, "resize": True}),
        ):
            message = f"partition 1 of {disk} is in use ({USERS[1]}): cannot {action} it"
            refused(checks, action, lab.provision(configs.disk(disk, entry)), f"{WHERE}.partitions.0", message)
        message = f"partition 1 of {disk} is in use ({USERS[1]}): cannot wipe the table"
        refused(checks, "wipeTable", lab.provision(configs.disk(disk, wipe=True)), f"{WHERE}.wipeTable", message)
        checks.equal("the table", before, table(lab, disk))
        result = lab.provision(configs.disk(
            disk,
            {"number": 7, "label": "was-free", "wipePartitionEntry": True, "sizeMiB": 10},
            {"number": 8, "label": "more", "sizeMiB": 10},
            {"number": 1, "label": "mounted", "startMiB": 20, "sizeMiB": 20, "wipePartitionEntry": True},
        ))  # fmt: skip
        done(checks, "neighbours", result, [f"partition {disk}: done"])
        after = known(lab, disk, checks, "neighbours", result)
        kept = [[one.partitions[number].raw for number in USERS] for one in (before, after)]
        checks.equal("partitions in use", *kept)
        checks.equal("still in use", "in use\n", lab.must("mountpoint -q '/mnt/in use' && echo 'in use'"))
    whole(lab, disk)
    root(lab)


def whole(lab: Lab, disk: LabDisk) -> None:
    """A disk without a table that is used itself."""
    with lab.scenario("a whole disk in use", disk) as checks:
        lab.must(f"mkfs.ext4 -q -F {disk}; mkdir -p /mnt/whole; mount {disk} /mnt/whole")
        result = lab.provision(configs.disk(disk, {"label": "x"}, wipe=True))
        refused(checks, "mounted", result, WHERE, f"{disk} is in use (mounted on /mnt/whole)")
        lab.must(f"umount /mnt/whole; pvcreate --quiet --yes {disk}; vgcreate --quiet all {disk}")
        lab.must("lvcreate --quiet --zero n --name big --size 20M all; udevadm settle")
        result = lab.provision(configs.disk(disk, {"label": "x"}, wipe=True))
        refused(checks, "physical volume", result, WHERE, f"{disk} is in use (held by the logical volume all/big)")


def root(lab: Lab) -> None:
    """The disk that the guest itself lives on."""
    with lab.scenario("ROOT in use") as checks:
        node, number = lab.must(
            "findmnt -n -o SOURCE /; cat /sys/class/block/$(basename $(findmnt -n -o SOURCE /))/partition"
        ).split()
        system = node.removesuffix(number)
        result = lab.provision(configs.disk(system, {"number": int(number), "shouldExist": False, "wipePartitionEntry": True}))
        message = f"partition {number} of {system} is in use (mounted on /): cannot delete it"
        refused(checks, "ROOT", result, f"{WHERE}.partitions.0", message)
