"""Reads a GPT from a raw disk image, bit by bit, without other programs: the judge of partitioning tools.

Source: UEFI specification 2.10, section 5.3. Sectors have 512 bytes unless stated otherwise.
"""

import hashlib
import struct
import uuid
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

from harness.errors import Failed

SECTOR = 512
HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
ENTRY = struct.Struct("<16s16sQQQ72s")
SIGNATURE = b"EFI PART"
CHUNK = 1 << 20


@dataclass(frozen=True)
class Partition:
    """One entry; first and last are sectors, both inclusive; attributes are all 64 bits; raw is every byte of it."""

    number: int
    type_guid: str
    guid: str
    first: int
    last: int
    attributes: int
    label: str
    raw: bytes = b""
    sector: int = SECTOR

    @property
    def offset(self) -> int:
        """Where it starts, in bytes."""
        return self.first * self.sector

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return (self.last - self.first + 1) * self.sector

    def ending_at(self, last: int) -> "Partition":
        """The same entry with another last sector."""
        return replace(self, last=last, raw=self.raw[:40] + struct.pack("<Q", last) + self.raw[48:])


class Header(NamedTuple):
    """The fields of a header, in the order of the disk."""

    signature: bytes
    revision: int
    size: int
    crc: int
    reserved: int
    here: int
    other: int
    first_usable: int
    last_usable: int
    disk_guid: bytes
    entries_at: int
    entry_count: int
    entry_size: int
    entries_crc: int


@dataclass(frozen=True)
class Table:
    """A whole table as described by the primary header; problems lists the faults of both copies."""

    disk_guid: str
    first_usable: int
    last_usable: int
    backup_at: int
    disk_sectors: int
    partitions: dict[int, Partition]
    problems: tuple[str, ...]

    def labelled(self, label: str) -> Partition:
        """The one partition with this label. Raises Failed if it does not exist."""
        for partition in self.partitions.values():
            if partition.label == label:
                return partition
        names = [partition.label for partition in self.partitions.values()]
        raise Failed(f"expected: a partition labelled {label!r}\nseen:     {names}")


def read_table(path: Path, sector: int = SECTOR) -> Table:
    """The table of a raw image. Raises Failed when there is no primary header."""
    with path.open("rb") as file:
        disk = _Disk(file, sector)
        sectors = file.seek(0, 2) // sector
        primary = _header(disk, 1)
        if primary is None:
            raise Failed(f"expected: a GPT in {path}\nseen:     no {SIGNATURE!r} in sector 1")
        raw = _raw_entries(disk, primary)
        problems = _problems(disk, primary, 1) + _backup_problems(disk, primary, sectors)
    return Table(
        disk_guid=str(uuid.UUID(bytes_le=primary.disk_guid)),
        first_usable=primary.first_usable,
        last_usable=primary.last_usable,
        backup_at=primary.other,
        disk_sectors=sectors,
        partitions=_partitions(raw, primary.entry_size, sector),
        problems=tuple(problems),
    )


def digest(path: Path, partition: Partition) -> str:
    """SHA-256 of a partition's content in a raw image."""
    return digest_of(path, partition.offset, partition.size)


def digest_of(path: Path, offset: int = 0, size: int | None = None) -> str:
    """SHA-256 of so many bytes of an image, of all of it by default."""
    total, left = hashlib.sha256(), path.stat().st_size - offset if size is None else size
    with path.open("rb") as disk:
        disk.seek(offset)
        while left:
            data = disk.read(min(CHUNK, left))
            if not data:
                raise Failed(f"expected: all of {path} from {offset}\nseen:     it ends {left} bytes early")
            total.update(data)
            left -= len(data)
    return total.hexdigest()


class _Disk(NamedTuple):
    """An open image and its sector size."""

    file: BinaryIO
    sector: int

    def read(self, sector: int, length: int) -> bytes:
        """Bytes from the start of a sector."""
        self.file.seek(sector * self.sector)
        return self.file.read(length)


def _header(disk: _Disk, sector: int) -> Header | None:
    """The header in a sector, None without one."""
    raw = disk.read(sector, HEADER.size)
    if len(raw) < HEADER.size or not raw.startswith(SIGNATURE):
        return None
    return Header(*HEADER.unpack(raw))


def _raw_entries(disk: _Disk, header: Header) -> bytes:
    """The array of entries that a header points to."""
    return disk.read(header.entries_at, header.entry_count * header.entry_size)


def _partitions(raw: bytes, entry_size: int, sector: int) -> dict[int, Partition]:
    """The used entries by number, which counts from 1."""
    found = {}
    for index in range(len(raw) // entry_size):
        fields = ENTRY.unpack_from(raw, index * entry_size)
        kind, guid, first, last, attributes, name = fields
        if kind != bytes(16):
            label = name.decode("utf-16-le", "replace").split("\0", 1)[0]
            kinds = str(uuid.UUID(bytes_le=kind)), str(uuid.UUID(bytes_le=guid))
            entry = raw[index * entry_size : (index + 1) * entry_size]
            found[index + 1] = Partition(index + 1, *kinds, first, last, attributes, label, entry, sector)
    return found


def _problems(disk: _Disk, header: Header, sector: int) -> list[str]:
    """The faults of the copy of the table whose header is in a sector."""
    raw = bytearray(disk.read(sector, header.size))
    raw[16:20] = bytes(4)
    name = "primary" if sector == 1 else "backup"
    problems = []
    if zlib.crc32(bytes(raw)) != header.crc:
        problems.append(f"{name} header: wrong checksum")
    if header.here != sector:
        problems.append(f"{name} header: says it is in sector {header.here}, is in {sector}")
    if zlib.crc32(_raw_entries(disk, header)) != header.entries_crc:
        problems.append(f"{name} entries: wrong checksum")
    return problems


def _backup_problems(disk: _Disk, primary: Header, sectors: int) -> list[str]:
    """The faults of the backup: its location, its checksums, its agreement with the primary."""
    if primary.other != sectors - 1:
        return [f"backup header: expected in the last sector {sectors - 1}, primary says {primary.other}"]
    backup = _header(disk, primary.other)
    if backup is None:
        return [f"backup header: none in sector {primary.other}"]
    problems = _problems(disk, backup, primary.other)
    if _raw_entries(disk, backup) != _raw_entries(disk, primary):
        problems.append("backup entries: other than the primary ones")
    if backup.disk_guid != primary.disk_guid:
        problems.append("backup header: another disk GUID than the primary one")
    return problems
