"""Partition tables whose check sums are right and whose numbers are absurd: a table or a clear Failure, never anything else."""

import os
import struct
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ignition.config.model.storage import Disk, Partition
from ignition.errors import Failure
from ignition.storage import gpt, gpt_disk, guid, partitions

SECTORS, SIZE = 4096, 512
LINUX = "0fc63daf-8483-4772-8e79-3d69d8477de4"
FIELDS = {  # of the header: name → (offset, length)
    "revision": (8, 4),
    "header size": (12, 4),
    "reserved": (20, 4),
    "own place": (24, 8),
    "alternate": (32, 8),
    "first usable": (40, 8),
    "last usable": (48, 8),
    "array": (72, 8),
    "entries": (80, 4),
    "entry size": (84, 4),
    "array's check sum": (88, 4),
}
ODD = [0, 1, 2, 3, 33, 34, 127, 129, 4095, 4096, 2**31 - 1, 2**31, 2**32 - 1, 2**52, 2**54, 2**55, 2**63 - 1, 2**63, 2**64 - 1]
DAMAGED = "the partition table is damaged"


def table() -> gpt.Table:
    first = gpt.new_entry(100, 199, type_guid=LINUX, unique=guid.random(), name="data")
    return gpt.empty(SIZE, SECTORS).drawn().with_entries({1: first})


def sealed(header: bytes) -> bytes:
    """With the header's own check sum made right, whatever its numbers are. The array's is kept: it may be a field to try."""
    import binascii

    size = int.from_bytes(header[12:16], "little")
    summed = header[:16] + bytes(4) + header[20:]
    return summed[:16] + struct.pack("<I", binascii.crc32(summed[: min(size, SIZE)])) + summed[20:]


class Image:
    """A disk in memory."""

    def __init__(self) -> None:
        self.descriptor = os.memfd_create("disk")
        os.ftruncate(self.descriptor, SECTORS * SIZE)

    def __enter__(self) -> "Image":
        gpt_disk.write(self.descriptor, table())
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    def patch(self, lba: int, values: dict[str, int]) -> None:
        """Change fields of the header at `lba`."""
        header = bytearray(os.pread(self.descriptor, SIZE, lba * SIZE))
        for name, value in values.items():
            offset, length = FIELDS[name]
            header[offset : offset + length] = (value % 2 ** (8 * length)).to_bytes(length, "little")
        os.pwrite(self.descriptor, sealed(bytes(header)), lba * SIZE)

    def read(self) -> gpt.Table | None:
        return gpt_disk.read(self.descriptor, SIZE, SECTORS)


def use(image: Image) -> str:
    """Everything that a stage does with a table; "" or what it was refused for. Fails where a write would do harm."""
    before = os.pread(image.descriptor, SECTORS * SIZE, 0)
    try:
        found = image.read() or gpt.empty(SIZE, SECTORS)
        wanted = Disk(device="/dev/x", partitions=(Partition(number=0, label="new", size_sectors=64),))
        decided = partitions.decide(wanted, found.drawn(), {}, "$").table
        groups = gpt_disk.blocks(decided)
    except Failure as failure:
        assert failure.what and failure.fix
        return failure.what
    for group in groups:
        for offset, data in group:
            assert 0 <= offset <= offset + len(data) <= SECTORS * SIZE
            for entry in decided.entries.values():
                assert offset + len(data) <= entry.first * SIZE or entry.last * SIZE + SIZE <= offset
    gpt_disk.write(image.descriptor, decided)
    again = image.read()
    assert again is not None
    assert (again.entries, again.faults, again.misplaced) == (decided.entries, (), False)
    for entry in found.entries.values():
        place = slice(entry.first * SIZE, (entry.last + 1) * SIZE)
        assert os.pread(image.descriptor, SECTORS * SIZE, 0)[place] == before[place]
    return ""


def singles() -> Iterator[object]:
    for name in FIELDS:
        for value in ODD:
            yield pytest.param(name, value, id=f"{name}={value}")


@pytest.mark.parametrize(("name", "value"), singles())
@pytest.mark.parametrize("copies", [(1,), (SECTORS - 1,), (1, SECTORS - 1)], ids=["primary", "backup", "both"])
def test_one_absurd_number_is_refused_or_mended(name: str, value: int, copies: tuple[int, ...]) -> None:
    with Image() as image:
        for lba in copies:
            image.patch(lba, {name: value})
        what = use(image)
        # One sound copy is enough, whatever the other says.
        is_full = name == "last usable" and value == 34  # possible, and leaves no room
        assert not what or what.startswith(DAMAGED) or (is_full and "does not fit" in what)
        if len(copies) == 1 and not is_full:
            assert what == ""


numbers = st.one_of(st.sampled_from(ODD), st.integers(0, 2**64 - 1), st.integers(0, SECTORS + 2))


@settings(max_examples=400, deadline=None)
@given(
    st.dictionaries(st.sampled_from(list(FIELDS)), numbers, max_size=4),
    st.dictionaries(st.sampled_from(list(FIELDS)), numbers, max_size=4),
    st.tuples(st.integers(0, 127), numbers, numbers),
    st.binary(min_size=66, max_size=66),
)
@example({"array": 2**63}, {"array": 2**63}, (0, 100, 199), bytes(66))
@example({"entries": 2**32 - 1, "entry size": 2**31}, {}, (0, 100, 199), bytes(66))
@example({"alternate": 1}, {}, (0, 100, 199), bytes(66))
def test_any_numbers_are_refused_or_harmless(
    primary: dict[str, int], backup: dict[str, int], place: tuple[int, int, int], mbr: bytes
) -> None:
    """Both headers, an entry's place and the MBR's table at once; nothing is read in a size that a table claims."""
    with Image() as image:
        index, first, last = place
        entry = gpt.new_entry(first % 2**64, last % 2**64, type_guid=LINUX, unique=guid.random())
        broken = table().with_entries({index + 1: entry})
        gpt_disk.write(image.descriptor, broken)
        os.pwrite(image.descriptor, mbr, 446)
        image.patch(1, primary)
        image.patch(SECTORS - 1, backup)
        tracemalloc.start()
        use(image)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 64 << 20


@pytest.mark.parametrize(
    ("first", "last"),
    [(199, 100), (0, 10), (1, 1), (2, 40), (40, 2**63), (40, 2**64 - 1), (2**64 - 1, 2**64 - 1), (100, 4094), (4000, 4070)],
)
def test_partition_where_none_can_be_is_named(first: int, last: int) -> None:
    broken = table().with_entries({3: gpt.new_entry(first, last, type_guid=LINUX, unique=guid.random())})
    with pytest.raises(Failure) as caught:
        broken.relocated()
    assert caught.value.what == f"{DAMAGED}: partition 3 would lie from sector {first} to {last} of a disk of 4096"
    assert caught.value.fix == "repair it by hand (gdisk), or set wipeTable to lose everything on the disk"


def test_table_of_a_disk_that_shrank_to_nothing_is_refused() -> None:
    whole = gpt.empty(SIZE, SECTORS)
    shrunk = gpt.Table(sector_size=SIZE, sectors=60, boot=whole.boot, header=whole.header, array=whole.array)
    with pytest.raises(Failure) as caught:
        shrunk.relocated()
    assert caught.value.what == "a disk of 60 sectors has no room for partitions, which begin at sector 34"
    assert "former size" in caught.value.fix


@pytest.mark.parametrize("more", [1, 2, 32, 33, 34, 64])
def test_disk_that_became_a_little_larger_keeps_both_copies(more: int) -> None:
    """The old backup header lies where the new backup goes: it must not be erased there."""
    with Image() as image:
        os.ftruncate(image.descriptor, (SECTORS + more) * SIZE)
        found = gpt_disk.read(image.descriptor, SIZE, SECTORS + more)
        assert found is not None
        gpt_disk.write(image.descriptor, found.relocated())
        again = gpt_disk.read(image.descriptor, SIZE, SECTORS + more)
        assert again is not None
        assert (again.faults, again.misplaced, again.entries) == ((), False, found.entries)


def test_last_usable_sector_in_the_backup_is_moved() -> None:
    with Image() as image:
        image.patch(1, {"last usable": SECTORS - 3})
        found = image.read()
        assert found is not None
        assert found.relocated().last_usable == SECTORS - 34
