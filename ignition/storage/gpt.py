"""GUID partition tables as bytes. Source: UEFI 2.10, chapter 5.3.

Not libparted: 3.5 lacks calls for type and unique GUIDs and does not keep every attribute bit. Here every bit that was not
changed on purpose is kept: names, attributes, GUIDs, the reserved ends of header and entries, boot code, hybrid MBR. This module
does not choose the place of a partition, access a disk (gpt_disk.py), or talk to the kernel.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

from ignition.errors import Failure
from ignition.storage import guid

SIGNATURE = b"EFI PART"
REVISION = 0x00010000
HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
ENTRY = struct.Struct("<16s16sQQQ72s")
ENTRY_SIZE = ENTRY.size
ENTRY_COUNT = 128
NAME_UNITS = 36  # UTF-16 code units in a name
DAMAGED_FIX = "repair it by hand (gdisk), or set wipeTable to lose everything on the disk"


class Entry:
    """One used partition entry; `raw` is all of its bytes. LBAs are in logical sectors of the disk, `last` is inclusive."""

    __slots__ = ("attributes", "first", "last", "raw", "type_raw", "unique_raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.type_raw, self.unique_raw, self.first, self.last, self.attributes, _ = ENTRY.unpack_from(raw)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entry) and other.raw == self.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    def __repr__(self) -> str:
        return f"Entry({self.first}..{self.last} {self.name!r} {self.type_guid})"

    @property
    def type_guid(self) -> str:
        """Lower case."""
        return guid.to_text(self.type_raw)

    @property
    def unique_guid(self) -> str:
        """Lower case."""
        return guid.to_text(self.unique_raw)

    @property
    def name(self) -> str:
        """The partition's label."""
        text = self.raw[56:ENTRY_SIZE].decode("utf-16-le", "replace")
        return text.split("\0", 1)[0]

    @property
    def sectors(self) -> int:
        """Length in logical sectors."""
        return int(self.last - self.first + 1)

    def resized(self, last: int) -> Entry:
        """The same entry with another end; every other bit is kept."""
        return Entry(self.raw[:40] + struct.pack("<Q", last) + self.raw[48:])

    def with_attributes(self, attributes: int) -> Entry:
        """The same entry with other attribute bits."""
        return Entry(self.raw[:48] + struct.pack("<Q", attributes) + self.raw[56:])

    def with_unique_guid(self, raw: bytes) -> Entry:
        """The same entry with another unique GUID."""
        return Entry(self.raw[:16] + raw + self.raw[32:])


def new_entry(first: int, last: int, *, type_guid: str, unique: bytes = guid.ZERO, name: str = "") -> Entry:
    """An entry without attributes. A zero unique GUID is drawn when the table is written."""
    units = name.encode("utf-16-le")[: NAME_UNITS * 2]
    return Entry(ENTRY.pack(guid.to_bytes(type_guid), unique, first, last, 0, units))


class Table:
    """A whole table of one disk: `sectors` logical sectors of `sector_size` bytes. Immutable: changes return a new Table."""

    __slots__ = ("array", "boot", "entries", "faults", "header", "sector_size", "sectors", "stale_backup")

    def __init__(self, *, sector_size: int, sectors: int, boot: bytes, header: bytes, array: bytes) -> None:
        self.sector_size, self.sectors = sector_size, sectors
        self.boot, self.header, self.array = boot, header, array
        self.entries: Mapping[int, Entry] = dict(self._used())
        self.faults: tuple[str, ...] = ()  # repaired by the next write
        self.stale_backup = 0  # LBA of a backup header that a relocation left behind

    def _used(self) -> Iterator[tuple[int, Entry]]:
        size = self.entry_size
        for number in range(1, self.entry_count + 1):
            raw = self.array[(number - 1) * size : number * size]
            if raw[:16] != guid.ZERO:
                yield number, Entry(raw)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Table) and (self.boot, self.header, self.array) == (other.boot, other.header, other.array)

    def __hash__(self) -> int:
        return hash((self.boot, self.header, self.array))

    def _integer(self, offset: int, size: int) -> int:
        return int.from_bytes(self.header[offset : offset + size], "little")

    @property
    def alternate(self) -> int:
        """LBA of the backup header."""
        return self._integer(32, 8)

    @property
    def first_usable(self) -> int:
        """Lowest LBA a partition may have."""
        return self._integer(40, 8)

    @property
    def last_usable(self) -> int:
        """Highest LBA a partition may have."""
        return self._integer(48, 8)

    @property
    def disk_guid(self) -> bytes:
        """As stored; all zero = drawn when the table is written."""
        return self.header[56:72]

    @property
    def entries_lba(self) -> int:
        """LBA of the primary array of entries."""
        return self._integer(72, 8)

    @property
    def entry_count(self) -> int:
        """Places for entries: the highest partition number."""
        return self._integer(80, 4)

    @property
    def entry_size(self) -> int:
        """Bytes per entry, 128 or a multiple."""
        return self._integer(84, 4)

    @property
    def array_sectors(self) -> int:
        """Logical sectors that one array of entries takes."""
        return -(-self.entry_count * self.entry_size // self.sector_size)

    @property
    def misplaced(self) -> bool:
        """Whether the backup is not at the end of the disk, because the disk was enlarged after the table was written."""
        return self.alternate != self.sectors - 1

    def _copy(self, *, boot: bytes | None = None, header: bytes | None = None, array: bytes | None = None) -> Table:
        copy = Table(
            sector_size=self.sector_size,
            sectors=self.sectors,
            boot=self.boot if boot is None else boot,
            header=self.header if header is None else header,
            array=self.array if array is None else array,
        )
        copy.faults, copy.stale_backup = self.faults, self.stale_backup
        return copy

    def with_entries(self, changes: Mapping[int, Entry | None]) -> Table:
        """The table with the entries in `changes`, by number; None removes one."""
        array, size = bytearray(self.array), self.entry_size
        for number, entry in changes.items():
            raw = b"" if entry is None else entry.raw
            array[(number - 1) * size : number * size] = raw.ljust(size, b"\0")
        return self._copy(array=bytes(array))

    def _with_header(self, patches: Mapping[int, bytes]) -> Table:
        header = bytearray(self.header)
        for offset, value in patches.items():
            header[offset : offset + len(value)] = value
        return self._copy(header=bytes(header))

    def laid_out(self, *, disk_guid: bytes, first_usable: int, last_usable: int, alternate: int, entry_count: int) -> Table:
        """An empty table with these numbers in its header."""
        patches = {32: struct.pack("<Q", alternate), 40: struct.pack("<QQ", first_usable, last_usable), 56: disk_guid}
        return self._with_header(patches | {80: struct.pack("<I", entry_count)})._copy(array=bytes(entry_count * self.entry_size))

    def relocated(self) -> Table:
        """The table with its backup at the end of the disk and all space before it usable: the start of every change.

        Raises Failure if a partition ends behind it, or if the disk has no space for partitions.
        """
        last_usable = self.sectors - 2 - self.array_sectors
        self._refuse_impossible_entries(last_usable)
        if not self.misplaced and self.last_usable <= last_usable:
            return self
        if last_usable < self.first_usable:
            raise Failure(
                f"a disk of {self.sectors} sectors has no room for partitions, which begin at sector {self.first_usable}",
                fix="the disk is smaller than its partition table says: restore its former size",
            )
        for number, entry in self.entries.items():
            if entry.last > last_usable:
                raise Failure(
                    f"partition {number} ends at sector {entry.last}, behind the last usable sector {last_usable} of the disk",
                    fix="the disk is smaller than its partition table says: restore its former size",
                )
        moved = self._with_header({32: struct.pack("<Q", self.sectors - 1), 48: struct.pack("<Q", last_usable)})
        moved = moved._copy(boot=stretched_mbr(self.boot, self.alternate, self.sectors))
        held = any(entry.first <= self.alternate <= entry.last for entry in self.entries.values())
        # Nor may one overlap a copy of the new table, which is possible if the disk grew by a few sectors.
        if self.first_usable <= self.alternate <= last_usable and not held:
            moved.stale_backup = self.alternate
        return moved

    def _refuse_impossible_entries(self, last_usable: int) -> None:
        """Raises Failure for a partition that ends before it starts or overlaps the table: arithmetic would be wrong.

        One that only ends behind the disk means that the disk was larger, which `relocated` reports.
        """
        begin = self.entries_lba + self.array_sectors
        for number, entry in self.entries.items():
            if not begin <= entry.first <= entry.last or (entry.last > last_usable and not self.misplaced):
                raise Failure(
                    f"the partition table is damaged: partition {number} would lie from sector {entry.first} to {entry.last} "
                    f"of a disk of {self.sectors}",
                    fix=DAMAGED_FIX,
                )

    def drawn(self) -> Table:
        """The table with random GUIDs instead of zero ones."""
        table = self._with_header({56: guid.random()}) if self.disk_guid == guid.ZERO else self
        blank = {number: entry for number, entry in table.entries.items() if entry.unique_raw == guid.ZERO}
        return table.with_entries({number: entry.with_unique_guid(guid.random()) for number, entry in blank.items()})


def empty(sector_size: int, sectors: int) -> Table:
    """A table without partitions, laid out as gdisk lays it out. Raises Failure if the disk is too small."""
    array_sectors = ENTRY_COUNT * ENTRY_SIZE // sector_size
    if sectors < 2 * (array_sectors + 1) + 2:
        raise Failure(f"a disk of {sectors} sectors is too small for a partition table", fix="use a larger disk")
    header = HEADER.pack(
        SIGNATURE,
        REVISION,
        HEADER.size,
        0,
        0,
        1,
        sectors - 1,
        2 + array_sectors,
        sectors - 2 - array_sectors,
        guid.ZERO,
        2,
        ENTRY_COUNT,
        ENTRY_SIZE,
        0,
    )
    return Table(
        sector_size=sector_size,
        sectors=sectors,
        boot=protective_mbr(bytes(sector_size), sectors),
        header=header.ljust(sector_size, b"\0"),
        array=bytes(ENTRY_COUNT * ENTRY_SIZE),
    )


# The master boot record before a GPT: protective or hybrid. Source: UEFI 2.10, 5.2.3. Boot code is never touched.

MBR_TABLE, MBR_ENTRY, MBR_SIGNATURE = 446, 16, b"\x55\xaa"
PROTECTIVE = 0xEE


def protective_mbr(mbr: bytes, sectors: int) -> bytes:
    """`mbr` with a protective entry alone; boot code and disk signature stay."""
    size = min(sectors - 1, 0xFFFFFFFF)
    entry = b"\x00\x00\x02\x00" + bytes([PROTECTIVE]) + b"\xff\xff\xff" + struct.pack("<II", 1, size)
    return mbr[:MBR_TABLE] + entry.ljust(4 * MBR_ENTRY, b"\0") + MBR_SIGNATURE + mbr[512:]


def _entries(mbr: bytes) -> Iterator[tuple[int, int, int, int]]:
    """(offset, type, start, sectors) of each used MBR entry."""
    for offset in range(MBR_TABLE, MBR_TABLE + 4 * MBR_ENTRY, MBR_ENTRY):
        start, size = struct.unpack_from("<II", mbr, offset + 8)
        if mbr[offset + 4]:
            yield offset, mbr[offset + 4], start, size


def is_protective_mbr(mbr: bytes) -> bool:
    """Whether an MBR says that the disk has a GPT, including a hybrid MBR."""
    return mbr[510:512] == MBR_SIGNATURE and any(kind == PROTECTIVE for _, kind, _, _ in _entries(mbr))


def stretched_mbr(mbr: bytes, old_last: int, sectors: int) -> bytes:
    """The MBR with its protective entry extended to the end of the disk; other entries of a hybrid MBR are kept."""
    for offset, kind, start, size in _entries(mbr):
        if kind == PROTECTIVE and start + size - 1 == old_last and start < sectors:
            needed = min(sectors - start, 0xFFFFFFFF)
            return mbr[: offset + 12] + struct.pack("<I", needed) + mbr[offset + 16 :]
    return mbr
