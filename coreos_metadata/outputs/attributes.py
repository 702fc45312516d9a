"""The attribute file: `NAME=value` lines that systemd's EnvironmentFile= and a POSIX shell read alike, hostile values included.

In double quotes a backslash protects double quote, backslash, backquote and dollar, in systemd (src/basic/env-file.c) and shells.
A value with other control characters than tab and line feed makes systemd drop the variable, one that is no UTF-8 the whole file.
The originals quote nothing and empty the file before they ask the service.
"""

import re

from ignition.host.root import put

MODE = 0o644
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]*")
_PROTECTED = re.compile(r'(["\\`$])')
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def write(path: str, attributes: dict[str, str]) -> None:
    """Replace the file by these attributes, in one step; missing directories are made."""
    put(path, render(attributes).encode(), mode=MODE)


def render(attributes: dict[str, str]) -> str:
    """The file's text, sorted by name."""
    return "".join(f"{name}={quoted(value)}\n" for name, value in sorted(attributes.items()))


def quoted(value: str) -> str:
    """The value as both readers take it back; control characters become U+FFFD."""
    value = _CONTROL.sub(_REPLACEMENT, value)
    protected = _PROTECTED.sub(r"\\\1", value)
    return value if _PLAIN.fullmatch(value) else f'"{protected}"'
