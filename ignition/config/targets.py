"""Spec versions that the Ignition of a system accepts: Flatcar Container Linux and Fedora CoreOS, by release.

A row of the tables is an observation: the first or last release with a version of Ignition. Between two rows with the same specs
the answer is certain; between two that differ, before the first and after the last, it may be unknown. Nothing is guessed.

Sources. Specs of an Ignition: docs/reference/ignition-config.md §1.1. Flatcar: `image_packages` in data/releases of the
repository flatcar/flatcar-website; that 1 and 2.x are still accepted, by translation: the notes of release 3185.0.0 there. Fedora
CoreOS: a release's number has the date of its package set (fedora-coreos-tracker, Design.md, "Version numbers"); until the day
before an Ignition release (its docs/release-notes.md) none can have it; all have it two weeks after fedora-coreos-config took it,
which its pull requests say: 148 (2.0.1), 388 and 389 (2.3.0), 691 (2.7.0), 3222 and 3223 (2.20.0), 4020 (2.26.0), 4327 (2.27.0).
Closer: 2.11.0 was in by 2021-06-28 (openshift/os 571), and the notes of 37.20230303.3.0 (fedora-coreos-streams) name what came
with 2.15.0.
"""

from __future__ import annotations

from collections.abc import Iterable

from ignition.config.versions import NEWEST, SPEC_1, SPEC_2, SPEC_3, number, order

TYPE_CHECKING = False
if TYPE_CHECKING:
    Number = tuple[int, ...]

# The first Ignition release with a spec. 2.4.0 became final only in the 0.x that Flatcar maintained.
_FIRST_IN_0 = (
    ((0, 1), "1"),
    ((0, 4), "2.0.0"),
    ((0, 17), "2.1.0"),
    ((0, 22), "2.2.0"),
    ((0, 29), "2.3.0"),
    ((0, 36), "2.4.0"),
)
_FIRST_IN_2 = (
    ((2, 0), "3.0.0"),
    ((2, 3), "3.1.0"),
    ((2, 7), "3.2.0"),
    ((2, 11), "3.3.0"),
    ((2, 15), "3.4.0"),
    ((2, 20), "3.5.0"),
    ((2, 26), "3.6.0"),
    ((2, 26), NEWEST),
)
FLATCAR = (
    ("1722.2.0", "0.23.0"),
    ("1745.0.0", "0.24.0"),
    ("1911.0.2", "0.28.0"),
    ("1981.0.0", "0.28.0"),
    ("1995.0.0", "0.29.1"),
    ("2023.0.0", "0.30.0"),
    ("2605.0.0", "0.34.0"),
    ("3046.0.0", "0.34.0"),
    ("3066.0.0", "0.36.1"),
    ("3165.0.0", "0.36.1"),
    ("3185.0.0", "2.13.0"),
    ("3480.0.0", "2.14.0"),
    ("3510.3.8", "2.14.0"),
    ("3535.0.0", "2.15.0"),
    ("4116.1.0", "2.19.0"),
    ("4152.0.0", "2.20.0"),
    ("4230.1.0", "2.20.0"),
    ("4757.2.0", "2.24.0"),
)
FEDORA_COREOS = (  # by date; two weeks after the day of a pull request
    ("20190902", "2.0.1"),
    ("20200504", "2.2.1"),
    ("20200521", "2.3.0"),
    ("20201012", "2.6.0"),
    ("20201029", "2.7.0"),
    ("20210624", "2.10.1"),
    ("20210629", "2.11.0"),
    ("20230220", "2.14.0"),
    ("20230303", "2.15.0"),
    ("20241021", "2.19.0"),
    ("20241106", "2.20.0"),
    ("20251221", "2.25.0"),
    ("20260309", "2.26.0"),
    ("20260826", "2.26.0"),
)


class Target:
    """A release of a system, and the possible versions of its Ignition: lowest and highest, "" if unknown."""

    def __init__(self, system: str, release: str, lowest: str, highest: str, *, translates: bool) -> None:
        self.system, self.release, self.lowest, self.highest = system, release, lowest, highest
        self._translates = translates  # translates 1 and 2.x for an Ignition that accepts only 3.x

    @property
    def name(self) -> str:
        """For messages: `Flatcar 3510.2.0`."""
        return f"{self.system} {self.release}"

    @property
    def ignition(self) -> str:
        """`Ignition 2.14.0`, or a range."""
        if not self.lowest:
            return f"Ignition {self.highest} or older"
        if not self.highest:
            return f"Ignition {self.lowest} or newer"
        return f"Ignition {self.lowest}" + (f" to {self.highest}" if self.highest != self.lowest else "")

    def specs(self) -> tuple[str, ...]:
        """The specs that it certainly accepts, oldest first."""
        low, high = self._specs(self.lowest), self._specs(self.highest)
        if not self.highest:  # later versions keep the final specs
            return tuple(spec for spec in low if spec != NEWEST)
        return tuple(spec for spec in low if spec in high)

    def takes(self, version: str) -> bool | None:
        """Whether it accepts that spec version; None if unknown."""
        if version in self.specs():
            return True
        possible = self._specs(self.highest) if self.highest else self._specs(self.lowest) + SPEC_3
        if not self.lowest:
            return None if version in possible else False
        newest_sure = self._specs(self.lowest)[-1]
        if not self.highest and order(version) <= order(newest_sure) and version != NEWEST:
            return False
        return None if version in possible else False

    def has_ignition(self, version: str) -> bool | None:
        """Whether its Ignition is of that version or newer; None if unknown."""
        if self.lowest and _numbers(self.lowest) >= _numbers(version):
            return True
        return False if self.highest and _numbers(self.highest) < _numbers(version) else None

    def is_translated(self, version: str) -> bool:
        """Whether that spec version is translated before it reaches its Ignition."""
        return self._translates and version in SPEC_1 + SPEC_2 and self.lowest.startswith("2.")

    def _specs(self, ignition: str) -> tuple[str, ...]:
        if not ignition:
            return ()
        number = _numbers(ignition)
        table = _FIRST_IN_2 if number[0] else _FIRST_IN_0
        own = tuple(spec for first, spec in table if first <= number)
        return SPEC_1 + SPEC_2 + own if number[0] and self._translates else own


def parse(text: str) -> Target:
    """`flatcar=3510.2.0` or `fcos=42.20250929.3.0`. Raises ValueError with the reason."""
    system, _, release = text.partition("=")
    parts = release.split(".")
    digits = [part.isascii() and part.isdigit() for part in parts]
    if system.lower() == "flatcar":
        if len(parts) != 3 or not all(digits):
            raise ValueError(f"{release!r} is not a Flatcar version such as 3510.2.0; channels move, so they cannot be targets")
        lowest, highest = _between(FLATCAR, _numbers(release))
        return Target("Flatcar", release, lowest, highest, translates=True)
    if system.lower() == "fcos":
        if len(parts) != 4 or not all(digits) or len(parts[1]) != 8:
            message = "is not a Fedora CoreOS version such as 42.20250929.3.0; streams move, so they cannot be targets"
            raise ValueError(f"{release!r} {message}")
        # The date alone counts: at any time, streams of older and newer Fedoras have the same Ignition.
        lowest, highest = _between(FEDORA_COREOS, _numbers(parts[1]))
        return Target("Fedora CoreOS", release, lowest, highest, translates=False)
    raise ValueError(f"{text!r} is neither flatcar=VERSION nor fcos=VERSION")


def in_words(specs: Iterable[str]) -> str:
    """`1, 2.0.0 to 2.4.0 and 3.0.0 to 3.3.0`."""
    groups: dict[str, list[str]] = {}
    for spec in specs:
        groups.setdefault(spec if spec == NEWEST else spec[0], []).append(spec)
    words = [one[0] if len(one) == 1 else f"{one[0]} to {one[-1]}" for one in groups.values()]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def first_release(target: Target, version: str) -> str:
    """The first release of that system known to accept a spec version; "" if there is none."""
    table = FLATCAR if target.system == "Flatcar" else FEDORA_COREOS
    for release, ignition in table:
        if Target(target.system, release, ignition, ignition, translates=target.system == "Flatcar").takes(version):
            return release
    return ""


def _between(table: tuple[tuple[str, str], ...], release: Number) -> tuple[str, str]:
    lowest = highest = ""
    for seen, ignition in table:
        if _numbers(seen) <= release:
            lowest = ignition
        if _numbers(seen) >= release:
            highest = highest or ignition
    return lowest, highest


def _numbers(text: str) -> Number:
    return tuple(number(part) for part in text.split("."))
