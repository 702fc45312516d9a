"""Checks of lines for an authorized_keys file: they come from user data, platforms and services, which may send anything.

A text may have several keys, one per line. A line that is not a key is left out with a warning, and the others stay: somebody
must be able to log in and fix it. Source: sshd(8), AUTHORIZED_KEYS FILE FORMAT; RFC 4251 5; OpenSSH PROTOCOL.certkeys.
"""

from __future__ import annotations

from collections.abc import Iterable

from ignition.host import log
from ignition.patterns import lazy_pattern

_PLAIN = (
    "ssh-rsa",
    "ssh-dss",
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "sk-ssh-ed25519@openssh.com",
)
TYPES = frozenset((*_PLAIN, *(f"{name.partition('@')[0]}-cert-v01@openssh.com" for name in _PLAIN)))
# Characters that end a line for one of its readers, or that are not text. A tab is a blank.
_CONTROL = lazy_pattern("[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")


def keys(texts: Iterable[str], where: str, *, whole: bool = False) -> list[str]:
    """The keys of these texts in order. Blank lines and comments are dropped; other lines are counted in one warning.

    A known type followed by a word counts as a key, since people shorten keys in examples, and sshd ignores lines that it cannot
    read. `whole`: only lines that satisfy `is_key`, for readers that refuse a file with one bad line.
    """
    found, bad = [], []
    for number, text in enumerate(texts, start=1):
        for line in (one.strip(" \t\r\v\f") for one in text.split("\n")):
            if not line or line.startswith("#"):
                continue
            if _CONTROL.search(line) or not (is_key(line) if whole else len(_from_type(line)) > 1):
                bad.append(number)
            else:
                found.append(line)
    if bad:
        more = f", and {len(bad) - 1} more" if len(bad) > 1 else ""
        log.warning(f"{where}: entry {bad[0]} has a line that is not an SSH key of a known type{more}: left out")
    return found


def is_key(line: str) -> bool:
    """Whether a line is `[options ]type base64[ comment]` of a known type, with the same type inside the base64 part."""
    import binascii

    words = _from_type(line)
    if len(words) < 2:
        return False
    try:
        fields = _fields(binascii.a2b_base64(words[1], strict_mode=True))
    except ValueError:
        return False
    return len(fields) >= 2 and fields[0] == words[0].encode()


def _from_type(line: str) -> list[str]:
    """The words of a line from a known type on, whether options precede it or not; empty without a known type."""
    words = _words(line)
    for start in (0, 1):
        if len(words) > start and words[start] in TYPES:
            return words[start:]
    return []


def _words(line: str) -> list[str]:
    """The line split at blanks outside of double quotes: options may have blanks inside quotes, and quotes behind a backslash."""
    words, quoted, before = [""], False, ""
    for character in line:
        quoted ^= character == '"' and before != "\\"
        before = character
        if character in " \t" and not quoted:
            words.append("")
        else:
            words[-1] += character
    return [word for word in words if word]


def _fields(blob: bytes) -> list[bytes]:
    """The length-prefixed strings of a key (RFC 4251 5); empty if it is truncated or has trailing bytes."""
    fields = []
    while blob:
        size = int.from_bytes(blob[:4], "big")
        if len(blob) < 4 + size:
            return []
        fields.append(blob[4 : 4 + size])
        blob = blob[4 + size :]
    return fields
