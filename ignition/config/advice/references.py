"""W5: names of undefined units in the config's units.

Ordering and weak dependencies (After=, Wants=) may name units that do not exist: they are reported only if they look like a typo.
Units that are required to start, or to be started, are always reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ignition.config.advice import known_units
from ignition.config.advice.subject import advice
from ignition.config.advice.unit_files import UnitText
from ignition.config.advice.unit_options import inside
from ignition.config.advice.units import is_known, meant
from ignition.config.known_values import UNIT_TYPES
from ignition.patterns import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.advice.subject import Subject
    from ignition.config.report import Finding
    from ignition.config.unit_syntax import Option

_CONSEQUENCES = {
    ("Unit", "Requires"): "the unit cannot start",
    ("Unit", "Requisite"): "the unit cannot start",
    ("Unit", "BindsTo"): "the unit cannot start",
    ("Unit", "OnFailure"): "nothing happens on failure",
    ("Unit", "OnSuccess"): "nothing happens on success",
    ("Install", "WantedBy"): "nothing starts the unit",
    ("Install", "RequiredBy"): "nothing starts the unit",
    ("Install", "UpheldBy"): "nothing starts the unit",
    ("Install", "Also"): "it is not enabled",
    ("Timer", "Unit"): "the timer starts nothing",
    ("Path", "Unit"): "the path starts nothing",
    ("Socket", "Service"): "the socket starts nothing",
    ("Service", "Sockets"): "the service gets no socket",
}
_WISHES = frozenset(
    ("Unit", name)
    for name in ("Wants", "After", "Before", "PartOf", "Conflicts", "Upholds", "PropagatesReloadTo", "JoinsNamespaceOf")
)
_STARTS = {"timer": ("Timer", "Unit"), "path": ("Path", "Unit"), "socket": ("Socket", "Service")}
_YES = ("1", "yes", "y", "true", "t", "on")
_NAME = lazy_pattern(r"[A-Za-z0-9:_.\\@-]+", re.ASCII)


def advise(subject: Subject) -> Iterator[Finding]:
    """Unit by unit, in the order of their options."""
    for text in subject.unit_files.all():
        for option in text.options:
            where = (option.section, option.name)
            if where in _CONSEQUENCES or where in _WISHES:
                for name in dict.fromkeys(re.split(r"[\s\"']+", option.value)):
                    yield from _named(subject, text, option, name)
        if not text.is_dropin:
            yield from _activated(subject, text)


def _named(subject: Subject, text: UnitText, option: Option, name: str) -> Iterator[Finding]:
    if not _NAME.fullmatch(name):
        return  # empty, a specifier, or a path, which systemd converts to a mount or device unit
    what = f"{option.name}= names {name}"
    place = inside(subject, text, option)
    if known_units.kind_of(name) not in UNIT_TYPES:
        known = next((f"{name}.{kind}" for kind in ("service", "target") if is_known(subject, f"{name}.{kind}")), "")
        fix = f"write {known}" if known else "add the type, such as .service or .target"
        yield advice("W5", text.path, f"{what}, which is not a unit name: the type is missing", fix, place)
    elif not is_known(subject, name):
        close = meant(subject, name)
        consequence = _CONSEQUENCES.get((option.section, option.name), "")
        if close or (consequence and not subject.has_other_configs):
            message = f"{what}: no unit of this name is known" + (f"; without it {consequence}" if consequence else "")
            kept = "if the image provides it, ignore this"
            fix = f"did you mean {close}? {kept}" if close else f"check the name, or define the unit; {kept}"
            yield advice("W5", text.path, message, fix, place)


def _activated(subject: Subject, text: UnitText) -> Iterator[Finding]:
    """A timer, path or socket unit starts the service of its own name by default."""
    where = _STARTS.get(text.kind)
    texts = subject.unit_files.texts[text.unit]
    if not where or any(one.first(*where) for one in texts) or subject.has_other_configs:
        return
    stem = text.unit.rpartition(".")[0]
    # With Accept=yes, systemd starts an instance of a template for each connection.
    accepts = text.kind == "socket" and any((one.first("Socket", "Accept") or "").lower() in _YES for one in texts)
    started = f"{stem}@.service" if accepts else f"{stem}.service"
    if not is_known(subject, started):
        message = f"{text.kind} starts {started}, but no unit of this name is known: the config does not define it"
        option = "Service=" if text.kind == "socket" else "Unit="
        yield advice("W5", text.path, message, f"define it, or name another unit with {option}")
