"""What grows and what does not, with the reason; the arithmetic of the new end. No disk is touched."""

import struct
from typing import Any

import pytest

from ignition.config.model import Config, Storage
from ignition.config.model.storage import Disk
from ignition.config.model.storage import Partition as ConfigPartition
from ignition.host.mounts import Mount
from ignition.operation import Context
from ignition.storage import gpt, guid
from ignition.storage.grow import ROOT_TYPE, GrowFacts, grown_table, is_candidate, plan
from ignition.storage.grow.facts import Part, Partition
from ignition.storage.grow.operations import kept_sizes

MIB = 2048
LINUX = "0fc63daf-8483-4772-8e79-3d69d8477de4"
ROOT_BYTES = 400 << 20


def enlarged(*, sectors: int = 2048 * MIB, behind: gpt.Entry | None = None, type_guid: str = ROOT_TYPE) -> gpt.Table:
    """A table made for a disk of 1 GiB, on one of `sectors`: number 1, ROOT as number 9 at 100..500 MiB, perhaps one behind."""
    root = gpt.new_entry(100 * MIB, 500 * MIB - 1, type_guid=type_guid, unique=guid.random(), name="ROOT")
    boot = gpt.new_entry(MIB, 100 * MIB - 1, type_guid=LINUX, unique=guid.random())
    entries: dict[int, gpt.Entry | None] = {1: boot, 9: root}
    if behind:
        entries[10] = behind
    made = gpt.empty(512, 1024 * MIB).drawn().with_entries(entries)
    return gpt.Table(sector_size=512, sectors=sectors, boot=made.boot, header=made.header, array=made.array)


def entry(start: int, name: str = "data") -> gpt.Entry:
    return gpt.new_entry(start, start + MIB - 1, type_guid=LINUX, unique=guid.random(), name=name)


def partition(table: gpt.Table | None) -> Partition:
    made = Partition("/dev/vda9", table.entries[9].sectors * 512 if table else ROOT_BYTES, "/dev/vda", 9)
    made.table = table
    return made


def facts(table: gpt.Table | None, *, format: str = "ext4", read_only: bool = False, filesystem: int = ROOT_BYTES) -> GrowFacts:
    made = GrowFacts(Mount((254, 9), "/sysroot", "/dev/vda9", format, read_only=read_only), is_root=True)
    made.parts = (Part(partition(table), filesystem),)
    return made


def kinds(one: GrowFacts, config: Config | None = None) -> list[str]:
    return [operation.kind for operation in plan([one], config)]


def only(one: GrowFacts, config: Config | None = None) -> str:
    operation, *notes = plan([one], config)
    assert [note.kind for note in notes] == (["grow-keep-size"] if config else [])
    return operation.describe()


def test_root_grows_to_the_end_of_an_enlarged_disk() -> None:
    operations = plan([facts(enlarged())], None)
    assert [operation.kind for operation in operations] == ["grow-partition", "grow-filesystem"]
    assert operations[0].describe() == "grow /dev/vda9 from 400 to 1948 MiB"
    assert operations[1].describe() == "grow ext4 on /sysroot to the end of /dev/vda9"
    disk: Any = operations[0].facts()["disk"]
    assert [(part["number"], part["size"] >> 20, part["fate"]) for part in disk["before"]] == [(1, 99, "kept"), (9, 400, "kept")]
    assert [(part["number"], part["size"] >> 20, part["fate"]) for part in disk["after"]] == [(1, 99, "kept"), (9, 1947, "grown")]


def test_new_table_differs_in_roots_end_and_the_backups_place_alone() -> None:
    before = enlarged()
    after, reason = grown_table(before, 9)
    assert reason is None
    assert (after.entries[9].raw, after.entries[1].raw) == (
        before.entries[9].resized(after.last_usable).raw,
        before.entries[1].raw,
    )
    assert after.entries[9].last == 2048 * MIB - 34
    assert (
        after.header
        == before.header[:32]
        + struct.pack("<Q", 2048 * MIB - 1)
        + before.header[40:48]
        + struct.pack("<Q", 2048 * MIB - 34)
        + before.header[56:]
    )
    assert after.boot == before.boot[:458] + struct.pack("<I", 2048 * MIB - 1) + before.boot[462:]


@pytest.mark.parametrize(
    ("gain", "grows"), [pytest.param(2 * MIB, True, id="2 MiB"), pytest.param(2 * MIB - 1, False, id="a sector less")]
)
def test_gain_below_2_mib_is_not_worth_it(gain: int, grows: bool) -> None:
    table = enlarged(behind=entry(500 * MIB + gain))
    after, reason = grown_table(table, 9)
    assert after.entries[9].last == (500 * MIB + gain - 1 if grows else 500 * MIB - 1)
    assert str(reason) == (
        "None"
        if grows
        else "partition 10 (data) follows it on the disk (fix: to let it grow, move that partition before it, or to another disk)"
    )


def test_kernel_command_line_lets_root_grow_whatever_its_type() -> None:
    one = facts(enlarged(type_guid=LINUX))
    assert "does not grow" in plan([one], None)[0].describe()
    one.any_type = True
    allowed, typed = plan([one], None), plan([facts(enlarged())], None)
    assert [operation.describe() for operation in allowed] == [operation.describe() for operation in typed]


REFUSED = [
    pytest.param(
        facts(enlarged(type_guid=LINUX)),
        f"the type of its partition is {LINUX}, and only {ROOT_TYPE} grows",
        f"`sfdisk --part-type /dev/vda 9 {ROOT_TYPE}` sets the type",
        id="type",
    ),
    pytest.param(
        facts(enlarged(), format="vfat"),
        "vfat is not one of the file systems that grow while mounted (ext4, xfs, btrfs)",
        "use one of these formats for ROOT (storage.filesystems)",
        id="format",
    ),
    pytest.param(
        facts(enlarged(), read_only=True),
        "it is mounted read-only",
        "`mount -o remount,rw /sysroot`, then `ignition grow`",
        id="read-only",
    ),
    pytest.param(
        facts(None),
        "/dev/vda does not have a GPT with partition 9",
        "use an image whose disk has a GPT; an MBR is left alone",
        id="not GPT",
    ),
    pytest.param(
        facts(enlarged(sectors=450 * MIB)),
        f"partition 9 ends at sector {500 * MIB - 1}, behind the last usable sector {450 * MIB - 34} of the disk",
        "the disk is smaller than its partition table says: restore its former size",
        id="shrunk disk",
    ),
]


@pytest.mark.parametrize(("one", "reason", "fix"), REFUSED)
def test_refusal_says_why_and_what_helps(one: GrowFacts, reason: str, fix: str, context: Context) -> None:
    [operation] = plan([one], None)
    assert operation.describe() == f"/sysroot does not grow: {reason} (fix: {fix})"
    assert operation.already_there(context)


def test_root_that_cannot_be_looked_at_says_so() -> None:
    one = facts(None)
    one.problem, one.fix = "it is on overlay, which is not a block device", "put ROOT on a disk"
    assert only(one) == "/sysroot does not grow: it is on overlay, which is not a block device (fix: put ROOT on a disk)"


def full(**members: Any) -> GrowFacts:
    """ROOT as it is after growth."""
    table = grown_table(enlarged(), 9)[0]
    return facts(table, **{"filesystem": table.entries[9].sectors * 512, **members})


def test_grown_root_is_left_alone() -> None:
    assert only(full()) == "/sysroot does not grow: it already fills its disk"


def test_growth_that_stopped_after_the_partition_is_finished() -> None:
    assert kinds(full(filesystem=ROOT_BYTES)) == ["grow-filesystem"]


def test_kernel_that_missed_the_new_length_is_told() -> None:
    one = full(filesystem=ROOT_BYTES)
    one.parts[0].layer.length = ROOT_BYTES
    assert kinds(one) == ["grow-partition", "grow-filesystem"]


def test_backup_is_moved_even_if_another_partition_follows() -> None:
    operations = plan([facts(enlarged(behind=entry(500 * MIB, name="")))], None)
    assert [operation.describe() for operation in operations] == [
        "repair the partition table of /dev/vda",
        "/sysroot does not grow: partition 10 follows it on the disk "
        "(fix: to let it grow, move that partition before it, or to another disk)",
    ]


def test_disk_of_the_config_is_recognised_behind_a_link() -> None:
    linked = config()
    linked = Config(storage=Storage(disks=(linked.storage.disks[1].evolve(device="/dev/disk/by-id/x"),)))
    operation, _ = plan([facts(enlarged())], linked, {"/dev/disk/by-id/x": "/dev/vda"})
    assert operation.describe() == (
        "/sysroot does not grow: the config sets its size ($.storage.disks.0.partitions.0) "
        "(fix: omit sizeMiB, or set it to 0, to let it grow)"
    )


def config(**members: Any) -> Config:
    partition = ConfigPartition(**{"number": 9, "size_mib": 400, "resize": True, **members})
    return Config(storage=Storage(disks=(Disk(device="/dev/vdz"), Disk(device="/dev/vda", partitions=(partition,)))))


@pytest.mark.parametrize(
    "members",
    [pytest.param({}, id="MiB"), pytest.param({"size_mib": None, "size_sectors": 400 * MIB, "resize": None}, id="2.x sectors")],
)
def test_size_that_the_config_gives_is_obeyed(members: dict[str, object]) -> None:
    assert only(facts(enlarged()), config(**members)) == (
        "/sysroot does not grow: the config sets its size ($.storage.disks.1.partitions.0) "
        "(fix: omit sizeMiB, or set it to 0, to let it grow)"
    )


def test_size_that_the_config_gave_is_obeyed_on_later_boots(context: Context) -> None:
    table = enlarged()
    note = plan([facts(table)], config())[1]
    guid_text = table.entries[9].unique_guid
    assert note.describe() == f"note in /etc/.ignition-keep-size that the config sets the size of {guid_text}"
    assert not note.already_there(context)
    note.execute(context)
    assert note.already_there(context)
    keep = kept_sizes(context.root)
    assert keep == {guid_text}
    [operation] = plan([facts(table)], None, keep=keep)
    assert operation.describe() == (
        "/sysroot does not grow: the config of the first boot set the size of /dev/vda9 "
        "(fix: remove its GUID from /etc/.ignition-keep-size to let it grow)"
    )


def test_nothing_is_noted_on_a_root_that_is_read_only() -> None:
    assert kinds(facts(enlarged(), read_only=True), config()) == ["grow"]


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"size_mib": 0}, id="fill"),
        pytest.param({"size_mib": None}, id="no size"),
        pytest.param({"number": 1}, id="another number"),
        pytest.param({"number": 0, "label": "ROOT"}, id="number 0 that the config did not make"),
    ],
)
def test_config_without_a_size_for_root_does_not_keep_it_from_growing(members: dict[str, object]) -> None:
    assert kinds(facts(enlarged()), config(**members)) == ["grow-partition", "grow-filesystem"]


def test_candidates_are_the_root_and_what_has_its_type() -> None:
    root, other, foreign = facts(enlarged(type_guid=LINUX)), facts(enlarged()), facts(enlarged(type_guid=LINUX))
    other.is_root = foreign.is_root = False
    assert [is_candidate(one) for one in (root, other, foreign)] == [True, True, False]
