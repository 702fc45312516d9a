"""Names of units. Source: systemd.unit(5), "String escaping for inclusion in unit names"."""

from __future__ import annotations

import os

_PLAIN = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:_.")


def escaped(path: str) -> str:
    """A path in the name of a unit: `/var/log` → `var-log`; other bytes are escaped one by one."""
    parts = [part for part in path.split("/") if part]
    if not parts:
        return "-"
    text = "-".join("".join(_escaped(byte) for byte in os.fsencode(part)) for part in parts)
    return f"\\x2e{text[1:]}" if text.startswith(".") else text


def unescaped(name: str) -> str:
    """The path that such a name, without its type, stands for: `var-log` → `/var/log`."""
    import re

    raw = re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes.fromhex(found[1].decode()), os.fsencode(name).replace(b"-", b"/"))
    return "/" + os.fsdecode(raw).strip("/")


def _escaped(byte: int) -> str:
    return chr(byte) if chr(byte) in _PLAIN else f"\\x{byte:02x}"
