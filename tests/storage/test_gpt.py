"""Reading, changing and writing of GPT bytes: damage, relocation, wiping, MBRs. Images are plain files."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ignition.errors import Failure
from ignition.storage import gpt, gpt_disk, guid

SECTORS = 4096
LINUX = "0fc63daf-8483-4772-8e79-3d69d8477de4"


@pytest.fixture(params=[512, 4096])
def sector_size(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def image(tmp_path: Path, sector_size: int) -> Iterator[int]:
    """An empty image file of SECTORS sectors, opened."""
    descriptor = os.open(tmp_path / "disk.img", os.O_RDWR | os.O_CREAT)
    os.ftruncate(descriptor, SECTORS * sector_size)
    yield descriptor
    os.close(descriptor)


def two_partitions(sector_size: int, sectors: int = SECTORS) -> gpt.Table:
    """Number 1 with all attribute bits that Container Linux uses and a full name; number 128 at the end."""
    raw = bytearray(gpt.new_entry(100, 199, type_guid=LINUX, unique=guid.random(), name="A" * 36).raw)
    raw[48:56] = struct.pack("<Q", 1 << 2 | 1 << 48 | 1 << 56)
    last = gpt.new_entry(300, 400, type_guid=LINUX, unique=guid.random(), name="ß€")
    return gpt.empty(sector_size, sectors).drawn().with_entries({1: gpt.Entry(bytes(raw)), 128: last})


def damage(descriptor: int, offset: int) -> None:
    """Change one byte for certain: the GUIDs of a table are random, so no fixed value differs from what is there."""
    [there] = os.pread(descriptor, 1, offset)
    os.pwrite(descriptor, bytes([there ^ 0xFF]), offset)


def read(descriptor: int, sector_size: int, sectors: int = SECTORS) -> gpt.Table:
    table = gpt_disk.read(descriptor, sector_size, sectors)
    assert table is not None
    return table


def test_disk_of_zeros_has_no_table(image: int, sector_size: int) -> None:
    assert gpt_disk.read(image, sector_size, SECTORS) is None


def test_table_reads_as_it_was_written(image: int, sector_size: int) -> None:
    table = two_partitions(sector_size)
    gpt_disk.write(image, table)
    again = read(image, sector_size)
    assert again.entries == table.entries
    assert (again.disk_guid, again.faults, again.misplaced) == (table.disk_guid, (), False)
    assert (again.entries[1].name, again.entries[128].name) == ("A" * 36, "ß€")


def test_new_table_is_laid_out_as_gdisk_does() -> None:
    small, large = gpt.empty(512, 2048), gpt.empty(4096, 2048)
    assert (small.first_usable, small.last_usable, small.alternate) == (34, 2048 - 34, 2047)
    assert (large.first_usable, large.last_usable, large.alternate) == (6, 2048 - 6, 2047)


def test_disk_without_room_for_a_table_is_refused() -> None:
    assert gpt.empty(512, 68).entries == {}
    with pytest.raises(Failure, match="a disk of 67 sectors is too small for a partition table"):
        gpt.empty(512, 67)


@pytest.mark.parametrize("lba", [1, 2], ids=["header", "entries"])
def test_damaged_primary_is_replaced_from_the_backup(image: int, sector_size: int, lba: int) -> None:
    table = two_partitions(sector_size)
    gpt_disk.write(image, table)
    whole = os.pread(image, SECTORS * sector_size, 0)
    damage(image, lba * sector_size + 60)
    found = read(image, sector_size)
    assert found.faults == ("the primary table is damaged",)
    assert found.entries == table.entries
    gpt_disk.write(image, found)
    assert os.pread(image, SECTORS * sector_size, 0) == whole


@pytest.mark.parametrize("from_end", [1, 2], ids=["header", "entries"])
def test_damaged_backup_is_noticed_and_mended(image: int, sector_size: int, from_end: int) -> None:
    gpt_disk.write(image, two_partitions(sector_size))
    whole = os.pread(image, SECTORS * sector_size, 0)
    damage(image, (SECTORS - from_end) * sector_size + 60)
    found = read(image, sector_size)
    assert found.faults == ("the backup table is damaged",)
    gpt_disk.write(image, found)
    assert os.pread(image, SECTORS * sector_size, 0) == whole


def test_backup_of_another_table_is_noticed(image: int, sector_size: int) -> None:
    old = two_partitions(sector_size)
    gpt_disk.write(image, old)
    end = os.pread(image, 64 * sector_size, (SECTORS - 64) * sector_size)
    gpt_disk.write(image, old.with_entries({128: None}))
    os.pwrite(image, end, (SECTORS - 64) * sector_size)
    assert read(image, sector_size).faults == ("the backup table differs from the primary",)


def test_table_damaged_in_both_copies_is_an_error(image: int, sector_size: int) -> None:
    gpt_disk.write(image, two_partitions(sector_size))
    for lba in (1, SECTORS - 1):
        damage(image, lba * sector_size + 60)
    with pytest.raises(Failure) as caught:
        gpt_disk.read(image, sector_size, SECTORS)
    assert caught.value.what == "the partition table is damaged in both copies"
    assert "wipeTable" in caught.value.fix


def test_missing_protective_mbr_is_put_back_without_touching_boot_code(image: int, sector_size: int) -> None:
    gpt_disk.write(image, two_partitions(sector_size))
    os.pwrite(image, b"boot code".ljust(446, b"\x90") + bytes(66), 0)
    found = read(image, sector_size)
    assert found.faults == ("the protective MBR is missing",)
    gpt_disk.write(image, found)
    mbr = os.pread(image, 512, 0)
    assert mbr[:446] == b"boot code".ljust(446, b"\x90")
    assert mbr[446:462] == bytes.fromhex("00000200eeffffff01000000") + struct.pack("<I", SECTORS - 1)
    assert mbr[462:] == bytes(48) + b"\x55\xaa"


def test_relocation_moves_the_backup_to_the_end_of_an_enlarged_disk(image: int, sector_size: int) -> None:
    table = two_partitions(sector_size)
    gpt_disk.write(image, table)
    os.ftruncate(image, 2 * SECTORS * sector_size)
    found = read(image, sector_size, 2 * SECTORS)
    assert found.misplaced
    moved = found.relocated()
    gpt_disk.write(image, moved)
    again = read(image, sector_size, 2 * SECTORS)
    assert (again.misplaced, again.faults, again.entries) == (False, (), table.entries)
    assert again.last_usable == 2 * SECTORS - 2 - again.array_sectors
    assert struct.unpack("<I", again.boot[458:462])[0] == 2 * SECTORS - 1
    assert os.pread(image, sector_size, (SECTORS - 1) * sector_size) == bytes(sector_size)  # the old backup header


def test_relocation_onto_a_disk_that_is_too_small_names_the_partition(sector_size: int) -> None:
    table = two_partitions(sector_size)
    smaller = gpt.Table(sector_size=sector_size, sectors=350, boot=table.boot, header=table.header, array=table.array)
    with pytest.raises(Failure) as caught:
        smaller.relocated()
    last_usable = 350 - 2 - table.array_sectors
    assert caught.value.what == f"partition 128 ends at sector 400, behind the last usable sector {last_usable} of the disk"
    assert "former size" in caught.value.fix


def test_relocation_onto_a_smaller_disk_that_still_fits_writes_nothing_behind_its_end(image: int, sector_size: int) -> None:
    larger = two_partitions(sector_size, 2 * SECTORS)
    moved = gpt.Table(
        sector_size=sector_size, sectors=SECTORS, boot=larger.boot, header=larger.header, array=larger.array
    ).relocated()
    gpt_disk.write(image, moved)
    assert os.fstat(image).st_size == SECTORS * sector_size
    again = read(image, sector_size)
    assert (again.entries, again.faults, again.misplaced) == (larger.entries, (), False)


def hybrid(table: gpt.Table) -> gpt.Table:
    """With a hybrid MBR as Container Linux' EFI-SYSTEM has it: a FAT entry, then a protective one behind it."""
    fat = b"\x80\xfe\xff\xff\x0c\xfe\xff\xff" + struct.pack("<II", 100, 100)
    protective = b"\x00\xfe\xff\xff\xee\xfe\xff\xff" + struct.pack("<II", 1, 99)
    mbr = b"code".ljust(446, b"\0") + fat + protective + bytes(32) + b"\x55\xaa"
    mbr = mbr.ljust(table.sector_size, b"\0")
    return gpt.Table(sector_size=table.sector_size, sectors=table.sectors, boot=mbr, header=table.header, array=table.array)


def test_hybrid_mbr_survives_a_rewrite(image: int, sector_size: int) -> None:
    table = hybrid(two_partitions(sector_size))
    gpt_disk.write(image, table)
    os.ftruncate(image, 2 * SECTORS * sector_size)
    found = read(image, sector_size, 2 * SECTORS)
    assert found.faults == ()
    gpt_disk.write(image, found.relocated().with_entries({128: None}))
    assert os.pread(image, 512, 0) == table.boot[:512]


def test_wiped_disk_has_no_trace_of_a_table(image: int, sector_size: int) -> None:
    gpt_disk.write(image, two_partitions(sector_size))
    os.pwrite(image, b"kept", 200 * sector_size)
    gpt_disk.wipe(image, sector_size, SECTORS)
    assert gpt_disk.read(image, sector_size, SECTORS) is None
    content = os.pread(image, SECTORS * sector_size, 0)
    assert len(content) == SECTORS * sector_size
    assert content.replace(b"kept", bytes(4)) == bytes(SECTORS * sector_size)
    assert content[200 * sector_size :].startswith(b"kept")


def test_wipe_finds_a_backup_that_is_not_at_the_end(image: int, sector_size: int) -> None:
    gpt_disk.write(image, two_partitions(sector_size))
    os.ftruncate(image, 2 * SECTORS * sector_size)
    gpt_disk.wipe(image, sector_size, 2 * SECTORS)
    assert gpt.SIGNATURE not in os.pread(image, 2 * SECTORS * sector_size, 0)


def test_zero_guids_are_drawn_once() -> None:
    table = gpt.empty(512, SECTORS).with_entries({3: gpt.new_entry(100, 200, type_guid=LINUX)})
    drawn = table.drawn()
    assert drawn.disk_guid != guid.ZERO
    assert drawn.entries[3].unique_raw != guid.ZERO
    assert drawn.drawn() == drawn


@pytest.mark.parametrize("arrive", range(6))
def test_power_cut_leaves_the_old_table_or_the_new_one(image: int, sector_size: int, arrive: int) -> None:
    old = two_partitions(sector_size)
    gpt_disk.write(image, old)
    new = old.with_entries({1: None, 7: gpt.new_entry(1000, 1999, type_guid=LINUX, unique=guid.random())})
    writes = [write for group in gpt_disk.blocks(new) for write in group]
    assert len(writes) == 5
    for offset, data in writes[:arrive]:
        os.pwrite(image, data, offset)
    # Array and header of the backup, then of the primary: from the third write on the primary is broken or new.
    assert read(image, sector_size).entries == (old.entries if arrive < 3 else new.entries)


def test_power_cut_during_relocation_keeps_the_old_table(image: int, sector_size: int) -> None:
    old = two_partitions(sector_size)
    gpt_disk.write(image, old)
    os.ftruncate(image, 2 * SECTORS * sector_size)
    groups = gpt_disk.blocks(read(image, sector_size, 2 * SECTORS).relocated().with_entries({1: None}))
    assert [len(group) for group in groups] == [2, 3, 1]
    for offset, data in groups[0]:
        os.pwrite(image, data, offset)
    found = read(image, sector_size, 2 * SECTORS)
    assert (found.entries, found.misplaced, found.faults) == (old.entries, True, ())


entries_strategy = st.dictionaries(
    st.integers(1, 128), st.binary(min_size=128, max_size=128).filter(lambda raw: raw[:16] != bytes(16)), max_size=12
)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([128, 256]),
    entries_strategy,
    st.binary(min_size=512, max_size=512),
    st.binary(min_size=420, max_size=420),
    st.integers(1, 128),
)
def test_what_is_not_named_keeps_every_bit(
    entry_size: int, raws: dict[int, bytes], mbr: bytes, reserved: bytes, changed: int
) -> None:
    """Arbitrary entries, attribute bits, entry tails, boot code and reserved header bytes, through a change and a rewrite."""
    table = _arbitrary_table(entry_size, raws, mbr, reserved)
    descriptor = os.memfd_create("disk")
    try:
        os.ftruncate(descriptor, 8192 * 512)
        gpt_disk.write(descriptor, table)
        found = read(descriptor, 512, 8192)
        gpt_disk.write(descriptor, found.with_entries({changed: gpt.new_entry(500, 600, type_guid=LINUX, unique=guid.random())}))
        again = read(descriptor, 512, 8192)
    finally:
        os.close(descriptor)
    slot = slice((changed - 1) * entry_size, changed * entry_size)
    assert again.array[: slot.start] + again.array[slot.stop :] == table.array[: slot.start] + table.array[slot.stop :]
    assert again.boot == table.boot
    assert again.header[92:] == reserved
    assert again.disk_guid == table.disk_guid


def _arbitrary_table(entry_size: int, raws: dict[int, bytes], mbr: bytes, reserved: bytes) -> gpt.Table:
    base = gpt.empty(512, 8192).drawn()
    header = bytearray(base.header[:92] + reserved)
    array_sectors = 128 * entry_size // 512
    header[40:56] = struct.pack("<QQ", 2 + array_sectors, 8192 - 2 - array_sectors)
    header[84:88] = struct.pack("<I", entry_size)
    array = b"".join(
        raws.get(number, bytes(128)).ljust(entry_size, b"\x5a" if number in raws else b"\0") for number in range(1, 129)
    )
    whole_mbr = mbr[:446] + base.boot[446:462] + mbr[462:510] + b"\x55\xaa"
    return gpt.Table(sector_size=512, sectors=8192, boot=whole_mbr, header=bytes(header), array=array)


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=128, max_size=128), st.integers(0, 2**64 - 1))
def test_resized_entry_differs_in_its_end_alone(raw: bytes, last: int) -> None:
    resized = gpt.Entry(raw).resized(last)
    assert resized.last == last
    assert resized.raw[:40] + resized.raw[48:] == raw[:40] + raw[48:]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=4096))
def test_arbitrary_bytes_never_read_as_a_table(content: bytes) -> None:
    descriptor = os.memfd_create("disk")
    try:
        os.write(descriptor, content)
        os.ftruncate(descriptor, 128 * 512)
        assert gpt_disk.read(descriptor, 512, 128) is None
    except Failure as failure:
        assert failure.what == "the partition table is damaged in both copies"
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(("first", "last"), [(SECTORS - 1, SECTORS + 99), (SECTORS - 200, SECTORS - 1)], ids=["first", "last"])
def test_partition_over_the_old_backup_keeps_its_content(first: int, last: int) -> None:
    """Another program enlarged the table, and made a partition there."""
    old = gpt.empty(512, SECTORS).drawn()
    array = old.with_entries({1: gpt.new_entry(first, last, type_guid=LINUX, unique=guid.random())}).array
    table = gpt.Table(sector_size=512, sectors=2 * SECTORS, boot=old.boot, header=old.header, array=array)
    moved = table.relocated()
    assert moved.stale_backup == 0
    assert [len(group) for group in gpt_disk.blocks(moved)] == [2, 3]


@pytest.mark.parametrize("lba", [1, SECTORS - 1], ids=["primary", "backup"])
def test_trace_of_one_damaged_copy_is_no_empty_disk(image: int, sector_size: int, lba: int) -> None:
    gpt_disk.write(image, two_partitions(sector_size))
    os.pwrite(image, bytes(512), 0)
    for header in (1, SECTORS - 1):
        if header == lba:
            damage(image, header * sector_size + 60)
        else:
            os.pwrite(image, bytes(sector_size), header * sector_size)
    with pytest.raises(Failure) as caught:
        gpt_disk.read(image, sector_size, SECTORS)
    assert caught.value.what == "the partition table is damaged in both copies"
