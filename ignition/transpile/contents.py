"""Contents of files as `data:` URLs, as `ct` and Butane write them. Source: docs/reference/config-transpiler.md §A5 and §B5.

The compressed form differs from the originals', whose deflate is Go's; header and contents are the same.
"""

from __future__ import annotations

import binascii
import zlib

from ignition.config import dataurl

GZIP = "gzip"
_PLAIN = "data:,"
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()")
_ESCAPES = {byte: chr(byte) if byte in _SAFE else f"%{byte:02X}" for byte in range(256)}
# RFC 1952: deflate, no flags, no time, "slowest", unknown system.
_GZIP_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\x02\xff"


def content_of(text: str) -> bytes:
    """The bytes of a text of the YAML reader. What was `!!binary` there may be no UTF-8 and comes back as it was."""
    return text.encode("utf-8", "surrogateescape")


def percent_encoded(content: bytes) -> str:
    """`data:,…`"""
    return _PLAIN + content.decode("latin-1").translate(_ESCAPES)


def shortest(content: bytes, *, compression: str | None = None) -> tuple[str, str | None]:
    """Butane's choice: the URL, and the value for `compression`.

    `compression`: what the user gave; if that is not empty, the content counts as compressed already. None in the answer: the
    member is left as the user gave it. "" is written so that nothing is inherited from a parent config.
    """
    url = percent_encoded(content)
    encoded = dataurl.encode(content)
    if len(encoded) < len(url):
        url = encoded
    if compression:
        return url, compression
    packed = dataurl.encode(gzipped(content))
    # The 4: what `gzip` adds to the JSON text beyond the empty string, as the original counts it.
    if len(packed) + len(GZIP) < len(url):
        return packed, GZIP
    return url, "" if compression is None else compression


def gzipped(content: bytes) -> bytes:
    """Best compression, the same bytes each time."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    trailer = binascii.crc32(content).to_bytes(4, "little") + (len(content) & 0xFFFFFFFF).to_bytes(4, "little")
    return _GZIP_HEADER + packer.compress(content) + packer.flush() + trailer
