"""Rules I5, R2, R11 and R12, and our own O18: the `ignition` section, and content at URLs."""

from __future__ import annotations

from collections.abc import Iterator

from ignition.config import dataurl, url
from ignition.config.known_values import COMPRESSIONS, HASH_DIGITS, HASHES, known_in
from ignition.config.model.ignition import Resource, Tls
from ignition.config.rules import Context, error, rule
from ignition.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.report import Finding


@rule(Tls, "I5", until="3.0.0")
def authority_source_is_not_empty(tls: Tls, _: Context) -> Iterator[Finding]:
    for index, resource in enumerate(tls.certificate_authorities):
        if not resource.source:
            yield error(f"certificateAuthorities.{index}.source", "URL has no scheme", "specify the URL of the certificates")


_PIECE = 1 << 20
_MOST = 64 << 20  # bytes of inline content after decompression; a larger one is not checked


@rule(Resource, "R2", stricter_in="3.1.0")
def hash_has_source(resource: Resource, context: Context) -> Iterator[Finding]:
    if resource.source is None and resource.verification.hash is not None:
        # Spec 3.0 does not have this rule in the ignition section.
        if context.path[0] != "ignition" or not context.before("3.1.0"):
            yield error("verification.hash", "hash without source: there is nothing to verify", "specify the source as well")


@rule(Resource, "R11", since="3.1.0")
def headers_have_http_source(resource: Resource, _: Context) -> Iterator[Finding]:
    """R11 and R12."""
    if not resource.http_headers:
        return
    if not resource.source or url.syntax_problem(resource.source):
        yield error("httpHeaders", "request headers without a valid source", "specify the source as well")
    elif not url.is_http(resource.source):
        yield error("httpHeaders", "only http and https have request headers", "leave them out", "R12")


@rule(Resource, "O18")
def inline_content_is_what_is_said(resource: Resource, context: Context) -> Iterator[Finding]:
    """Our own: the fetch fails, in most cases after the disks have been written."""
    source = resource.source or ""
    if source[:5].lower() != "data:" or not (resource.verification.hash or resource.compression):
        return
    function, _, wanted = (resource.verification.hash or "").partition("-")
    is_hash = function in known_in(context.version, HASHES) and HASH_DIGITS[function] == len(wanted)  # otherwise R3 to R5
    is_packed = resource.compression in COMPRESSIONS  # otherwise R1, if there is one
    if not (is_hash or is_packed) or (resource.compression and not is_packed):
        return
    try:
        content = dataurl.decode(source)
    except Failure:
        return  # R10
    digest = _digest(content, function if is_hash else next(iter(HASH_DIGITS)), packed=is_packed)
    if digest is None:
        yield error("compression", "the inline content is not gzip data", "leave compression out, or pack the content with gzip")
    elif digest and is_hash and wanted.lower() != digest:
        fix = f"write {function}-{digest}, or leave verification out: inline content cannot change in transit"
        yield error("verification.hash", "the inline content does not match the hash", fix)


def _digest(content: bytes, function: str, *, packed: bool) -> str | None:
    """Digest of the decompressed content, in hex digits; "" if it is too large to be checked; None if it is not gzip data."""
    import hashlib
    import zlib

    from ignition.config.text.packed import GZIP_WINDOW

    hashed = hashlib.new(function)
    if not packed:
        hashed.update(content)
        return hashed.hexdigest()
    length = 0
    # Trailing NUL bytes are padding to gzip(1), and not another member.
    while content.strip(b"\0") or not length:  # RFC 1952: members in a row are one content
        unpacking = zlib.decompressobj(GZIP_WINDOW)
        try:
            while not unpacking.eof:
                piece = unpacking.decompress(content, _PIECE)
                content = unpacking.unconsumed_tail
                # The input ends before the member does.
                if not piece and not content and not unpacking.eof:
                    return None
                hashed.update(piece)
                length += len(piece)
                if length > _MOST:
                    return ""
        except zlib.error:
            return None
        content = unpacking.unused_data
        length = length or 1
    return hashed.hexdigest()
