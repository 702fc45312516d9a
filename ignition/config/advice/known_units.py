"""Units that exist without the config: data/units.json, and kinds that systemd creates itself.

The file holds facts from packages (docs/advice/collect.py), from the sources of Container Linux, Flatcar and Fedora CoreOS, and
names of well-known services. A missing name proves nothing.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache

from ignition.config.advice.tables import table

# Created from the kernel's devices, from fstab and from paths, or at run time.
MADE_BY_SYSTEMD = ("device", "mount", "automount", "swap", "slice", "scope", "snapshot")
_LONGEST = 255  # characters of a unit's name, systemd.unit(5)
_ALIKE = 0.8  # difflib's measure: 1 is equal


@cache
def known() -> frozenset[str]:
    """All names, templates as `name@.type`."""
    groups: dict[str, list[str]] = table("units")
    return frozenset(name for names in groups.values() for name in names)


def template(name: str) -> str:
    """`a@b.service` → `a@.service`; "" for a name that is not an instance."""
    prefix, at, rest = name.partition("@")
    instance, _, kind = rest.rpartition(".")
    return f"{prefix}@.{kind}" if at and instance else ""


def kind_of(name: str) -> str:
    """`service` of `a.service`."""
    return name.rpartition(".")[2]


def close(name: str, others: frozenset[str]) -> str:
    """The known name, or one of `others`, that may be meant; "" if none is similar enough."""
    if len(name) > _LONGEST:
        return ""
    stem, _, kind = name.rpartition(".")
    candidates = {other.rpartition(".")[0]: other for other in known() | others if kind_of(other) == kind and other != name}
    by_case = {stem.lower(): other for stem, other in candidates.items()}
    # Only case differs: certain enough, whatever the length.
    if stem.lower() in by_case:
        return by_case[stem.lower()]
    alike = [found for found in get_close_matches(stem, candidates, n=3, cutoff=_ALIKE) if _letters(found) != _letters(stem)]
    return candidates[alike[0]] if alike else ""


def _letters(stem: str) -> str:
    """Names that differ only in digits are different units, not typos."""
    return re.sub(r"\d", "", stem)
