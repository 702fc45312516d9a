"""Versions of programs as go-semver reads them: three numbers, perhaps with what follows - and +."""

import re

from ignition.config.versions import plain

_FORM = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?", re.ASCII)
Numbers = tuple[int, int, int]


def numbers(text: str) -> Numbers | None:
    """None: this is no version."""
    found = _FORM.fullmatch(text) if len(text) < 100 else None
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def canonical(text: str) -> str:
    """As it is printed again: without leading zeros."""
    found = _FORM.fullmatch(text)
    if not found:
        return text
    return plain(found[1], found[2], found[3]) + (f"-{found[4]}" if found[4] else "") + (f"+{found[5]}" if found[5] else "")
