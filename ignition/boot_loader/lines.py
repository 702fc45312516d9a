"""Lines of a boot loader's file as the boot loader sees them."""

from __future__ import annotations


def lines_of(text: str) -> list[str]:
    r"""The lines with their ends: only \n ends one (str.splitlines knows others, which are text to a boot loader)."""
    parts = text.split("\n")
    return [f"{part}\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
