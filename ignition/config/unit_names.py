"""Names of units. Source: systemd.unit(5), "String escaping for inclusion in unit names"."""

import os

_PLAIN = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:_.")


def escaped(path: str) -> str:
    """A path in the name of a unit: `/var/log` → `var-log`, and what else is not plain byte by byte."""
    parts = [part for part in path.split("/") if part]
    if not parts:
        return "-"
    text = "-".join("".join(_escaped(byte) for byte in os.fsencode(part)) for part in parts)
    return f"\\x2e{text[1:]}" if text.startswith(".") else text


def _escaped(byte: int) -> str:
    return chr(byte) if chr(byte) in _PLAIN else f"\\x{byte:02x}"
