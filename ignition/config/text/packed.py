"""Decompression: gzip as a stream for resources, and whole configs that are compressed with gzip or zstd.

A resource declares its `compression`, which is gzip only; user data does not, so its first bytes decide. Sources: RFC 1952
(members in a row are one content), RFC 8878. Input is read in small pieces: a few bytes may expand to megabytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ignition.errors import Failure
from ignition.host import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    import zlib

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
GZIP_WINDOW = 16 + 15  # zlib: gzip header and trailer, largest window
_PIECE = 256 * 1024  # decompressed bytes per step of gzip
_SLICE = 16 * 1024  # compressed bytes per step of gzip: with many small members, larger ones would be copied often
_ZSTD_SLICE = 512  # a block of 4 bytes may expand to 128 KiB (RFC 8878 3.1.1.2), so a step to 16 MiB
_FIX = "compress the config again, and copy it completely"


def packing(content: bytes) -> str:
    """`gzip`, `zstd`, or "" for uncompressed bytes."""
    if content.startswith(GZIP):
        return "gzip"
    return "zstd" if content.startswith(ZSTD) else ""


def unpack(content: bytes) -> bytes:
    """The decompressed text. Raises Failure if it is damaged, truncated, followed by other data, or too large."""
    for _ in range(limits.PACKED_LAYERS):
        name = packing(content)
        if not name:
            return content
        content = _joined(gunzip([content], fix=_FIX) if name == "gzip" else unzstd(content, fix=_FIX), name)
    if packing(content):
        raise Failure(f"the config is packed more than {limits.PACKED_LAYERS} times", fix="pack it once")
    return content


def gunzip(chunks: Iterable[bytes], *, fix: str = "") -> Iterator[bytes]:
    """Decompress a stream with bounded memory. Raises Failure, with this fix, if it is not gzip, damaged or truncated."""
    import zlib

    decoder: zlib._Decompress | None = zlib.decompressobj(GZIP_WINDOW)  # None between two members
    try:
        for chunk in (whole[start : start + _SLICE] for whole in chunks for start in range(0, len(whole), _SLICE)):
            while chunk:
                if decoder is None:
                    _expect(chunk, GZIP, "gzip", fix)
                    decoder = zlib.decompressobj(GZIP_WINDOW)
                yield decoder.decompress(chunk, _PIECE)
                chunk = decoder.unconsumed_tail
                if decoder.eof:
                    # The next member, if there is one, gets a decoder of its own.
                    chunk, decoder = decoder.unused_data, None
        if decoder is not None:
            yield decoder.flush()
            if not decoder.eof:
                raise Failure("the gzip data ends early", fix=fix)
    except zlib.error as error:
        raise Failure(f"the gzip data is damaged: {error}", fix=fix) from error


def gunzip_start(content: bytes, most: int) -> bytes | None:
    """The first bytes of the content of gzip data, at most that many; None if it is malformed."""
    import zlib

    try:
        return zlib.decompressobj(GZIP_WINDOW).decompress(content, most)
    except zlib.error:
        return None


def unzstd(content: bytes, *, fix: str = "") -> Iterator[bytes]:
    """Decompress frames in a row. Raises Failure, with this fix, as gunzip does."""
    import zstandard  # 15 ms, for few configs

    decompressor = zstandard.ZstdDecompressor()
    start = 0
    try:
        while start < len(content):
            _expect(content[start : start + len(ZSTD)], ZSTD, "zstd", fix)
            frame = decompressor.decompressobj()
            while not frame.eof:
                if start >= len(content):
                    raise Failure("the zstd data ends early", fix=fix)
                yield frame.decompress(content[start : start + _ZSTD_SLICE])
                start += _ZSTD_SLICE
            start = min(start, len(content)) - len(frame.unused_data)
    except zstandard.ZstdError as error:
        raise Failure(f"the zstd data is damaged: {error}", fix=fix) from error


def _expect(chunk: bytes, magic: bytes, name: str, fix: str) -> None:
    """The chunk may be shorter than the magic."""
    if not chunk.startswith(magic[: len(chunk)]):
        raise Failure(f"other data follows the {name} data", fix=fix)


def _joined(pieces: Iterable[bytes], name: str) -> bytes:
    kept, size = [], 0
    for piece in pieces:
        size += len(piece)
        if size > limits.IN_MEMORY:
            raise Failure(
                f"the {name} data expands to more than {limits.IN_MEMORY >> 20} MiB",
                fix="keep the config small: let it fetch large contents from a URL",
            )
        kept.append(piece)
    return b"".join(kept)
