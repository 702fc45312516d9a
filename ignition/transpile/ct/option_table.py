"""Sections whose options depend on the version of a program: tables of names → the records of each version, and their arguments.

A table is one text: names in the order of the command line; a name is followed by `:i` for a number, by `:b` for true or false.
"""

from __future__ import annotations

import re

from ignition.config.record import Record, spec
from ignition.config.text.yaml_nodes import is_null
from ignition.config.versions import plain
from ignition.transpile.ct.units import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.text.yaml_nodes import Node


_KINDS: dict[str, Any] = {"": str | None, "i": int | None, "b": bool | None}
ARGUMENTS = "arguments"


def names(table: str) -> list[str]:
    """The rows of a table."""
    return table.split()


def inserted(table: list[str], after: str, more: str) -> list[str]:
    """The same table with more rows behind one of it."""
    place = table.index(after) + 1
    return [*table[:place], *names(more), *table[place:]]


def section(base: type[Record], name: str, table: list[str]) -> type[Record]:
    """A record class with an optional member per row, in their order, besides those of `base`."""
    rows = [row.partition(":")[::2] for row in table]
    members: dict[str, Any] = {option: spec("an option of that version", default=None) for option, _ in rows}
    annotations = {option: _KINDS[kind] for option, kind in rows}
    body = {**members, "__annotations__": annotations, "__doc__": f"Options: {name}.", ARGUMENTS: rows}
    made: type[Record] = type(name, (base,), body)
    return made


def arguments(record: Record, renamed: dict[str, str] | None = None) -> dict[str, str]:
    """The options that are given → `--name=value`; texts are quoted as systemd reads them."""
    found = {}
    for option, _ in getattr(record, ARGUMENTS, ()):
        value = getattr(record, option)
        if value is not None:
            name = (renamed or {}).get(option, option).replace("_", "-")
            found[option] = f"--{name}={_shown(value)}"
    return found


def _shown(value: str | int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return quoted(value) if isinstance(value, str) else str(value)


def text_of(node: Node, name: str) -> str | None:
    """The text of a scalar member; None if there is none, which null says, too, but not `~`: that is a zero to ct."""
    child = node.child(name)
    text = getattr(child, "text", None)
    return None if child is not None and is_null(child) and text != "~" else text


# Versions of programs as go-semver reads them: three numbers, perhaps with what follows - and +.

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
