"""Sections of a document → records of Ignition's model, member by member. Sugar within a record is expanded on the way."""

from __future__ import annotations

import re
from collections.abc import Callable

from ignition.config.model.storage import Link, Raid
from ignition.config.record import Record
from ignition.config.report import Path
from ignition.config.versions import order
from ignition.transpile.butane.model import Dropin, Resource, Unit, User
from ignition.transpile.butane.translation import NO_DIRECTORY, Work, mark
from ignition.transpile.contents import content_of, percent_encoded, shortest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Sugar = Callable[[Work, Any, dict[str, Any], Path], None]


# Contents from the document itself or from a local file.
#
# Source: docs/reference/config-transpiler.md §B5.

_SHORTEST_SINCE = "3.1.0"


def put_resources_in(work: Work, resource: Resource, members: dict[str, Any], path: Path) -> None:
    """Set the resource's source, unless the document has one."""
    if resource.local is not None:
        there = (*path, "local")
        content = work.read(resource.local, there)
    elif resource.inline is not None:
        there = (*path, "inline")
        content = content_of(resource.inline)
    else:
        return
    if content is not None:
        members |= encoded(work, content, resource.compression, there)


def encoded(work: Work, content: bytes, compression: str | None, path: Path) -> dict[str, Any]:
    """`source`, and `compression` unless the user's value applies, with that path as origin. `compression`: the user's value."""
    if order(work.variant.spec) < order(_SHORTEST_SINCE):
        return {"source": mark(percent_encoded(content), path)}
    source, chosen = shortest(content, compression=compression)
    if compression:
        return {"source": mark(source, path)}
    return {"source": mark(source, path), "compression": mark(chosen or "", path)}


# SSH keys from local files, one in each line. Source: docs/reference/config-transpiler.md §B8.

_NAME = "ssh_authorized_keys_local"


def put_keys_in(work: Work, user: User, members: dict[str, Any], path: Path) -> None:
    """Append them to the user's other keys. Lines are used unchanged, including comments; empty ones are skipped."""
    names = user.ssh_authorized_keys_local
    if not names:
        return
    if not work.files.are_available:
        work.error((*path, _NAME), NO_DIRECTORY, "use -d DIRECTORY; on the machine itself: write them to ssh_authorized_keys")
        return
    keys = list(members.get("ssh_authorized_keys", ()))
    for index, name in enumerate(names):
        there = (*path, _NAME, index)
        content = work.read(name, there)
        lines = re.split("\r?\n", content.decode("utf-8", "replace")) if content else []
        keys += [mark(line, there) for line in lines if line]
    members["ssh_authorized_keys"] = tuple(keys)


# Texts of units and drop-ins from local files. Source: docs/reference/config-transpiler.md §B8.


def put_unit_files_in(work: Work, unit: Unit | Dropin, members: dict[str, Any], path: Path) -> None:
    """The file's text as `contents`, if its name is set and not empty."""
    if unit.contents_local:
        there = (*path, "contents_local")
        content = work.read(unit.contents_local, there)
        if content is not None:
            members["contents"] = mark(content.decode("utf-8", "replace"), there)


_SUGAR: dict[type[Record], Sugar] = {
    Resource: put_resources_in,
    User: put_keys_in,
    Unit: put_unit_files_in,
    Dropin: put_unit_files_in,
}
# Members that were plain texts before the spec version that made them optional: an absent one is written as "".
_PLAIN_UNTIL: dict[type[Record], tuple[str, str]] = {Raid: ("level", "3.3.0"), Link: ("target", "3.3.0")}


def converted(work: Work, record: Record, path: Path) -> Any:
    """The record of the model, its values marked with their paths."""
    model: type[Record] = getattr(record, "MODEL", None) or type(record)
    members: dict[str, Any] = {}
    for name, value in record.set_members():
        if name in model.FIELDS:
            here = (*path, name)
            if isinstance(value, tuple):
                members[name] = tuple(_value(work, element, (*here, index)) for index, element in enumerate(value))
            else:
                members[name] = _value(work, value, here)
    sugar = _SUGAR.get(type(record))
    if sugar:
        sugar(work, record, members, path)
    # Not in the document, but in the original's struct, so that it counts as set.
    plain, until = _PLAIN_UNTIL.get(model, ("", ""))
    if plain and order(work.variant.spec) < order(until):
        members.setdefault(plain, mark("", path))
    return model.of(members)


def _value(work: Work, value: Any, path: Path) -> Any:
    return converted(work, value, path) if isinstance(value, Record) else mark(value, path)
