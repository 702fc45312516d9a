"""GPT on a disk: reading with repair from the backup, writing in an order that survives power cuts, wiping.

Source: UEFI 2.10, 5.3. The kernel is informed elsewhere (ignition/host/blkpg.py).
"""

from __future__ import annotations

import binascii
import os
import struct

from ignition.errors import Failure
from ignition.host.limits import MIB
from ignition.storage import gpt

MAX_ENTRIES_BYTES = MIB  # 64 times the usual size; a larger array is damaged


def read(descriptor: int, sector_size: int, sectors: int) -> gpt.Table | None:
    """The table of an open disk, from its backup if the primary is damaged; None without any trace of a GPT.

    Raises Failure if there was a GPT but neither copy is intact.
    """
    boot = os.pread(descriptor, sector_size, 0).ljust(sector_size, b"\0")
    primary = _read_copy(descriptor, sector_size, sectors, 1)
    alternate = int.from_bytes(primary[0][32:40], "little") if primary else sectors - 1
    backup = _read_copy(descriptor, sector_size, sectors, alternate)
    chosen = primary or backup
    if chosen is None:
        if gpt.is_protective_mbr(boot) or gpt.SIGNATURE in (
            os.pread(descriptor, 8, sector_size),
            os.pread(descriptor, 8, (sectors - 1) * sector_size),
        ):
            raise Failure(
                "the partition table is damaged in both copies",
                fix=gpt.DAMAGED_FIX,
            )
        return None
    header, array = chosen
    faults = [] if primary else ["the primary table is damaged"]
    if primary and backup is None:
        faults.append("the backup table is damaged")
    elif primary and backup and backup[1] != array:
        faults.append("the backup table differs from the primary")
    if not primary:
        header = _as_primary(header, sector_size)
    if not gpt.is_protective_mbr(boot):
        boot, faults = gpt.protective_mbr(boot, sectors), [*faults, "the protective MBR is missing"]
    table = gpt.Table(sector_size=sector_size, sectors=sectors, boot=boot, header=header, array=array)
    table.faults = tuple(faults)
    return table


def _as_primary(backup: bytes, sector_size: int) -> bytes:
    """The primary header that belongs to a backup header. The primary array begins where gdisk and the kernel expect it."""
    header = bytearray(backup)
    header[24:40] = struct.pack("<Q", 1) + backup[24:32]  # whatever the backup says: the primary header is at LBA 1
    header[72:80] = struct.pack("<Q", 2)
    return bytes(header)


def _read_copy(descriptor: int, sector_size: int, sectors: int, lba: int) -> tuple[bytes, bytes] | None:
    """(header sector, array) at `lba` if both checksums are right and its numbers are plausible, else None.

    Checksums do not protect against malice: each number is checked against the disk before it is used.
    """
    if not 0 < lba < sectors:
        return None
    header = os.pread(descriptor, sector_size, lba * sector_size)
    if len(header) < sector_size:
        return None
    numbers = gpt.HEADER.unpack_from(header)
    signature, _, size, crc, _, own, alternate, first, last, _, array_lba, count, entry_size, array_crc = numbers
    if signature != gpt.SIGNATURE or not gpt.HEADER.size <= size <= sector_size or own != lba:
        return None
    if crc != _crc(header[:16] + bytes(4) + header[20:size]):
        return None
    if entry_size < gpt.ENTRY_SIZE or entry_size % gpt.ENTRY_SIZE or not 0 < count * entry_size <= MAX_ENTRIES_BYTES:
        return None
    array_sectors = -(-count * entry_size // sector_size)
    # Each array lies on its side of the partitions. A primary restored from the backup may have to go to sector 2.
    begin, end = (2, min(first, sectors)) if lba == 1 else (last + 1, lba)
    if not 2 + array_sectors <= first <= last or not begin <= array_lba <= end - array_sectors:
        return None
    if lba == 1 and last >= alternate:
        return None
    array = os.pread(descriptor, count * entry_size, array_lba * sector_size)
    return (header, array) if _crc(array) == array_crc else None


def _crc(data: bytes) -> int:
    return binascii.crc32(data)


def _sealed(header: bytes, array: bytes) -> bytes:
    """A header sector with both checksums computed."""
    size = int.from_bytes(header[12:16], "little")
    summed = header[:16] + bytes(4) + header[20:88] + struct.pack("<I", _crc(array)) + header[92:]
    return summed[:16] + struct.pack("<I", _crc(summed[:size])) + summed[20:]


def _backup_header(table: gpt.Table) -> bytes:
    header = bytearray(table.header)
    header[24:40] = struct.pack("<QQ", table.alternate, 1)
    header[72:80] = struct.pack("<Q", table.alternate - table.array_sectors)
    return bytes(header)


def blocks(table: gpt.Table) -> list[list[tuple[int, bytes]]]:
    """The writes, as (offset in bytes, data), in groups: each must be on disk before the next begins.

    The backup is on disk before the primary is written; a half-written primary fails its checksum, and readers use the backup. So
    a power cut at any moment leaves the old table or the new one.
    """
    size = table.sector_size
    backup = [
        ((table.alternate - table.array_sectors) * size, table.array),
        (table.alternate * size, _sealed(_backup_header(table), table.array)),
    ]
    primary = [(table.entries_lba * size, table.array), (size, _sealed(table.header, table.array)), (0, table.boot)]
    # A stale "EFI PART" in the middle of the disk would mislead tools that search for a lost table.
    stale = [(table.stale_backup * size, bytes(size))] if table.stale_backup else []
    return [group for group in (backup, primary, stale) if group]


def write(descriptor: int, table: gpt.Table) -> None:
    """Write a table to an open disk, in the order that survives a power cut."""
    for group in blocks(table):
        for offset, data in group:
            _write_at(descriptor, data, offset)
        os.fsync(descriptor)


def wipe(descriptor: int, sector_size: int, sectors: int) -> None:
    """Erase MBR, primary and backup tables: the first and the last sectors of the disk, and a backup that is elsewhere."""
    header = os.pread(descriptor, sector_size, sector_size)
    length = sector_size * 2 + gpt.ENTRY_COUNT * gpt.ENTRY_SIZE
    alternate = int.from_bytes(header[32:40], "little") if header[:8] == gpt.SIGNATURE else 0
    if 1 < alternate < sectors and os.pread(descriptor, 8, alternate * sector_size) == gpt.SIGNATURE:
        _write_at(descriptor, bytes(sector_size), alternate * sector_size)
    _write_at(descriptor, bytes(length), 0)
    end = sectors * sector_size
    _write_at(descriptor, bytes(length), max(0, end - length))
    os.fsync(descriptor)


def _write_at(descriptor: int, data: bytes, offset: int) -> None:
    while data:
        written = os.pwrite(descriptor, data, offset)
        data, offset = data[written:], offset + written
