"""The master boot record before a GPT: protective or hybrid. Source: UEFI 2.10, 5.2.3. Boot code is never touched."""

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE, ENTRY, SIGNATURE = 446, 16, b"\x55\xaa"
PROTECTIVE = 0xEE


def protective(mbr: bytes, sectors: int) -> bytes:
    """`mbr` with a protective entry alone; boot code and disk signature stay."""
    size = min(sectors - 1, 0xFFFFFFFF)
    entry = b"\x00\x00\x02\x00" + bytes([PROTECTIVE]) + b"\xff\xff\xff" + struct.pack("<II", 1, size)
    return mbr[:TABLE] + entry.ljust(4 * ENTRY, b"\0") + SIGNATURE + mbr[512:]


def _entries(mbr: bytes) -> "Iterator[tuple[int, int, int, int]]":
    """(offset, type, start, sectors) of each used MBR entry."""
    for offset in range(TABLE, TABLE + 4 * ENTRY, ENTRY):
        start, size = struct.unpack_from("<II", mbr, offset + 8)
        if mbr[offset + 4]:
            yield offset, mbr[offset + 4], start, size


def is_protective(mbr: bytes) -> bool:
    """Whether an MBR says that the disk has a GPT, be it a hybrid one."""
    return mbr[510:512] == SIGNATURE and any(kind == PROTECTIVE for _, kind, _, _ in _entries(mbr))


def stretched(mbr: bytes, old_last: int, sectors: int) -> bytes:
    """The protective entry that ended with the old disk ends with the new one; a hybrid MBR's other entries stay."""
    for offset, kind, start, size in _entries(mbr):
        if kind == PROTECTIVE and start + size - 1 == old_last and start < sectors:
            needed = min(sectors - start, 0xFFFFFFFF)
            return mbr[: offset + 12] + struct.pack("<I", needed) + mbr[offset + 16 :]
    return mbr
