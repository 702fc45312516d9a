"""Sections of a document → records of Ignition's model, member by member. Sugar of one record is put in on the way."""

from ignition.config.model.storage import Link, Raid
from ignition.config.record import Record
from ignition.config.report import Path
from ignition.config.versions import order
from ignition.transpile.butane import local_keys, resources, unit_files
from ignition.transpile.butane.model import Dropin, Resource, Unit, User
from ignition.transpile.butane.work import Work, mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Sugar = Callable[[Work, Any, dict[str, Any], Path], None]

_SUGAR: "dict[type[Record], Sugar]" = {
    Resource: resources.put_in,
    User: local_keys.put_in,
    Unit: unit_files.put_in,
    Dropin: unit_files.put_in,
}
# Plain texts, always written, before the spec version that made them optional: an absent one is empty, also when merged.
_PLAIN_UNTIL: "dict[type[Record], tuple[str, str]]" = {Raid: ("level", "3.3.0"), Link: ("target", "3.3.0")}


def converted(work: Work, record: Record, path: Path) -> "Any":
    """The record of the model, its values marked with their paths."""
    model: type[Record] = getattr(record, "MODEL", None) or type(record)
    members: dict[str, Any] = {}
    for name, value in record.set_members():
        if name in model.FIELDS:
            here = (*path, name)
            is_list = isinstance(value, tuple)
            members[name] = _elements(work, value, here) if is_list else _value(work, value, here)
    sugar = _SUGAR.get(type(record))
    if sugar:
        sugar(work, record, members, path)
    plain, until = _PLAIN_UNTIL.get(model, ("", ""))
    if plain and order(work.variant.spec) < order(until):
        members.setdefault(plain, mark("", path))
    return model.of(members)


def _elements(work: Work, elements: "tuple[Any, ...]", path: Path) -> "tuple[Any, ...]":
    return tuple(_value(work, element, (*path, index)) for index, element in enumerate(elements))


def _value(work: Work, value: "Any", path: Path) -> "Any":
    return converted(work, value, path) if isinstance(value, Record) else mark(value, path)
