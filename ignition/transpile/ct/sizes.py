"""Sizes with units, as `1GiB` or `1TiB512MiB`.

Source: docs/reference/config-transpiler.md §A5: every unit is a power of 1024, KB too.
"""

import re
from decimal import Decimal

_LETTERS = "KMGTPE"
UNITS = {"B": 1, **{f"{letter}{end}": 1024**power for power, letter in enumerate(_LETTERS, start=1) for end in ("iB", "B")}}
_PART = re.compile(r"([0-9]*\.?[0-9]*)([A-Za-z]*)", re.ASCII)
_MIB = 1 << 20
_MOST = 1 << 63


class NoSize(Exception):
    """This is no size of a partition."""


def mebibytes(text: str) -> int | None:
    """Whole MiB; None for "". Raises NoSize."""
    if not text:
        return None
    sign, rest = (text[0], text[1:]) if text[0] in "+-" else ("", text)
    total = Decimal(0) if rest == "0" else _sum(text, rest)
    if total and sign == "-":
        raise NoSize(f'invalid dimension (negative): "{text}"')
    if int(total) % _MIB or total >= _MOST:
        raise NoSize("invalid dimension (finest granularity is 1MiB)")
    return int(total) // _MIB


def _sum(text: str, rest: str) -> Decimal:
    if not rest:
        raise NoSize(f'units: invalid "{text}"')
    total = Decimal(0)
    while rest:
        found = _PART.match(rest)
        if not found or not found[1].strip("."):
            raise NoSize(f'units: invalid "{text}"')
        if not found[2]:
            raise NoSize(f'units: missing unit in "{text}"')
        if found[2] not in UNITS:
            raise NoSize(f'units: unknown unit {found[2]} in "{text}"')
        total += Decimal(found[1]) * UNITS[found[2]]
        rest = rest[found.end() :]
    return total
