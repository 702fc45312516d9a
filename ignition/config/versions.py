"""The spec versions, and their order. Source: docs/reference/ignition-config.md §1.1 and §1.2."""

from __future__ import annotations

from functools import cache

from ignition.patterns import lazy_pattern

NEWEST = "3.7.0-experimental"
SPEC_3 = ("3.0.0", "3.1.0", "3.2.0", "3.3.0", "3.4.0", "3.5.0", "3.6.0", NEWEST)
SPEC_1 = ("1",)  # said as the number 1, in a member of its own
SPEC_2 = ("2.0.0", "2.1.0", "2.2.0", "2.3.0", "2.4.0")
ALIASES = {"2.4.0-experimental": "2.4.0"}  # its documented name; the only engine that has it calls it 2.4.0
_SEMVER = lazy_pattern(r"(?a)(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]*)?(\+[0-9A-Za-z.-]*)?")
_WELL_FORMED = frozenset((*SPEC_2, *SPEC_3))  # as nearly every text writes them, without a regular expression
NEVER = (99, 0)


@cache
def order(version: str) -> tuple[int, int]:
    """Comparable: major and minor. INTERNAL, the `since` of members that texts cannot set, comes after all versions."""
    if version in SPEC_1:
        return int(version), 0
    if not "0" <= version[:1] <= "9":
        return NEVER
    if version in _WELL_FORMED:
        major, minor, _ = version.split(".", 2)
        return int(major), int(minor)
    found = _SEMVER.match(version)
    return (number(found[1]), number(found[2])) if found else NEVER


def number(digits: str) -> int:
    """Their value, or one above any version: Python refuses to convert thousands of digits to a number."""
    return int((digits.lstrip("0") or "0")[:9])


def plain(*numbers: str) -> str:
    """Digits joined by dots, each without leading zeros; as texts, however many there are."""
    return ".".join(digits.lstrip("0") or "0" for digits in numbers)


def canonical(text: str) -> str:
    """Without tolerated leading zeros; "" if it is not a semantic version. Build metadata stays, so that it never matches."""
    if text in _WELL_FORMED:
        return text
    found = _SEMVER.fullmatch(text)
    if not found:
        return ""
    # A lone - or + is an empty part, which equals an absent one.
    rest = "".join(part for part in (found[4], found[5]) if part and len(part) > 1)
    version = plain(found[1], found[2], found[3]) + rest
    return ALIASES.get(version, version)


def holds(version: str, since: str, until: str) -> bool:
    """Whether a version lies between two others, both included; "" means unlimited."""
    return (not since or order(since) <= order(version)) and (not until or order(version) <= order(until))
