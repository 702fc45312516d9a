"""verifies: data partitions that a config keeps are never touched, whatever it does around them: generated configs delete, make,
replace and resize their neighbours, make arrays and file systems of these and wipe other disks; after each the kept partitions
have every bit, in their entries and in their content, and their files.

KEPT_DATA_ROUNDS sets the number of configs (default 2; the soak draws 20), KEPT_DATA_SEED repeats an earlier run.
"""

import os
import random
import time
from collections import Counter
from dataclasses import dataclass

from cases.kept_data import draw
from cases.kept_data.draw import Place, Round
from harness import configs, gpt
from harness.case import Case
from harness.checks import Checks
from harness.disks import MIB
from harness.lab import Blank, Lab, LabDisk, booted

TIMEOUT_S = 1800
EXPECTED_S = 90
DISK_MIB = 512
KEPT_MIB = 40
# Number of the kept partition, and its neighbours' places in MiB: number → start, size.
NEIGHBOURS = {2: (1, 40), 7: (60, 30), 4: (420, 50)}
GUID = "7c1d0b52-0d8a-4d5b-9f53-0e8f0a6b1b{:02}"
ENTRY = 'uuid={}, name="kept", attrs="RequiredPartition GUID:48,52,56,63"'
# Files of many sizes, links, holes, owners, modes, times; their list has all of these and the digests.
FILL = r"""
mkfs.ext4 -q -L {label} {node}; mkdir -p /mnt/kept; mount {node} /mnt/kept; cd /mnt/kept
for number in $(seq 1 40); do
    mkdir -p dir$((number % 7))/deep
    head -c $((number * number * 97)) /dev/urandom >dir$((number % 7))/deep/file$number
done
ln -s dir1/deep link; ln dir2/deep/file2 hard; truncate -s 5M holes; echo end >>holes; chown 1234:4321 dir3; chmod 4711 hard
touch -d '2001-02-03 04:05:06.789' dir4; cd /; umount /mnt/kept
"""
LIST = r"""
mkdir -p /mnt/kept; mount -o ro,noload {node} /mnt/kept; cd /mnt/kept
find . -printf '%P %y %m %U:%G %s %T@ %n %l\n' | sort; find . -type f -print0 | sort -z | xargs -0 sha256sum
cd /; umount /mnt/kept
"""


@dataclass(frozen=True)
class Kept:
    """A partition that is kept: its disk, its number, and all that must stay: entry, content, files."""

    disk: LabDisk
    number: int
    entry: bytes
    content: str
    files: str


def run(case: Case) -> None:
    """One boot, many configs."""
    seed = int(os.environ.get("KEPT_DATA_SEED") or time.time())
    rounds = int(os.environ.get("KEPT_DATA_ROUNDS") or 2)
    case.say(f"seed {seed}, {rounds} rounds")
    chance = random.Random(seed)  # noqa: S311 - configs, not secrets
    blanks = [Blank(DISK_MIB * MIB), Blank(DISK_MIB * MIB, bus="nvme", sector_size=4096), Blank(DISK_MIB * MIB, bus="scsi")]
    with booted(case, blanks) as lab:
        with lab.scenario(f"seed {seed}: the beginning"):
            kept = [begin(lab, disk, number) for disk, number in zip(lab.disks[:2], (5, 1), strict=True)]
        total: Counter[str] = Counter()
        number = 0
        while total["provisioned"] < rounds and total["refused"] <= 1 + rounds // 5:
            number += 1
            with lab.scenario(f"seed {seed}: config {number}") as checks:
                one_round(lab, chance, kept, f"r{number}", checks, total)
        with lab.scenario(f"seed {seed}: all rounds") as checks:
            case.say(f"all rounds: {dict(total)}")
            checks.equal("rounds that did something", rounds, total["provisioned"])
            for what in ("created", "deleted", "formatted"):
                checks.true(f"partitions {what}: at least one in each round", total[what] >= rounds, total[what])


def begin(lab: Lab, disk: LabDisk, number: int) -> Kept:
    """A disk with neighbours, all of them with content, and the kept partition at an odd sector."""
    mib = MIB // disk.sector_size
    lines = ["label: gpt", f"label-id: {GUID.format(99)}"]
    lines += [f"{each}: start={start * mib}, size={size * mib}, name=old{each}" for each, (start, size) in NEIGHBOURS.items()]
    lines += [f"{number}: start={200 * mib + 3}, size={KEPT_MIB * mib + 1}, {ENTRY.format(GUID.format(number))}"]
    lab.wipe(disk)
    lab.ssh.feed(f"sfdisk --quiet {disk}", "\n".join(lines) + "\n")
    lab.must("udevadm settle\n" + "\n".join(f"mkfs.ext4 -q -F {disk.part(each)}" for each in NEIGHBOURS))
    node = disk.part(number)
    lab.must(FILL.format(node=node, label=f"KEPT{number}"))
    files = lab.must(LIST.format(node=node))
    lab.flush(disk)
    entry = gpt.read_table(disk.image, disk.sector_size).partitions[number]
    return Kept(disk, number, entry.raw, gpt.digest(disk.image, entry), files)


def one_round(lab: Lab, chance: random.Random, kept: list[Kept], name: str, checks: Checks, total: Counter[str]) -> None:
    """Draws a config, runs it, and compares; a refused one counts as such and must have touched nothing that is kept, either."""
    before = {disk.node: entries(disk) for disk in lab.disks}
    drawn = {one.disk.node: around(chance, one.disk, before[one.disk.node], one.number, name) for one in kept}
    other = lab.disks[2]
    if chance.random() < 0.5 or not before[other.node]:
        drawn[other.node] = draw.wiped(chance, other.node, DISK_MIB - 1, f"{name}-c")
    else:
        drawn[other.node] = around(chance, other, before[other.node], None, name)
    arrays, systems = draw.uses(chance, list(drawn.values()), name)
    systems += [{"device": one.disk.part(one.number), "format": "ext4"} for one in kept if chance.random() < 0.5]
    config = configs.storage(
        version=configs.UNCERTAIN, disks=[each.entry for each in drawn.values()], raid=arrays, filesystems=systems
    )
    lab.must("for array in $(grep -o '^md[0-9]*' /proc/mdstat); do mdadm --stop --quiet /dev/$array; done; udevadm settle")
    result = lab.provision(config)
    lab.flush()
    for one in kept:
        untouched(lab, one, checks)
    if result.status != 0:
        total["refused"] += 1
        lab.case.say(f"{name} refused: {result.refusal}\n{config}")
        return
    total["provisioned"] += 1
    total["formatted"] += len([row for row in result.of("format") if row["result"] == "done"])
    total["arrays"] += len(result.of("create-array"))
    for disk in lab.disks:
        judge(disk, drawn[disk.node], before[disk.node], checks, total)


def around(chance: random.Random, disk: LabDisk, before: dict[int, gpt.Partition], kept: int | None, name: str) -> Round:
    """A draw for a disk in its current state."""
    places = {number: place(part) for number, part in before.items()}
    return draw.around(chance, disk.node, places, kept, DISK_MIB - 1, f"{name}-{disk.node[-3:].strip('/')}")


def place(part: gpt.Partition) -> Place:
    """In MiB, rounded outwards."""
    return Place(part.offset // MIB, -(-(part.offset + part.size) // MIB), part.label)


def entries(disk: LabDisk) -> dict[int, gpt.Partition]:
    """The partitions of an image; a blank disk has none."""
    with disk.image.open("rb") as image:
        image.seek(disk.sector_size)
        blank = image.read(8) != gpt.SIGNATURE
    return {} if blank else gpt.read_table(disk.image, disk.sector_size).partitions


def untouched(lab: Lab, one: Kept, checks: Checks) -> None:
    """Every bit of the entry and of the content, and the files as a kernel sees them."""
    what = f"{one.disk} {one.number}"
    table = gpt.read_table(one.disk.image, one.disk.sector_size)
    checks.equal(f"{what}: faults of the table", (), table.problems)
    entry = table.partitions.get(one.number)
    checks.equal(f"{what}: its entry", one.entry, entry and entry.raw)
    if entry:
        checks.equal(f"{what}: its content", one.content, gpt.digest(one.disk.image, entry))
    checks.equal(f"{what}: its files", one.files, lab.run(LIST.format(node=one.disk.part(one.number))).text)


def judge(disk: LabDisk, drawn: Round, before: dict[int, gpt.Partition], checks: Checks, total: Counter[str]) -> None:
    """The disk is as the config says; counts what was done."""
    after = entries(disk)
    checks.equal(
        f"{disk}: places", drawn.expected, {number: place(after[number]) for number in drawn.expected if number in after}
    )
    free = {part.label: place(part).size for part in after.values() if part.label in drawn.somewhere}
    checks.equal(f"{disk}: places that were found", drawn.somewhere, free)
    for number in drawn.untouched:
        checks.equal(f"{disk}: entry {number}", before[number].raw, number in after and after[number].raw)
    guids = {part.guid: part for part in before.values()}
    now = {part.guid: part for part in after.values()}
    checks.equal(f"{disk}: deleted ones", set(), {before[number].guid for number in drawn.deleted} & set(now))
    total["created"] += len(set(now) - set(guids))
    total["deleted"] += len(set(guids) - set(now))
    total["resized"] += len([guid for guid in set(now) & set(guids) if now[guid].size != guids[guid].size])
