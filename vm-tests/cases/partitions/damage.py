"""Disks with another past: a table of another kind, a damaged one, one from when the disk was smaller; wipeTable."""

from cases.partitions.matching import GUID, known, places, table, unchanged
from harness import configs
from harness.checks import Checks
from harness.disks import MIB
from harness.lab import Lab, LabDisk
from harness.lab_result import done, refused

WHERE = "$.storage.disks.0"
TWO = ({"number": 1, "label": "one", "startMiB": 1, "sizeMiB": 20}, {"number": 2, "label": "two", "sizeMiB": 0, "startMiB": 30})

SMALLER = f"""label: gpt
label-id: {GUID.format(90)}
1: start={{mib}}, size={{mib20}}, uuid={GUID.format(1)}, name=old, attrs=GUID:63
2: start={{mib30}}, size={{rest}}, uuid={GUID.format(2)}, name=filled
"""

# The damaged part, by sector size: each is repaired on its own.
DAMAGED = {
    512: ("primary header", "backup header", "primary entries", "backup entries"),
    4096: ("primary header", "backup entries"),
}


def run(lab: Lab, small: LabDisk, big: LabDisk) -> None:
    """Each kind once for one of the sector sizes or both."""
    with lab.scenario("dos table, wiped", small) as checks:
        dos(lab, small, checks)
    for disk in (small, big):
        with lab.scenario(f"{disk.sector_size}-byte sectors: enlarged disk", disk) as checks:
            enlarged(lab, disk, checks)
        with lab.scenario(f"{disk.sector_size}-byte sectors: damaged table", disk) as checks:
            damaged(lab, disk, checks)


def dos(lab: Lab, disk: LabDisk, checks: Checks) -> None:
    """It is refused, and it gives way to wipeTable."""
    lab.ssh.feed(f"sfdisk --quiet {disk}", "label: dos\nstart=2048, size=4096, type=83\nstart=8192, size=4096, type=83\n")
    before = disk.image.open("rb").read(MIB)
    result = lab.provision(configs.disk(disk, *TWO))
    refused(checks, "dos table", result, WHERE, "the partition table is of type dos, not gpt")
    lab.flush(disk)
    checks.equal("nothing was written", before, disk.image.open("rb").read(MIB))
    result = lab.provision(configs.disk(disk, *TWO, wipe=True))
    done(checks, "wiped", result, [f"wipe-table {disk}: done", f"partition {disk}: done"])
    checks.equal("places", {1: (1, 20), 2: (30, None)}, places(known(lab, disk, checks, "wiped", result)))
    guid = table(lab, disk).disk_guid
    result = lab.provision(configs.disk(disk, *TWO, wipe=True))
    done(checks, "wiped again", result, [f"wipe-table {disk}: done", f"partition {disk}: done"])
    checks.true("another table", known(lab, disk, checks, "wiped again", result).disk_guid != guid)
    done(checks, "only wiped", lab.provision(configs.disk(disk, wipe=True)), [f"wipe-table {disk}: done"])
    checks.equal("no table, no partitions", ({}, {}), (lab.table(disk), lab.facts(disk)["kernel"][disk.node]))
    lab.flush(disk)
    content = disk.image.read_bytes()
    checks.true("no trace of it at either end", not any(content[:MIB]) and not any(content[-MIB:]))


def enlarged(lab: Lab, disk: LabDisk, checks: Checks) -> None:
    """The table is of a disk of 100 MiB, and its backup is in the middle."""
    sector, mib = disk.sector_size, MIB // disk.sector_size
    rest = 70 * mib - 1 - 128 * 128 // sector
    lines = SMALLER.format(mib=mib, mib20=20 * mib, mib30=30 * mib, rest=rest)
    lab.must("rm -f /run/lab/was-smaller; truncate -s 100M /run/lab/was-smaller")
    # A loop device has the sector size that sfdisk is to see.
    script = (
        f"loop=$(losetup --find --show --sector-size {sector} /run/lab/was-smaller); sfdisk --quiet $loop; losetup --detach $loop"
    )
    lab.ssh.feed(script, lines)
    lab.must(f"dd if=/run/lab/was-smaller of={disk} bs=1M conv=notrunc,fsync status=none; partx --update {disk}; udevadm settle")
    lab.flush(disk)
    before = table(lab, disk)
    checks.equal("the backup is in the middle", 100 * MIB // sector - 1, before.backup_at)
    filled = {"number": 2, "label": "filled", "startMiB": 30, "sizeMiB": 0}
    done(checks, "a partition that filled the smaller disk", lab.provision(configs.disk(disk, filled)), [])
    config = configs.disk(disk, {"number": 1, "label": "old"}, {"number": 5, "label": "behind", "startMiB": 150, "sizeMiB": 0})
    result = lab.provision(config)
    done(checks, "enlarged", result, [f"partition {disk}: done"])
    after = known(lab, disk, checks, "enlarged", result)
    checks.equal("the new partition", (150, None), places(after)[5])
    checks.equal("the backup is at the end", 256 * MIB // sector - 1, after.backup_at)
    checks.equal("unnamed partitions", *[[one.partitions[number].raw for number in (1, 2)] for one in (before, after)])
    with disk.image.open("rb") as image:
        image.seek(100 * MIB - sector)
        checks.equal("no header is left in the middle", bytes(8), image.read(8))
    unchanged(lab, disk, checks, "again", config)


def damaged(lab: Lab, disk: LabDisk, checks: Checks) -> None:
    """One copy is enough; without any the disk is refused."""
    sector, config = disk.sector_size, configs.disk(disk, *TWO)
    done(checks, "made", lab.provision(config), [f"partition {disk}: done"])
    before = table(lab, disk)
    last = 256 * MIB // sector - 1
    places_of = {"primary header": 1, "backup header": last, "primary entries": 2, "backup entries": last - 1}
    for what in DAMAGED[sector]:
        erase(lab, disk, places_of[what])
        done(checks, f"{what} damaged", lab.provision(config), [f"partition {disk}: done"])
        checks.equal(f"{what}: mended to the last bit", before, table(lab, disk))
    erase(lab, disk, 1)
    erase(lab, disk, last)
    result = lab.provision(config)
    refused(checks, "both headers damaged", result, WHERE, "the partition table is damaged in both copies")
    wiped = configs.disk(disk, *TWO, wipe=True)
    done(checks, "both, and wipeTable", lab.provision(wiped), [f"wipe-table {disk}: done", f"partition {disk}: done"])
    checks.equal("places", {1: (1, 20), 2: (30, None)}, places(table(lab, disk)))


def erase(lab: Lab, disk: LabDisk, place: int) -> None:
    """Overwrites one sector with noise."""
    lab.must(f"dd if=/dev/urandom of={disk} bs={disk.sector_size} seek={place} count=1 conv=notrunc,fsync status=none")
