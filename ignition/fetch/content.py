"""Fetched content: decompression and hash check as streams with bounded memory; data URLs; certificates in a bundle.

The hash covers the decompressed bytes (docs/reference/ignition-config.md §5.7). The only compression is gzip.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator

from ignition.config.text.packed import gunzip
from ignition.errors import Failure
from ignition.fetch.urls import scheme

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model import Resource


_FIX_GZIP = "serve a gzip file, or remove compression from the resource"


def decompressed(resource: Resource, chunks: Iterable[bytes]) -> Iterable[bytes]:
    """The chunks, unpacked according to `compression` of the resource. Raises Failure for an unsupported one, and for S3."""
    if not resource.compression:
        return chunks
    if scheme(resource.source or "") in {"s3", "arn"}:
        fix = "store it unpacked, or serve it by https"
        raise Failure("compression is not supported with s3 and arn, as in Ignition", fix=fix, lasting=True)
    if resource.compression != "gzip":
        raise Failure(f"compression {resource.compression!r} is not supported", fix='use "gzip" or none', lasting=True)
    return gunzip(chunks, fix=_FIX_GZIP)


def verified(resource: Resource, chunks: Iterable[bytes]) -> Iterable[bytes]:
    """The chunks, with a check of their hash, if the resource has one, at the end.

    Raises Failure with both digests if they differ: a consumer that has written the chunks must discard them then.
    """
    wanted = resource.verification.hash
    return _hashed(wanted, chunks) if wanted else chunks


def _hashed(wanted: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    import hashlib

    function, _, digest = wanted.partition("-")
    if function not in {"sha512", "sha256"}:
        raise Failure(
            f"hash function {function!r} is not supported",
            fix="use sha512-<128 hex digits> or sha256-<64 hex digits>",
            lasting=True,
        )
    hasher = hashlib.new(function)
    for chunk in chunks:
        hasher.update(chunk)
        yield chunk
    if hasher.hexdigest() != digest.lower():
        raise Failure(
            f"the content's {function} is {hasher.hexdigest()}, the config expects {digest}",
            fix="correct the hash in the config, or the content on the server",
            lasting=True,
        )


def as_written(resource: Resource) -> bytes | None:
    """The content of a data URL that is neither packed, verified nor sealed; None for any other resource. Raises Failure."""
    url = resource.source or ""
    if not url.startswith("data:") or resource.compression or resource.verification.hash or resource.extension.sealed:
        return None
    try:
        return _of_data_url(url)
    except Failure as failure:
        failure.where = failure.where or "data:"
        raise


def data_stream(url: str) -> Generator[bytes, None, None]:
    """The decoded content of a data URL (RFC 2397), in one chunk. Raises Failure for a malformed URL."""
    yield _of_data_url("data:" + url.partition(":")[2])  # schemes may be in upper case


def _of_data_url(url: str) -> bytes:
    from ignition.config.dataurl import decode  # a boot may fetch nothing from one

    return decode(url)


_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def pem_certificates(bundle: bytes, where: str) -> str:
    """The PEM certificates of a bundle, without the text around them. Raises Failure if there is none."""
    found, rest = [], bundle.decode("ascii", "replace")  # comments may be in any encoding
    while _BEGIN in rest:
        body, closed, rest = rest.partition(_BEGIN)[2].partition(_END)
        if closed:
            found.append(f"{_BEGIN}{body}{_END}")
    if not found:
        raise Failure("the content has no PEM certificate", where=where, fix=f"add a block that begins with {_BEGIN}")
    return "\n".join(found)
