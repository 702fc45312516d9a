"""GUIDs as GPT stores them: the first three groups little-endian (UEFI 2.10, appendix A)."""

from __future__ import annotations

import os
import struct

ZERO = bytes(16)


def to_text(raw: bytes) -> str:
    """16 bytes of a disk as lower-case 8-4-4-4-12."""
    low, middle, high, rest = struct.unpack("<IHH8s", raw)
    return f"{low:08x}-{middle:04x}-{high:04x}-{rest[:2].hex()}-{rest[2:].hex()}"


def to_bytes(text: str) -> bytes:
    """8-4-4-4-12, any case, as a disk stores it. Raises ValueError for another shape."""
    low, middle, high, clock, node = text.split("-")
    return struct.pack("<IHH8s", int(low, 16), int(middle, 16), int(high, 16), bytes.fromhex(clock + node))


def _marked(raw: bytes, version: int) -> bytes:
    # Version and variant (RFC 9562, 4.1 and 4.2), in GPT's byte order: the version is in byte 7, the variant in byte 8.
    marked = bytearray(raw)
    marked[7] = marked[7] & 0x0F | version << 4
    marked[8] = marked[8] & 0x3F | 0x80
    return bytes(marked)


def random() -> bytes:
    """A new version 4 GUID, as stored on disk."""
    return _marked(os.urandom(16), 4)


def derived(seed: bytes, name: str) -> bytes:
    """The same GUID for the same seed and name (version 8), so that a run recognises partitions of an interrupted one."""
    from hashlib import sha256

    return _marked(sha256(seed + name.encode()).digest()[:16], 8)
