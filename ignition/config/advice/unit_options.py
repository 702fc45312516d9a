"""W6 to W8: sections and options that systemd does not have. It only logs and ignores them, which is easily missed.

The names are those of data/options.json (docs/advice/collect.py), the newest systemd there and Debian 12's together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from ignition.config.advice.subject import advice
from ignition.config.advice.tables import table
from ignition.config.advice.unit_files import UnitText
from ignition.config.suggest import closest
from ignition.patterns import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.advice.subject import Subject
    from ignition.config.report import Finding
    from ignition.config.unit_syntax import Option

_NAME = lazy_pattern(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,59}", re.ASCII)
_ALIKE = 0.75  # difflib's measure: 1 is equal


def advise(subject: Subject) -> Iterator[Finding]:
    """Units of the manager, then those of networkd and udev."""
    for text in (*subject.unit_files.all(), *subject.unit_files.network):
        sections = known().get(text.kind)
        if sections is not None:
            yield from _outside(subject, text)
            yield from _unknown(subject, text, sections)


@cache
def known() -> dict[str, dict[str, frozenset[str]]]:
    """Kind of file → section → options."""
    data: dict[str, dict[str, str]] = table("options")
    return {kind: {name: frozenset(keys.split()) for name, keys in sections.items()} for kind, sections in data.items()}


def inside(subject: Subject, text: UnitText, option: Option) -> tuple[int, int] | None:
    """Range of the option's first line in its member, in characters; None if the member has the text in another form."""
    start = len(text.contents.encode("utf-8", "replace")[: option.start].decode("utf-8", "replace"))
    end = text.contents.find("\n", start)
    return _range(subject, text, start, end)


def _range(subject: Subject, text: UnitText, start: int, end: int) -> tuple[int, int] | None:
    if subject.written(text.path) != text.contents:
        return None
    return start, len(text.contents) if end < 0 else end


def _outside(subject: Subject, text: UnitText) -> Iterator[Finding]:
    start = 0
    for line in text.contents.splitlines(keepends=True):
        bare = line.strip().lstrip("\ufeff")
        if bare.startswith("["):
            return
        if bare and not bare.startswith(("#", ";")):
            fix = "put it below a [Section] line"
            place = _range(subject, text, start, start + len(line.rstrip()))
            yield advice("W8", text.path, "text before the first section: systemd ignores it", fix, place)
            return
        start += len(line)


def _unknown(subject: Subject, text: UnitText, sections: dict[str, frozenset[str]]) -> Iterator[Finding]:
    seen: set[tuple[str, str]] = set()
    for option in text.options:
        section, name = option.section, option.name
        # Reserved for other programs; systemd ignores them silently.
        if section.startswith("X-") or name.startswith("X-"):
            continue
        identity = (section, name if section in sections else "")
        # Once for each option, and once for all options of an unknown section.
        if identity in seen:
            continue
        seen.add(identity)
        line = text.contents.encode("utf-8", "replace").count(b"\n", 0, option.start) + 1
        if section not in sections:
            said = f"a .{text.kind} file has no section [{_shown(section)}]"
            message = f"{said}: systemd ignores it (used in line {line} of the unit)"
            yield advice("W6", text.path, message, _section_fix(section, sections), inside(subject, text, option))
        elif name not in sections[section]:
            message = f"[{section}] has no option {_shown(name)}: systemd ignores it (line {line} of the unit)"
            yield advice("W7", text.path, message, _option_fix(section, name, sections), inside(subject, text, option))


def _section_fix(section: str, sections: dict[str, frozenset[str]]) -> str:
    if _shown(section) == section and (meant := closest(section, sections, alike=_ALIKE)):
        return f"did you mean [{meant}]?"
    others = [kind for kind, of in known().items() if section in of]
    if others:
        return f"[{section}] belongs in a .{others[0]} file"
    return "custom sections begin with X-" if len(sections) > 4 else f"its sections are {_listed(sections)}"


def _option_fix(section: str, name: str, sections: dict[str, frozenset[str]]) -> str:
    by_case = {option.lower(): option for option in sections[section]}
    if name.lower() in by_case:
        return f"write {by_case[name.lower()]}"
    others = [other for other, options in sections.items() if name in options]
    if others:
        return f"it belongs in {_listed(others[:3])}"
    meant = closest(name, sections[section], alike=_ALIKE) if _shown(name) == name else ""
    return f"did you mean {meant}?" if meant else "custom options begin with X-"


def _shown(name: str) -> str:
    """The text if it looks like a name; others, such as a value on the wrong line, are not quoted."""
    return name if _NAME.fullmatch(name) else "…"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"[{name}]" for name in names)
