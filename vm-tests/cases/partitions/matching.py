"""Partitions are created, kept, replaced, resized and deleted; unnamed ones keep every bit."""

from harness import configs, gpt
from harness.checks import Checks
from harness.disks import MIB
from harness.lab import Lab, LabDisk
from harness.lab_result import Result, done

GUID = "7C1D0B52-0D8A-4D5B-9F53-0E8F0A6B1A{:02}"
LINUX_DATA = "0fc63daf-8483-4772-8e79-3d69d8477de4"
ROOT_TYPE = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"
CREATED = (
    {"label": "rest", "sizeMiB": 0},
    {"number": 5, "label": "five", "startMiB": 100, "sizeMiB": 20, "typeGuid": ROOT_TYPE.upper()},
    {"number": 1, "label": "one", "sizeMiB": 10, "guid": GUID.format(1)},
    {"label": "seven", "sizeMiB": 7},
    {"number": 9, "sizeMiB": 3, "startMiB": 0},
)
# Number → start and size in MiB; None: to the last usable sector. Numbers come first, then number 0 in the order of the config.
MADE = {1: (120, 10), 2: (133, None), 3: (1, 7), 5: (100, 20), 9: (130, 3)}
# Somebody else's table: attributes, a name beyond ASCII, an odd place.
FOREIGN = """label: gpt
label-id: 7C1D0B52-0D8A-4D5B-9F53-0E8F0A6B1A99
first-lba: {first}
1: start={mib}, size={mib10}, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid={guid1}, name="größe ♥", attrs="RequiredPartition \
LegacyBIOSBootable GUID:48,52,56,63"
3: start={odd}, size={five}, type=21686148-6449-6E6F-744E-656564454649, uuid={guid3}, name="odd place", attrs="NoBlockIOProtocol"
4: start={mib100}, size={mib10}, type={root}, uuid={guid4}, name="grows", attrs="GUID:60"
7: start={mib150}, size={mib10}, uuid={guid7}, name="goes"
8: start={mib170}, size={mib10}, uuid={guid8}, name="changes", attrs="GUID:59"
"""
BOOT_CODE = bytes(range(1, 201)) * 2


def run(lab: Lab, disk: LabDisk) -> None:
    """Both sector sizes alike."""
    name = f"{disk.sector_size}-byte sectors"
    with lab.scenario(f"{name}: created", disk) as checks:
        create(lab, disk, checks)
    with lab.scenario(f"{name}: matched") as checks:
        match(lab, disk, checks)
    with lab.scenario(f"{name}: foreign table", disk) as checks:
        foreign(lab, disk, checks)


def table(lab: Lab, disk: LabDisk) -> gpt.Table:
    """The table as it is in the image."""
    lab.flush(disk)
    return gpt.read_table(disk.image, disk.sector_size)


def places(found: gpt.Table) -> dict[int, tuple[float, float | None]]:
    """Number → start and size in MiB, None for a partition that ends at the last usable sector."""
    return {
        number: (part.offset / MIB, None if part.last == found.last_usable else part.size / MIB)
        for number, part in sorted(found.partitions.items())
    }


def known(lab: Lab, disk: LabDisk, checks: Checks, what: str, result: Result) -> gpt.Table:
    """The table in the image is sound, the kernel has it, and the links by label existed when the stage ended."""
    found = table(lab, disk)
    checks.equal(f"{what}: faults of the table", (), found.problems)
    wanted = {disk.part(number).removeprefix("/dev/"): [part.offset, part.size] for number, part in found.partitions.items()}
    checks.equal(f"{what}: the kernel's partitions", wanted, lab.facts(disk)["kernel"][disk.node])
    ours = {path: node for path, node in result.links.items() if node.startswith(disk.node)}
    plain = {number: part.label for number, part in found.partitions.items() if part.label.isascii() and " " not in part.label}
    links = {f"/dev/disk/by-partlabel/{label}": disk.part(number) for number, label in plain.items() if label}
    checks.equal(f"{what}: links by label", links, {path: node for path, node in ours.items() if "\\x" not in path})
    return found


def unchanged(lab: Lab, disk: LabDisk, checks: Checks, what: str, config: configs.Json) -> None:
    """Another run does nothing, and no bit of the disk changes."""
    lab.flush(disk)
    before = gpt.digest_of(disk.image)
    done(checks, what, lab.provision(config), [])
    lab.flush(disk)
    checks.equal(f"{what}: all bits of the disk", before, gpt.digest_of(disk.image))


def create(lab: Lab, disk: LabDisk, checks: Checks) -> None:
    """A blank disk."""
    config = configs.disk(disk, *CREATED)
    result = lab.provision(config)
    done(checks, "created", result, [f"partition {disk}: done"])
    found = known(lab, disk, checks, "created", result)
    checks.equal("places", MADE, places(found))
    labels = {number: part.label for number, part in sorted(found.partitions.items())}
    checks.equal("labels", {1: "one", 2: "rest", 3: "seven", 5: "five", 9: ""}, labels)
    checks.equal("GUID of 1", GUID.format(1).lower(), found.partitions[1].guid)
    types = {number: part.type_guid for number, part in sorted(found.partitions.items())}
    checks.equal("types", {number: ROOT_TYPE if number == 5 else LINUX_DATA for number in MADE}, types)
    checks.equal("attributes", {0}, {part.attributes for part in found.partitions.values()})
    checks.equal("GUIDs are all different", len(MADE), len({part.guid for part in found.partitions.values()}))
    unchanged(lab, disk, checks, "again", config)


def match(lab: Lab, disk: LabDisk, checks: Checks) -> None:
    """Existing partitions are matched by number; only different ones are recreated, where that is allowed."""
    same = configs.disk(
        disk,
        {"number": 1, "guid": GUID.format(1).lower()},
        {"number": 5, "startMiB": 100, "label": "five", "typeGuid": ROOT_TYPE, "wipePartitionEntry": True, "sizeMiB": 20},
        {"number": 9, "resize": True},
        {"number": 2, "sizeMiB": 0},
        {"number": 12, "shouldExist": False},
        {"number": 13, "shouldExist": False, "wipePartitionEntry": True},
    )
    unchanged(lab, disk, checks, "by number", same)
    before = table(lab, disk)
    result = lab.provision(configs.disk(
        disk,
        {"number": 5, "startMiB": 100, "sizeMiB": 20, "label": "FIVE", "wipePartitionEntry": True},
        {"number": 3, "sizeMiB": 50, "resize": True},
        {"number": 1, "shouldExist": False, "wipePartitionEntry": True},
        {"label": "takes-1", "sizeMiB": 4, "startMiB": 60},
        version=configs.UNCERTAIN,
    ))  # fmt: skip
    done(checks, "changed", result, [f"partition {disk}: done"])
    after = known(lab, disk, checks, "changed", result)
    checks.equal("places", {1: (60, 4), 2: (133, None), 3: (1, 50), 5: (100, 20), 9: (130, 3)}, places(after))
    checks.equal("labels", ("takes-1", "FIVE"), (after.partitions[1].label, after.partitions[5].label))
    checks.true("5 is another partition", after.partitions[5].guid != before.partitions[5].guid)
    checks.equal("resized: all but the end", beside_end(before.partitions[3]), beside_end(after.partitions[3]))
    kept = [(one.partitions[2].raw, one.partitions[9].raw, one.disk_guid) for one in (before, after)]
    checks.equal("unnamed partitions", *kept)


def beside_end(part: gpt.Partition) -> bytes:
    """All bytes of an entry but its last sector (UEFI 2.10, table 5.6)."""
    return part.raw[:40] + part.raw[48:]


def foreign(lab: Lab, disk: LabDisk, checks: Checks) -> None:
    """A table of another program's making, with boot code before it."""
    mib = MIB // disk.sector_size
    first = 2 + 128 * 128 // disk.sector_size
    numbers = {
        "mib": mib,
        "mib10": 10 * mib,
        "odd": 50 * mib + 1,
        "five": 5,
        "mib100": 100 * mib,
        "mib150": 150 * mib,
        "mib170": 170 * mib,
    }
    guids = {f"guid{number}": GUID.format(number) for number in (1, 3, 4, 7, 8)}
    lab.ssh.feed(f"sfdisk --quiet {disk}", FOREIGN.format(first=first, root=ROOT_TYPE, **numbers, **guids))
    lab.must(f'python3 -c \'open("{disk}", "r+b").write(bytes.fromhex("{BOOT_CODE.hex()}"))\'')
    lab.must(f"udevadm settle; dd if=/dev/urandom of={disk.part(4)} bs=1M count=10 status=none")
    before, content = table(lab, disk), gpt.digest_of(disk.image, 100 * MIB, 10 * MIB)
    boot = disk.image.open("rb").read(disk.sector_size)
    checks.equal("the foreign table", (5, True), (len(before.partitions), boot.startswith(BOOT_CODE)))
    result = lab.provision(configs.disk(
        disk,
        {"number": 4, "resize": True, "sizeMiB": 40},
        {"number": 7, "shouldExist": False, "wipePartitionEntry": True},
        {"number": 8, "label": "changed", "startMiB": 175, "wipePartitionEntry": True},
        {"label": "new", "startMiB": 20, "sizeMiB": 25},
        version=configs.UNCERTAIN,
    ))  # fmt: skip
    done(checks, "foreign", result, [f"partition {disk}: done"])
    after = known(lab, disk, checks, "foreign", result)
    kept = [(one.partitions[1].raw, one.partitions[3].raw, one.disk_guid, one.first_usable) for one in (before, after)]
    checks.equal("unnamed partitions", *kept)
    checks.equal("all bits of the attributes", sum(1 << bit for bit in (0, 2, 48, 52, 56, 63)), after.partitions[1].attributes)
    checks.equal("resized: all but the end", beside_end(before.partitions[4]), beside_end(after.partitions[4]))
    checks.equal("resized: its content", content, gpt.digest_of(disk.image, 100 * MIB, 10 * MIB))
    checks.equal("boot code and the rest of the MBR", boot, disk.image.open("rb").read(disk.sector_size))
    checks.equal("a replaced entry has no attributes", 0, after.partitions[8].attributes)
    wanted = {1: (1, 10), 2: (20, 25), 4: (100, 40), 8: (175, None)}
    checks.equal("places", wanted, {number: place for number, place in places(after).items() if number != 3})
