"""The encodings of `write_files` and of VMware's variables. Source: docs/reference/coreos-cloudinit.md §11.4."""

import binascii

from ignition.config.text import packed
from ignition.errors import Failure
from ignition.host import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_BASE64 = ("b64", "base64")
_GZIP = ("gz", "gzip")
_FIX_SIZE = "let a unit fetch large contents"


def length(text: str, encoding: str) -> int:
    """Of the bytes, unpacked; in memory there is one piece at a time.

    Raises Failure as `as_packed`, and for what is damaged or too large.
    """
    content, packing = as_packed(text, encoding)
    return sum(map(len, _unpacked(content))) if packing else len(content)


def as_packed(text: str, encoding: str) -> tuple[bytes, str]:
    """The bytes without base64, and "gzip" if they are packed: a few of them may stand for megabytes.

    `text` holds those that are no UTF-8 as surrogates. Raises Failure for an unknown encoding or the wrong one.
    """
    content = text.encode("utf-8", "surrogateescape")
    first, plus, second = encoding.partition("+")
    if encoding and not (encoding in (*_BASE64, *_GZIP) or (first in _GZIP and plus and second in _BASE64)):
        raise Failure(f"the encoding {encoding!r} is not known", fix="one of b64, gz and gz+b64, also as base64 and gzip")
    if (second or first) in _BASE64:
        content = _from_base64(content)
    return content, "gzip" if first in _GZIP else ""


def _from_base64(content: bytes) -> bytes:
    try:
        return binascii.a2b_base64(content.replace(b"\r", b"").replace(b"\n", b""), strict_mode=True)
    except ValueError:
        raise Failure("the content is not base64", fix="encode it with base64, or name its encoding") from None


def _unpacked(content: bytes) -> "Iterator[bytes]":
    size = 0
    for piece in packed.gunzip([content], fix="pack it with gzip; without base64 it must be a !!binary value"):
        size += len(piece)
        if size > limits.IN_MEMORY:
            raise Failure(f"the content unfolds to more than {limits.IN_MEMORY >> 20} MiB", fix=_FIX_SIZE)
        yield piece
