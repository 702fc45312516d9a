"""`data:` URLs (RFC 2397) with the strictness of Ignition: known media types only, no white space, exact base64 padding."""

from __future__ import annotations

import binascii

from ignition.errors import Failure
from ignition.patterns import lazy_pattern

_WORD = r"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]"
_VALUE = rf"(?:%[0-9A-Fa-f]{{2}}|(?!%){_WORD})+"
_TYPE = rf"(?:(?:text|image|audio|video|application|message|multipart|[xX]-){_WORD}*/{_WORD}*)"
_PARAMETER = rf';{_WORD}+=(?:{_VALUE}|"(?:[^"\\]|\\.)*")'
_HEAD = lazy_pattern(rf"data:{_TYPE}?(?:{_PARAMETER})*(;base64)?,")
_NOT_IN_URL = lazy_pattern(r"[^!$%&'()*+,\-./0-9:;=?@A-Z_a-z~]")
_BAD_ESCAPE = lazy_pattern(r"%(?![0-9A-Fa-f]{2})")
# Most data URLs, without a regular expression, since many boots need no other one: loading `re` takes as long as 200 small files.
_BASE64, _PLAIN = "data:;base64,", "data:,"
_SHORT = 4096  # characters; longer ones are searched faster by a pattern
_IN_URL = frozenset("!$%&'()*+,-./0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~")
_HEX = frozenset("0123456789ABCDEFabcdef")


def check(url: str) -> None:
    """Raises Failure as `decode` does."""
    body, is_base64 = _body(url)
    if is_base64:
        _base64(body)


def decode(url: str) -> bytes:
    """The content. Raises Failure with the reason, which never quotes the content."""
    body, is_base64 = _body(url)
    if is_base64:
        return _base64(body)
    # Percent escapes are bytes, which may not be UTF-8: the content is never a string. Those of quoted-printable begin with =
    # instead, and are decoded in C; white space, which it would treat specially, is not in the body.
    return binascii.a2b_qp(body.replace("=", "%3D").replace("%", "="))


def encode(content: bytes) -> str:
    """A `data:` URL of it."""
    return "data:;base64," + binascii.b2a_base64(content, newline=False).decode("ascii")


def _body(url: str) -> tuple[str, bool]:
    """The data as it is written, and whether that is base64. Raises Failure for anything malformed but base64."""
    if url.startswith(_BASE64):
        return url[len(_BASE64) :], True
    if len(url) <= _SHORT and url.startswith(_PLAIN) and _IN_URL.issuperset(body := url[len(_PLAIN) :]):
        escapes = body.split("%")[1:]
        if all(len(escape) > 1 and escape[0] in _HEX and escape[1] in _HEX for escape in escapes):
            return body, False
    head = _HEAD.match(url)
    if not head:
        if not url.startswith("data:"):
            raise _malformed('it does not begin with "data:"')
        if "," not in url:
            raise _malformed("the comma before its data is missing")
        raise _malformed("its media type is malformed: data:[type/subtype][;name=value][;base64],content")
    body = url[head.end() :]
    if head[1]:
        return body, True
    if bad := _NOT_IN_URL.search(body):
        raise _malformed(f"character {bad.start() + 1} of its data must be percent-encoded")
    if bad := _BAD_ESCAPE.search(body):
        raise _malformed(f"the % at character {bad.start() + 1} of its data is not followed by two hex digits")
    return body, False


def _base64(body: str) -> bytes:
    # After whole groups of four, binascii (Python 3.11) takes any number of =, even in strict mode; Go, and so Ignition, none.
    padding = len(body) - len(body.rstrip("="))
    if padding > -(len(body) - padding) % 4:
        raise _malformed("its base64 data is malformed: excess padding")
    try:
        return binascii.a2b_base64(body, strict_mode=True)
    except ValueError as error:  # binascii.Error is one; so is what non-ASCII text raises
        raise _malformed(f"its base64 data is malformed: {str(error)[:1].lower()}{str(error)[1:]}") from None


def _malformed(reason: str) -> Failure:
    return Failure(f"malformed data URL: {reason}")
