"""The frame of a clear-signed text: one message, and nothing outside of its signed part. Pure.

Source: RFC 4880 §7 (RFC 9580 §7). OpenPGP readers skip text around a message, and gpgv verifies only the first one: whoever
applied the whole file would apply what somebody wrote beside the signed part. Stricter than the RFC: nothing precedes the
message, nothing but blank lines follows it, `Hash` is the only header, and all lines that begin with a dash are escaped.

Blanks at the ends of lines and the kind of line ends are not signed (§7.1): they are removed before the text is used.
"""

from __future__ import annotations

from ignition.errors import Failure

BEGIN, SIGNATURE, END = b"-----BEGIN PGP SIGNED MESSAGE-----", b"-----BEGIN PGP SIGNATURE-----", b"-----END PGP SIGNATURE-----"
_BLANKS = b" \t\r"
_ESCAPE = b"- "
_FIX = "sign the config again: gpg --clear-sign FILE, and pass on FILE.asc unchanged"


def is_clear_signed(content: bytes) -> bool:
    """Whether it claims to be: whatever begins like that is never read as anything else."""
    return content.startswith(BEGIN)


def text_of(content: bytes, where: str) -> bytes:
    """The text between the markers as it was signed: unescaped, lines that end in LF, without blanks before that.

    Raises Failure, with the line, for a frame that an OpenPGP reader and a person may read in different ways. The signature is
    not checked.
    """
    lines = [line.rstrip(_BLANKS) for line in content.split(b"\n")]
    if b"\0" in content:
        raise _malformed("it contains a NUL byte", where)
    if lines[0] != BEGIN:
        raise _malformed("the first line has more than the marker", f"{where}, line 1")
    begins = _after_headers(lines, where)
    ends = next((number for number, line in enumerate(lines) if line == SIGNATURE), None)
    if ends is None or ends < begins:
        raise _malformed(f"{SIGNATURE.decode()} is missing: the text is truncated", where)
    closes = next((number for number, line in enumerate(lines) if line == END), None)
    if closes is None or closes < ends:
        raise _malformed(f"{END.decode()} is missing: the text is truncated", where)
    _check_outside(lines, ends, closes, where)
    return b"".join(
        _unescaped(line, f"{where}, line {number}") + b"\n" for number, line in enumerate(lines[begins:ends], begins + 1)
    )


def unframed(content: bytes, where: str) -> bytes:
    """The text for programs of a workstation, which check no signature; texts that are not clear-signed are returned unchanged.

    Empty lines stand for those before the text, so that its lines keep their numbers. Raises Failure as `text_of` does.
    """
    if not is_clear_signed(content):
        return content
    text = text_of(content, where)
    return b"\n" * _after_headers([line.rstrip(_BLANKS) for line in content.split(b"\n")], where) + text


def _after_headers(lines: list[bytes], where: str) -> int:
    """The index of the first line of the text."""
    for number, line in enumerate(lines[1:], start=1):
        if not line:
            return number + 1
        if not line.startswith(b"Hash: "):
            raise _malformed("a header other than Hash, which is not signed", f"{where}, line {number + 1}")
    raise _malformed("the empty line after the headers is missing", where)


def _check_outside(lines: list[bytes], ends: int, closes: int, where: str) -> None:
    for number, line in enumerate(lines[ends + 1 : closes], start=ends + 2):
        if line.startswith(b"-"):
            raise _malformed("a marker within the signature", f"{where}, line {number}")
    for number, line in enumerate(lines[closes + 1 :], start=closes + 2):
        if line:
            raise _malformed("text after the signature, which is not signed", f"{where}, line {number}")


def _unescaped(line: bytes, where: str) -> bytes:
    if line.startswith(_ESCAPE):
        return line.removeprefix(_ESCAPE)
    if line == b"-":  # `- ` of an empty line, whose blank went with those at the end
        return b""
    if line.startswith(b"-"):
        raise _malformed("a line of the text begins with a dash that is not escaped", where)
    return line


def _malformed(what: str, where: str) -> Failure:
    return Failure(f"malformed clear-signed text: {what}", where=where, fix=_FIX, lasting=True)
