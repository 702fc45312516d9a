"""Sections whose options depend on the version of a program: the record of each version, its arguments, and version numbers.

The options are in ignition/config/service_options.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ignition.config.record import Record, spec
from ignition.config.text.yaml_nodes import is_null
from ignition.config.versions import plain
from ignition.patterns import lazy_pattern
from ignition.transpile.ct.units import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.service_options import Option
    from ignition.config.text.yaml_nodes import Node


_TYPES: dict[type, Any] = {str: str | None, int: int | None, bool: bool | None}
ARGUMENTS = "arguments"  # attribute of a section's class: the names of its options, in the order of the command line


def section(base: type[Record], name: str, options: Sequence[Option]) -> type[Record]:
    """A record class with these options as optional members, in their order, besides the members of `base`."""
    body: dict[str, Any] = {one.name: spec(one.words, default=None) for one in options}
    body["__annotations__"] = {one.name: _TYPES[one.kind] for one in options}
    body["__doc__"] = f"Options: {name}."
    body[ARGUMENTS] = [one.name for one in options]
    made: type[Record] = type(name, (base,), body)
    return made


def arguments(record: Record, renamed: dict[str, str] | None = None) -> dict[str, str]:
    """The options that are set → `--name=value`; texts are quoted as systemd reads them."""
    found = {}
    for option in getattr(record, ARGUMENTS, ()):
        value = getattr(record, option)
        if value is None:
            continue
        if isinstance(value, bool):
            text = "true" if value else "false"
        else:
            text = quoted(value) if isinstance(value, str) else str(value)
        found[option] = f"--{(renamed or {}).get(option, option).replace('_', '-')}={text}"
    return found


def text_of(node: Node, name: str) -> str | None:
    """The text of a scalar member; None if it is absent or null, except for `~`, which ct reads as a zero value."""
    child = node.child(name)
    text = getattr(child, "text", None)
    return None if child is not None and is_null(child) and text != "~" else text


# Versions of programs as go-semver reads them: three numbers, and optional parts behind - and +.

_FORM = lazy_pattern(r"(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?", re.ASCII)
Numbers = tuple[int, int, int]


def numbers(text: str) -> Numbers | None:
    """The three numbers; None if the text is not a version."""
    # Bounded, since int() refuses thousands of digits with a ValueError.
    found = _FORM.fullmatch(text) if len(text) < 100 else None
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def canonical(text: str) -> str:
    """The version without leading zeros."""
    found = _FORM.fullmatch(text)
    if not found:
        return text
    return plain(found[1], found[2], found[3]) + (f"-{found[4]}" if found[4] else "") + (f"+{found[5]}" if found[5] else "")
