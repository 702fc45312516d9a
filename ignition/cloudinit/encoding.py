"""The encodings of `write_files` and of VMware's variables. Source: coreos-cloudinit.md 11.4."""

import binascii

from ignition.config.text import packed
from ignition.errors import Failure

MOST_BYTES = 64 * 1024 * 1024  # unpacked
_BASE64 = ("b64", "base64")
_GZIP = ("gz", "gzip")


def decoded(text: str, encoding: str) -> bytes:
    """The bytes; `text` holds those that are no UTF-8 as surrogates. Raises Failure for an unknown encoding or the wrong one."""
    content = text.encode("utf-8", "surrogateescape")
    first, plus, second = encoding.partition("+")
    if encoding and not (encoding in (*_BASE64, *_GZIP) or (first in _GZIP and plus and second in _BASE64)):
        raise Failure(f"the encoding {encoding!r} is not known", fix="one of b64, gz and gz+b64, also as base64 and gzip")
    if (second or first) in _BASE64:
        content = _from_base64(content)
    return b"".join(_unpacked(content)) if first in _GZIP else content


def _from_base64(content: bytes) -> bytes:
    try:
        return binascii.a2b_base64(content.replace(b"\r", b"").replace(b"\n", b""), strict_mode=True)
    except ValueError:
        raise Failure("the content is not base64", fix="encode it with base64, or name its encoding") from None


def _unpacked(content: bytes) -> list[bytes]:
    pieces, size = [], 0
    for piece in packed.gunzip([content], fix="pack it with gzip; without base64 it must be a !!binary value"):
        size += len(piece)
        if size > MOST_BYTES:
            raise Failure(f"the content unfolds to more than {MOST_BYTES >> 20} MiB", fix="let a unit fetch large contents")
        pieces.append(piece)
    return pieces
