"""Contents of files as `data:` URLs in the forms of `ct` and Butane. Source: docs/reference/config-transpiler.md §A5 and §B5.

The compressed form differs from the originals', which use Go's deflate; header and contents are the same.
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
    """The bytes of a text from the YAML reader, which has bytes of `!!binary` that are not UTF-8 as surrogates."""
    return text.encode("utf-8", "surrogateescape")


def percent_encoded(content: bytes) -> str:
    """`data:,…`"""
    return _PLAIN + content.decode("latin-1").translate(_ESCAPES)


def shortest(content: bytes, *, compression: str | None = None) -> tuple[str, str | None]:
    """Butane's choice of form: the URL, and the value for `compression`.

    `compression`: the user's value; unless empty, the content is already compressed. In the result None means that the member is
    unchanged; "" is written explicitly, so that a value of a parent config is not inherited.
    """
    url = percent_encoded(content)
    encoded = dataurl.encode(content)
    if len(encoded) < len(url):
        url = encoded
    if compression:
        return url, compression
    packed = dataurl.encode(gzipped(content))
    # As in the original, the word `gzip` in the JSON counts, too.
    if len(packed) + len(GZIP) < len(url):
        return packed, GZIP
    return url, "" if compression is None else compression


def gzipped(content: bytes) -> bytes:
    """Best compression; the result is deterministic."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    trailer = binascii.crc32(content).to_bytes(4, "little") + (len(content) & 0xFFFFFFFF).to_bytes(4, "little")
    return _GZIP_HEADER + packer.compress(content) + packer.flush() + trailer
