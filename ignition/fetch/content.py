"""What arrives: decompression and hash check as streams with bounded memory.

The hash covers the decompressed bytes (ignition-config reference 5.7). gzip only; several members in a row are one content,
as for gunzip and Go's reader.
"""

from __future__ import annotations

from ignition.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    import zlib
    from collections.abc import Iterable, Iterator

    from ignition.config.model import Resource

GZIP_MAGIC = b"\x1f\x8b"
_PIECE = 256 * 1024  # decompressed bytes per step: a small download may unfold to gigabytes
_GZIP_WINDOW = 16 + 15  # zlib: gzip header and trailer, largest window
_FIX_GZIP = "serve what gzip made, or remove compression from the resource"


def decompressed(resource: Resource, chunks: Iterable[bytes]) -> Iterable[bytes]:
    """The chunks as the resource's `compression` says. Raises Failure for an unknown one."""
    if not resource.compression:
        return chunks
    if resource.compression != "gzip":
        raise Failure(f"compression {resource.compression!r} is not known", fix='use "gzip" or none')
    return gunzip(chunks)


def gunzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress a stream. Raises Failure when it is no gzip, is damaged or ends early."""
    import zlib

    decoder: zlib._Decompress | None = zlib.decompressobj(_GZIP_WINDOW)  # None between two members
    try:
        for chunk in chunks:
            while chunk:
                if decoder is None:
                    decoder = zlib.decompressobj(_GZIP_WINDOW)
                yield decoder.decompress(chunk, _PIECE)
                chunk = decoder.unconsumed_tail
                if decoder.eof:
                    chunk, decoder = decoder.unused_data, None
        if decoder is not None:
            yield from _rest(decoder)
    except zlib.error as error:
        raise Failure(f"the gzip data is damaged: {error}", fix=_FIX_GZIP) from error


def _rest(decoder: zlib._Decompress) -> Iterator[bytes]:
    yield decoder.flush()
    if not decoder.eof:
        raise Failure("the gzip data ends early", fix=_FIX_GZIP)


def unzip_if_gzip(data: bytes) -> bytes:
    """Top-level user data may be compressed on every platform: bytes that begin with gzip's magic are decompressed."""
    return b"".join(gunzip([data])) if data.startswith(GZIP_MAGIC) else data


def verified(resource: Resource, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass the chunks on and check their hash at the end.

    Raises Failure with both digests when they differ: whoever wrote the chunks somewhere must throw them away then.
    """
    wanted = resource.verification.hash
    if not wanted:
        yield from chunks
        return
    import hashlib

    function, _, digest = wanted.partition("-")
    if function not in {"sha512", "sha256"}:
        raise Failure(f"hash function {function!r} is not known", fix="use sha512-<128 hex digits> or sha256-<64 hex digits>")
    hasher = hashlib.new(function)
    for chunk in chunks:
        hasher.update(chunk)
        yield chunk
    if hasher.hexdigest() != digest.lower():
        raise Failure(
            f"the content's {function} is {hasher.hexdigest()}, the config expects {digest}",
            fix="the server has another content than the config was written for: correct one of them",
        )
