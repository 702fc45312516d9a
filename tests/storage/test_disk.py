"""One disk: its lock, the kernel's partitions after a write, and the content that lies outside of its partitions."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from ignition.config.model.storage import Disk, Partition
from ignition.errors import Failure
from ignition.host import blkpg, devices
from ignition.operation import Context
from ignition.storage import disk, gpt, gpt_disk, signatures

MIB = 2048  # sectors of 512 bytes
WHERE = "$.storage.disks.0"
LINUX = "0fc63daf-8483-4772-8e79-3d69d8477de4"


def table(*numbers: int) -> gpt.Table:
    entries = {number: gpt.new_entry(number * MIB, (number + 1) * MIB - 1, type_guid=LINUX) for number in numbers}
    return gpt.empty(512, 64 * MIB).with_entries(entries)


class Users(devices.Users):
    def __init__(self, **users: str) -> None:
        self._by_name = users

    def of(self, name: str) -> str:
        return self._by_name.get(name, "")


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file that stands for a disk; the kernel shows what was synchronised."""
    path = tmp_path / "disk"
    with path.open("wb") as file:
        file.truncate(64 << 20)
    shown: dict[int, tuple[str, int, int]] = {}

    def synchronise(descriptor: int, name: str, wanted: dict[int, tuple[int, int]]) -> None:
        shown.clear()
        shown.update({number: (f"{name}{number}", *place) for number, place in wanted.items()})

    monkeypatch.setattr(devices, "name_of", os.path.basename)
    monkeypatch.setattr(devices, "geometry", lambda descriptor: (512, 64 * MIB))
    monkeypatch.setattr(devices, "partitions", lambda name: dict(shown))
    monkeypatch.setattr(devices, "settle", lambda nodes: None)
    monkeypatch.setattr(devices, "wait_for", lambda nodes: None)
    monkeypatch.setattr(blkpg, "synchronise", synchronise)
    monkeypatch.setattr(signatures, "all_of", lambda node: [])
    monkeypatch.setattr(disk, "LOCK_PAUSE_S", 0.0)
    return str(path)


def planned(image: str, *partitions: Partition) -> list[disk.WriteTable]:
    wanted = Disk(device="/dev/x", partitions=partitions)
    found = disk.plan(wanted, disk.probe(wanted, image, Users()), WHERE)
    return [one for one in found if isinstance(one, disk.WriteTable)]


def test_table_is_written_and_the_kernel_shows_it(image: str, context: Context) -> None:
    [write] = planned(image, Partition(number=1, size_mib=8), Partition(number=3))
    assert write.describe() == f"partition /dev/x: create 1, create 3 ({WHERE})"
    assert not write.already_there(context)
    write.execute(context)
    [again] = planned(image, Partition(number=1, size_mib=8), Partition(number=3))
    assert again.describe() == f"partition /dev/x: nothing to change ({WHERE})"
    assert again.already_there(context)
    with open(image, "rb") as file:
        found = gpt_disk.read(file.fileno(), 512, 64 * MIB)
    assert found is not None and sorted(found.entries) == [1, 3] and found.faults == ()


def test_partitions_may_be_absent_for_a_moment(image: str, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """udevd makes the kernel reread the table."""
    [write] = planned(image, Partition(number=1))
    shown = devices.partitions
    looks = iter([dict[int, tuple[str, int, int]](), {}])
    monkeypatch.setattr(devices, "partitions", lambda name: next(looks, None) or shown(name))
    write.execute(context)


def test_partition_that_the_kernel_does_not_show_is_named(image: str, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    [write] = planned(image, Partition(number=1, size_mib=1), Partition(number=2, size_mib=1))
    name = os.path.basename(image)
    monkeypatch.setattr(disk, "VERIFY_WAIT_S", 0.01)
    monkeypatch.setattr(devices, "partitions", lambda _: {1: (f"{name}1", 1 << 20, 1 << 20), 2: (f"{name}2", 4 << 20, 1 << 20)})
    with pytest.raises(Failure) as caught:
        write.execute(context)
    assert caught.value.what == (
        "the kernel does not show partition 2 of /dev/x as it was written: "
        "1048576 bytes at 4194304 instead of 1048576 bytes at 2097152"
    )
    assert caught.value.where == f"{WHERE}.partitions.1"
    assert caught.value.fix == "boot again: something else holds or rereads this disk"
    monkeypatch.setattr(devices, "partitions", lambda _: {})
    with pytest.raises(Failure, match="absent instead of 1048576 bytes at 1048576"):
        write.execute(context)


def test_table_that_the_kernel_has_not_read_is_told_to_it(image: str, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """The power was cut between the write and the call."""
    [write] = planned(image, Partition(number=1, size_mib=1))
    write.execute(context)
    blkpg.synchronise(0, os.path.basename(image), {})
    [again] = planned(image, Partition(number=1, size_mib=1))
    assert again.already_there(context)
    assert devices.partitions(os.path.basename(image)) == {1: ("disk1", 1 << 20, 1 << 20)}


def test_damaged_backup_is_repaired(image: str, context: Context) -> None:
    [write] = planned(image, Partition(number=1))
    write.execute(context)
    with open(image, "r+b") as file:
        file.seek(-512, os.SEEK_END)
        file.write(bytes(512))
    [mend] = planned(image, Partition(number=1))
    assert mend.describe() == f"partition /dev/x: repair the table (the backup table is damaged) ({WHERE})"
    assert not mend.already_there(context)
    mend.execute(context)
    assert planned(image, Partition(number=1))[0].already_there(context)


@pytest.mark.parametrize("free_after", [0, 3])
def test_lock_of_another_program_is_waited_for(image: str, monkeypatch: pytest.MonkeyPatch, free_after: int) -> None:
    tries: list[int] = []

    def flock(descriptor: int, how: int) -> None:
        tries.append(how)
        if len(tries) <= free_after:
            raise BlockingIOError(errno.EWOULDBLOCK, "busy")

    monkeypatch.setattr(fcntl, "flock", flock)
    with disk.locked(image) as descriptor:
        assert os.get_inheritable(descriptor) is False
        assert fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDWR
    assert tries == [fcntl.LOCK_EX | fcntl.LOCK_NB] * (free_after + 1)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_lock_that_is_kept_is_a_failure(image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "LOCK_WAIT_S", 0.05)
    with open(image, "rb") as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        with pytest.raises(Failure) as caught, disk.locked(image):
            pass
    assert caught.value.what == f"another program keeps {image} locked for 0.05 s"
    assert caught.value.fix == "stop the program that uses this disk"


@pytest.mark.parametrize(
    ("sector", "held"),
    [(MIB - 1, True), (MIB, False), (2 * MIB - 1, False), (2 * MIB, True)],
    ids=["before", "first sector", "last sector", "behind"],
)
def test_signature_in_a_partition_is_not_one_of_the_disk(
    image: str, monkeypatch: pytest.MonkeyPatch, sector: int, held: bool
) -> None:
    with open(image, "r+b") as file:
        gpt_disk.write(file.fileno(), table(1).drawn())
    row = {"offset": hex(sector * 512 + 56), "type": "swap", "usage": "other"}
    tables = {"offset": "0x200", "type": "gpt", "usage": "partition-table"}
    monkeypatch.setattr(signatures, "all_of", lambda node: [signatures.Found(row), signatures.Found(tables)])
    facts = disk.probe(Disk(device="/dev/x"), image, Users())
    assert [one.format for one in facts.content] == (["swap"] if held else [])


def test_users_of_a_disk_and_of_its_partitions(image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "partitions", lambda name: {1: ("disk1", 1, 1), 2: ("disk2", 2, 1)})
    facts = disk.probe(Disk(device="/dev/x", wipe_table=True), image, Users(disk="held by md0", disk2="mounted on /srv"))
    assert (facts.in_use, facts.used_whole, facts.content, facts.table.entries) == ({2: "mounted on /srv"}, "held by md0", [], {})
    with pytest.raises(Failure) as caught:
        disk.plan(Disk(device="/dev/x", wipe_table=True), facts, WHERE)
    assert caught.value.what == "partition 2 of /dev/x is in use (mounted on /srv): cannot wipe the table"
    assert caught.value.where == f"{WHERE}.wipeTable"
    facts = disk.DiskFacts(image, gpt.empty(512, 64 * MIB), in_use={}, used_whole="held by md0")
    with pytest.raises(Failure) as caught:
        disk.plan(Disk(device="/dev/x"), facts, WHERE)
    assert (caught.value.what, caught.value.where) == ("/dev/x is in use (held by md0)", WHERE)


@pytest.mark.parametrize(
    ("wanted", "wiped"),
    [
        pytest.param(Disk(device="/dev/x", partitions=(Partition(number=1), Partition(number=2))), [], id="nothing"),
        pytest.param(
            Disk(device="/dev/x", partitions=(Partition(number=1, wipe_partition_entry=True), Partition(number=2))),
            [1],
            id="by number",
        ),
        pytest.param(
            Disk(device="/dev/x", partitions=(Partition(label="a", wipe_partition_entry=True), Partition(number=2, label="b"))),
            [1],
            id="by label",
        ),
        pytest.param(
            Disk(device="/dev/x", wipe_table=True, partitions=(Partition(number=1), Partition(number=2))),
            [1, 2],
            id="the whole table",
        ),
    ],
)
def test_partitions_whose_content_is_given_up(image: str, wanted: Disk, wiped: list[int]) -> None:
    sized = wanted.evolve(partitions=tuple(one.evolve(size_mib=1) for one in wanted.partitions))
    write = disk.plan(sized, disk.probe(sized, image, Users()), WHERE)[-1]
    assert isinstance(write, disk.WriteTable)
    assert list(write.wiped(sized)) == [f"{image}{number}" for number in wiped]
    assert sorted(write.made()) == [f"{image}1", f"{image}2"]


def test_second_attempt_wipes_nothing() -> None:
    from ignition.config.model import Config, Storage
    from ignition.config.model.storage import Filesystem, Luks

    storage = Storage(
        disks=(
            Disk(
                device="/dev/x",
                wipe_table=True,
                partitions=(
                    Partition(number=1, wipe_partition_entry=True),
                    Partition(number=2, wipe_partition_entry=True, should_exist=False),
                ),
            ),
        ),
        luks=(Luks(name="v", wipe_volume=True),),
        filesystems=(Filesystem(device="/dev/y", wipe_filesystem=True, must_be_blank=True),),
    )
    kept = disk.without_wipes(Config(storage=storage)).storage
    assert (kept.disks[0].wipe_table, kept.luks[0].wipe_volume) == (False, False)
    assert [one.wipe_partition_entry for one in kept.disks[0].partitions] == [False, True]
    assert (kept.filesystems[0].wipe_filesystem, kept.filesystems[0].must_be_blank) == (False, False)


def test_spec_2_keeps_partitions_of_another_size(image: str) -> None:
    facts = disk.DiskFacts(image, table(1).drawn(), in_use={})
    wanted = Disk(device="/dev/x", partitions=(Partition(number=1, size_mib=9),))
    [write] = disk.plan(wanted, facts, WHERE, translated=True)
    assert write.describe() == f"partition /dev/x: nothing to change ({WHERE})"
    with pytest.raises(Failure, match="partition 1 exists and differs: size"):
        disk.plan(wanted, facts, WHERE)


@pytest.mark.parametrize(
    ("partition", "refused"),
    [
        pytest.param(Partition(number=1, size_mib=1), False, id="nothing changes"),
        pytest.param(Partition(number=1, size_mib=9, resize=True), True, id="resized"),
        pytest.param(Partition(number=2, size_mib=1), True, id="created"),
        pytest.param(Partition(number=1, should_exist=False, wipe_partition_entry=True), False, id="deleted"),
        pytest.param(Partition(number=1, label="x", wipe_partition_entry=True, size_mib=1), False, id="replaced in its place"),
    ],
)
def test_content_of_the_whole_disk_is_not_written_over(image: str, partition: Partition, refused: bool) -> None:
    facts = disk.DiskFacts(image, table(1).drawn(), in_use={}, content=[signatures.Signature("swap", "x")])
    wanted = Disk(device="/dev/x", partitions=(partition,))
    if not refused:
        disk.plan(wanted, facts, WHERE)
        return
    with pytest.raises(Failure) as caught:
        disk.plan(wanted, facts, WHERE)
    assert caught.value.what == "/dev/x holds swap labelled 'x' as a whole, and this would write partitions over it"
    assert caught.value.where == WHERE


def shown(facts: dict[str, object], which: str) -> list[tuple[object, object, object]]:
    """(number, MiB, fate) of the partitions in the facts of an operation."""
    found = facts["disk"]
    assert isinstance(found, dict)
    return [(part["number"], part["size"] >> 20, part["fate"]) for part in found[which]]


def test_record_has_the_table_before_and_after(image: str, context: Context) -> None:
    sized = Partition(number=1, size_mib=8, start_mib=1, label="a")
    [write] = planned(image, sized, Partition(number=2, size_mib=4, start_mib=16), Partition(number=3, size_mib=1, start_mib=32))
    write.execute(context)
    facts = write.facts()
    assert (shown(facts, "before"), shown(facts, "after")) == ([], [(1, 8, "made"), (2, 4, "made"), (3, 1, "made")])
    found = facts["disk"]
    assert isinstance(found, dict) and (found["device"], found["size"]) == (image, 64 << 20)
    first = found["after"][0]
    assert (first["label"], first["start"], first["typeGuid"]) == ("a", 1 << 20, LINUX)
    with open(image, "rb") as file:
        table = gpt_disk.read(file.fileno(), 512, 64 * MIB)
    assert table is not None and first["guid"] == table.entries[1].unique_guid
    [write] = planned(
        image,
        sized.evolve(size_mib=9, resize=True),
        Partition(number=2, size_mib=2, start_mib=16, wipe_partition_entry=True),
        Partition(number=3, should_exist=False, wipe_partition_entry=True),
    )
    assert shown(write.facts(), "before") == [(1, 8, "kept"), (2, 4, "lost"), (3, 1, "lost")]
    assert shown(write.facts(), "after") == [(1, 9, "grown"), (2, 2, "made")]
    [write] = planned(image, sized.evolve(size_mib=7, resize=True))
    assert shown(write.facts(), "after") == [(1, 7, "shrunk"), (2, 4, "kept"), (3, 1, "kept")]


def test_record_of_a_wiped_table_has_what_was_lost(image: str, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "run", lambda *_, **__: "")
    [write] = planned(image, Partition(number=1, size_mib=8))
    write.execute(context)
    wanted = Disk(device="/dev/x", wipe_table=True)
    [wipe] = disk.plan(wanted, disk.probe(wanted, image, Users()), WHERE)
    assert wipe.facts() == {}
    wipe.execute(context)
    assert (shown(wipe.facts(), "before"), shown(wipe.facts(), "after")) == ([(1, 8, "lost")], [])
    # Neither a disk without a table nor one with a damaged table has anything to show.
    [wipe] = disk.plan(wanted, disk.probe(wanted, image, Users()), WHERE)
    wipe.execute(context)
    assert wipe.facts() == {}
    with open(image, "r+b") as file:
        file.seek(512)
        file.write(b"EFI PART and then nothing")
    [wipe] = disk.plan(wanted, disk.probe(wanted, image, Users()), WHERE)
    wipe.execute(context)
    assert wipe.facts() == {}
