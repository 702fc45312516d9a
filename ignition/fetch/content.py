"""What arrives: decompression and hash check as streams with bounded memory.

The hash covers the decompressed bytes (docs/reference/ignition-config.md §5.7). gzip only.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator

from ignition.config.text.packed import gunzip
from ignition.errors import Failure
from ignition.fetch.urls import scheme

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model import Resource


_FIX_GZIP = "serve what gzip made, or remove compression from the resource"


def decompressed(resource: Resource, chunks: Iterable[bytes]) -> Iterable[bytes]:
    """The chunks as the resource's `compression` says. Raises Failure for an unknown one, and for S3."""
    if not resource.compression:
        return chunks
    if scheme(resource.source or "") in {"s3", "arn"}:
        fix = "store it unpacked, or serve it by https"
        raise Failure("compression is not supported with s3 and arn, as in Ignition", fix=fix, lasting=True)
    if resource.compression != "gzip":
        raise Failure(f"compression {resource.compression!r} is not known", fix='use "gzip" or none', lasting=True)
    return gunzip(chunks, fix=_FIX_GZIP)


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
        raise Failure(
            f"hash function {function!r} is not known", fix="use sha512-<128 hex digits> or sha256-<64 hex digits>", lasting=True
        )
    hasher = hashlib.new(function)
    for chunk in chunks:
        hasher.update(chunk)
        yield chunk
    if hasher.hexdigest() != digest.lower():
        raise Failure(
            f"the content's {function} is {hasher.hexdigest()}, the config expects {digest}",
            fix="the server has another content than the config was written for: correct one of them",
            lasting=True,
        )


# The `data` scheme (RFC 2397): the content is in the URL itself.


def data_stream(url: str) -> Generator[bytes, None, None]:
    """The decoded content, in one chunk. Raises Failure for a malformed URL."""
    from ignition.config.dataurl import decode

    yield decode("data:" + url.partition(":")[2])  # the scheme is one in any case of its letters


# Certificate authorities as PEM texts: the blocks, whatever stands around them.

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def pem_certificates(bundle: bytes, where: str) -> str:
    """The PEM certificates of a bundle, without the text around them. Raises Failure if there is none."""
    found, rest = [], bundle.decode("ascii", "replace")  # comments may be in any language
    while _BEGIN in rest:
        body, closed, rest = rest.partition(_BEGIN)[2].partition(_END)
        if closed:
            found.append(f"{_BEGIN}{body}{_END}")
    if not found:
        raise Failure("no PEM certificate in it", where=where, fix=f"the content must have a block that begins with {_BEGIN}")
    return "\n".join(found)
