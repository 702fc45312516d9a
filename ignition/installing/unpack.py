"""Images unpacked on the way, with bounded memory. The format is detected by its first bytes: names of URLs often have no suffix.

Sources: RFC 1952 (gzip), RFC 8878 (zstd), the .xz file format 1.1.0, bzip2's manual. A file may have several members or streams.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from ignition.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Unpacker(Protocol):
        """As bz2.BZ2Decompressor and lzma.LZMADecompressor."""

        @property
        def eof(self) -> bool: ...

        @property
        def needs_input(self) -> bool: ...

        @property
        def unused_data(self) -> bytes: ...

        def decompress(self, data: bytes, max_length: int = -1) -> bytes:
            """At most so many bytes more."""


RAW = "raw"
MAGIC = {"bz2": b"BZh", "xz": b"\xfd7zXZ\0", "gz": b"\x1f\x8b\x08", "zst": b"\x28\xb5\x2f\xfd"}
_FIX = "check the image on the server"
_MOST = 1 << 20  # bytes of one piece
# zstd returns all that it has: 4 bytes of a run stand for 128 KiB (RFC 8878, §3.1.1.2), so this much for 128 MiB at most.
_FED_TO_ZSTD = 4096


def format_of(beginning: bytes) -> str:
    """`raw`, or the suffix of a compression, by the first six bytes."""
    return next((name for name, magic in MAGIC.items() if beginning.startswith(magic)), RAW)


def unpacked(pieces: Iterable[bytes], where: str) -> Iterator[bytes]:
    """The image of these pieces. `where` names it in messages. Raises Failure for a damaged or truncated one."""
    iterator = iter(pieces)
    beginning = b""
    for piece in iterator:
        beginning += piece
        if len(beginning) >= max(map(len, MAGIC.values())):
            break
    format = format_of(beginning)
    if format == RAW:
        yield beginning
        yield from iterator
        return
    members = _Members(format, where)
    for piece in chain([beginning], iterator):
        yield from members.feed(piece)
    members.end()


class _Members:
    """The members of a packed file, one after the other; zeros between them are padding, of xz and of tapes."""

    def __init__(self, format: str, where: str) -> None:
        self._format, self._where = format, where
        self._make, self._errors = _maker(format)
        self._unpacker = self._make()
        self._is_between = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Everything that can be unpacked with these bytes. Raises Failure."""
        while True:
            if self._is_between:
                data = data.lstrip(b"\0")
                if not data:
                    return
                self._unpacker, self._is_between = self._make(), False
            try:
                piece = self._unpacker.decompress(data, _MOST)
            except self._errors as error:
                what = f"the {self._format} data is damaged ({type(error).__name__})"
                raise Failure(what, where=self._where, fix=_FIX) from error
            data = b""
            if piece:
                yield piece
            if self._unpacker.eof:
                data, self._is_between = self._unpacker.unused_data, True
            elif self._unpacker.needs_input:
                return

    def end(self) -> None:
        """Raises Failure in the middle of a member."""
        if not self._is_between:
            raise Failure(f"the {self._format} data is truncated", where=self._where, fix=_FIX)


def _maker(format: str) -> tuple[Callable[[], Unpacker], tuple[type[Exception], ...]]:
    """(what makes an unpacker, the errors for damaged data)."""
    if format == "bz2":
        import bz2

        return bz2.BZ2Decompressor, (OSError, ValueError)
    if format == "xz":
        import lzma

        return lzma.LZMADecompressor, (lzma.LZMAError,)
    if format == "gz":
        import zlib

        return _Gzip, (zlib.error,)
    import zstandard

    return _Zstd, (zstandard.ZstdError,)


class _Gzip:
    def __init__(self) -> None:
        import zlib

        self._inner = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        self._tail = b""
        self.eof, self.needs_input, self.unused_data = False, True, b""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        piece = self._inner.decompress(self._tail + data, max(0, max_length))
        self._tail, self.eof, self.unused_data = self._inner.unconsumed_tail, self._inner.eof, self._inner.unused_data
        # It may hold back output of its window even without a tail: ask again until a piece is not full.
        self.needs_input = not self._tail and len(piece) < max_length
        return piece


class _Zstd:
    def __init__(self) -> None:
        import zstandard

        self._inner = zstandard.ZstdDecompressor().decompressobj()
        self._tail = b""
        self.eof, self.needs_input, self.unused_data = False, True, b""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        data = self._tail + data
        piece = self._inner.decompress(data[:_FED_TO_ZSTD])
        self._tail, self.eof = data[_FED_TO_ZSTD:], self._inner.eof
        if self.eof:
            self.unused_data = self._inner.unused_data + self._tail
        self.needs_input = not self._tail
        return piece
