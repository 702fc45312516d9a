"""The variants of Butane and their versions. Source: docs/reference/config-transpiler.md §B3."""

from __future__ import annotations

from collections.abc import Mapping

from ignition.config.versions import plain
from ignition.patterns import lazy_pattern
from ignition.transpile.butane.model import Document, FcosDocument

FCOS, FLATCAR = "fcos", "flatcar"
ELSEWHERE = ("fiot", "openshift", "r4e")  # variants of the original that this program does not support
RHCOS = "rhcos variant has been removed; use openshift variant instead: https://coreos.github.io/butane/upgrading-openshift/"
NO_CLEVIS = "clevis is not supported in this spec version"
NO_CEX = "cex is not currently supported on the target platform"
_SEMVER = lazy_pattern(r"([0-9]+)\.([0-9]+)\.([0-9]+)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")


class Variant:
    """One version of a variant. `spec`: the version of Ignition that it is translated to.

    `forbidden`: unsupported members of LUKS volumes → message.
    """

    def __init__(self, name: str, version: str, spec: str, document: type[Document], forbidden: Mapping[str, str]) -> None:
        self.name, self.version, self.spec, self.document, self.forbidden = name, version, spec, document, forbidden

    @property
    def is_fcos(self) -> bool:
        """Whether it has the rules for Fedora CoreOS' disks."""
        return self.name == FCOS


def _fcos(version: str, spec: str, document: type[Document] = FcosDocument) -> Variant:
    return Variant(FCOS, version, spec, document, {})


_ALL = (
    _fcos("1.0.0", "3.0.0", Document),
    _fcos("1.1.0", "3.1.0", Document),
    _fcos("1.2.0", "3.2.0", Document),
    _fcos("1.3.0", "3.2.0"),
    _fcos("1.4.0", "3.3.0"),
    _fcos("1.5.0", "3.4.0"),
    _fcos("1.6.0", "3.5.0"),
    _fcos("1.7.0", "3.6.0"),
    _fcos("1.8.0-experimental", "3.7.0-experimental"),
    Variant(FLATCAR, "1.0.0", "3.3.0", Document, {"clevis": NO_CLEVIS}),
    Variant(FLATCAR, "1.1.0", "3.4.0", Document, {"clevis": NO_CLEVIS}),
    Variant(FLATCAR, "1.2.0-experimental", "3.7.0-experimental", Document, {"cex": NO_CEX}),
)
VARIANTS = {(one.name, one.version): one for one in _ALL}


def versions_of(name: str) -> list[str]:
    """All versions of a variant."""
    return [version for variant, version in VARIANTS if variant == name]


def since(name: str, spec: str) -> str:
    """The first version of a variant that is translated to that spec version or a later one; "" if none is."""
    from ignition.config.versions import order

    return next((one.version for one in _ALL if one.name == name and order(one.spec) >= order(spec)), "")


def canonical(version: str) -> str:
    """A version without leading zeros; "" unless it is a complete semantic version."""
    found = _SEMVER.fullmatch(version)
    return plain(found[1], found[2], found[3]) + (found[4] or "") + (found[5] or "") if found else ""


def unknown(name: str, version: str) -> tuple[str, str, str]:
    """(message, key, fix) for an unsupported variant or version."""
    if name == "rhcos":
        return RHCOS, "variant", f"this program translates {FLATCAR} and {FCOS} only"
    message = f"No translator exists for variant {name} with version {version}"
    if known := versions_of(name):
        return message, "version", f"write one of {', '.join(known)}"
    from ignition.config.suggest import one_of

    what = f"{name} is a variant of Butane that this program does not translate: " if name in ELSEWHERE else ""
    return message, "variant", what + one_of(name, (FLATCAR, FCOS))
