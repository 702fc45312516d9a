"""Packed bytes → the bytes themselves: gzip as a stream for resources, and whole configs that came packed with gzip or zstd.

A resource says its `compression`, which knows gzip only; user data says nothing, so there the first bytes decide. Sources:
RFC 1952 (members in a row are one content), RFC 8878. Pieces are small on the way in: a few bytes may unfold to megabytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ignition.errors import Failure
from ignition.host import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    import zlib

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_GZIP_WINDOW = 16 + 15  # zlib: gzip header and trailer, largest window
_PIECE = 256 * 1024  # unfolded bytes per step of gzip
_SLICE = 16 * 1024  # packed bytes per step of gzip, so that many small members cost no copies of the whole
_ZSTD_SLICE = 512  # a block of 4 bytes may unfold to 128 KiB (RFC 8878 3.1.1.2), so one step to 16 MiB
_FIX = "pack the config again, and copy it whole"


def packing(content: bytes) -> str:
    """`gzip`, `zstd`, or "" for bytes that are not packed."""
    if content.startswith(GZIP):
        return "gzip"
    return "zstd" if content.startswith(ZSTD) else ""


def unpack(content: bytes) -> bytes:
    """The text itself. Raises Failure for what is damaged, cut off, followed by other data, or too large once unpacked."""
    for _ in range(limits.PACKED_LAYERS):
        name = packing(content)
        if not name:
            return content
        content = _joined(gunzip([content], fix=_FIX) if name == "gzip" else unzstd(content, fix=_FIX), name)
    if packing(content):
        raise Failure(f"the config is packed more than {limits.PACKED_LAYERS} times", fix="pack it once")
    return content


def gunzip(chunks: Iterable[bytes], *, fix: str = "") -> Iterator[bytes]:
    """Unpack a stream with bounded memory. Raises Failure, with this remedy, when it is no gzip, is damaged or ends early."""
    import zlib

    decoder: zlib._Decompress | None = zlib.decompressobj(_GZIP_WINDOW)  # None between two members
    try:
        for chunk in (part for whole in chunks for part in _slices(whole)):
            while chunk:
                if decoder is None:
                    _expect(chunk, GZIP, "gzip", fix)
                    decoder = zlib.decompressobj(_GZIP_WINDOW)
                yield decoder.decompress(chunk, _PIECE)
                chunk = decoder.unconsumed_tail
                if decoder.eof:
                    chunk, decoder = decoder.unused_data, None
        if decoder is not None:
            yield from _rest(decoder, fix)
    except zlib.error as error:
        raise Failure(f"the gzip data is damaged: {error}", fix=fix) from error


def unzstd(content: bytes, *, fix: str = "") -> Iterator[bytes]:
    """Unpack frames in a row. Raises Failure, with this remedy, as gunzip does."""
    import zstandard  # 15 ms, and few configs come so

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
    """A chunk may hold only the first bytes of the magic."""
    if not chunk.startswith(magic[: len(chunk)]):
        raise Failure(f"other data follows the {name} data", fix=fix)


def _rest(decoder: zlib._Decompress, fix: str) -> Iterator[bytes]:
    yield decoder.flush()
    if not decoder.eof:
        raise Failure("the gzip data ends early", fix=fix)


def _slices(content: bytes) -> Iterator[bytes]:
    return (content[start : start + _SLICE] for start in range(0, len(content), _SLICE))


def _joined(pieces: Iterable[bytes], name: str) -> bytes:
    kept, size = [], 0
    for piece in pieces:
        size += len(piece)
        if size > limits.IN_MEMORY:
            raise Failure(
                f"the {name} data unfolds to more than {limits.IN_MEMORY >> 20} MiB",
                fix="keep the config small: let it fetch large contents from a URL",
            )
        kept.append(piece)
    return b"".join(kept)
