"""W1 to W4: units that the config enables, masks or extends without effect."""

from __future__ import annotations

from collections.abc import Iterator

from ignition.config import unit_syntax
from ignition.config.advice import known_units
from ignition.config.advice.subject import advice
from ignition.config.model.systemd import Unit
from ignition.config.report import Finding, Path
from ignition.config.rules.units import INSTALL_FIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.advice.subject import Subject

_LOOKUPS = 200  # searches for a close name: a config may have thousands of units


def advise(subject: Subject) -> Iterator[Finding]:
    """In the order of the units."""
    for index, unit in enumerate(subject.config.systemd.units):
        here: Path = ("systemd", "units", index)
        if not is_known(subject, unit.name):
            yield from _unknown(subject, unit, here)
        elif unit.enabled and not unit.mask:
            yield from _cannot_be_enabled(subject, unit, here)
        if unit.enabled and unit.mask:
            message = "unit is enabled and masked: it cannot be started, and enabling has no effect"
            yield advice("W3", (*here, "mask"), message, "leave out one of mask and enabled")


def is_known(subject: Subject, name: str) -> bool:
    """Whether the config or some system defines it, or its template; kinds that systemd creates itself count as defined."""
    if known_units.kind_of(name) in known_units.MADE_BY_SYSTEMD:
        return True
    names = (name, known_units.template(name))
    return any(one in known_units.known() or subject.unit_files.defines(one) for one in names if one)


def meant(subject: Subject, name: str) -> str:
    """The unit whose name is close, or ""."""
    found = subject.close_names
    if name not in found:
        # difflib is slow, and a generated config may have thousands of unknown names.
        if len(found) == _LOOKUPS:
            return ""
        own = frozenset(one for one in subject.unit_files.texts if subject.unit_files.defines(one))
        found[name] = known_units.close(name, own)
    return found[name]


def _unknown(subject: Subject, unit: Unit, here: Path) -> Iterator[Finding]:
    if unit.contents or unit.name.partition(".")[0].endswith("-"):
        return  # drop-ins of `a-.service` apply to all units with this prefix
    close = meant(subject, unit.name)
    if not close and subject.has_other_configs:
        return
    missing = "no unit of this name is known, and the config has no contents for it"
    if template := known_units.template(unit.name):
        missing = f"neither a unit of this name nor its template {template} is known, and the config has no contents for it"
    kept = "if the image or another config provides it, ignore this"
    fix = f"did you mean {close}? {kept}" if close else f"check the name, or add its contents; {kept}"
    has_dropins = any(dropin.contents for dropin in unit.dropins)
    if unit.enabled:
        yield advice("W1", (*here, "name"), f"unit is enabled, but {missing}", fix)
    elif has_dropins:
        yield advice("W2", (*here, "name"), f"drop-in for a unit that may not exist: {missing}", fix)
    elif close and (unit.mask is not None or unit.enabled is not None):
        said = "masked" if unit.mask else "unmasked" if unit.mask is False else "disabled"
        yield advice("W1", (*here, "name"), f"unit is {said}, but {missing}", fix)


def _cannot_be_enabled(subject: Subject, unit: Unit, here: Path) -> Iterator[Finding]:
    """Cases that U1, U4 and V38 do not cover: definitions in files, templates of other kinds, templates themselves."""
    files = subject.unit_files
    name = unit.name if files.texts.get(unit.name) and files.defines(unit.name) else known_units.template(unit.name)
    texts = files.texts.get(name, [])
    if name in files.opaque or not any(not text.is_dropin for text in texts):
        return
    if "@." in unit.name and not any(text.first("Install", "DefaultInstance") for text in texts):
        fix = "enable an instance, such as " + unit.name.replace("@.", "@NAME.") + ", or set DefaultInstance= in [Install]"
        yield advice("W4", (*here, "enabled"), "a template is enabled without an instance: enabling has no effect", fix)
        return
    if any(unit_syntax.can_be_enabled(text.contents) for text in (*texts, *files.texts.get(unit.name, ()))):
        return
    in_unit = texts[0].path[0] == "systemd"
    if in_unit and (name == unit.name or name.endswith(".service")):
        return  # U4 or V38, or U1
    which = "its definition" if name == unit.name else f"its template {name}"
    message = f"unit is enabled, but {which} has nothing in an [Install] section: enabling has no effect"
    yield advice("W4", (*here, "enabled"), message, INSTALL_FIX)
