"""Merge a config into another. Driven by the records: KEY, SHARED and REPEATABLE define how each list is combined.

Source: docs/reference/ignition-config.md §4.3 (3.x: merge) and docs/reference/ignition-config.md §4.7 (2.x: append).
"""

from __future__ import annotations

from ignition.config.model import Config
from ignition.config.model.ignition import Header
from ignition.config.record import Field, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def merge(parent: Config, child: Config) -> Config:
    """The child's values win; lists are merged by key. A parent from 2.x appends lists, whatever their keys.

    The result may break rules that both sides follow: check_merged() reports them.
    """
    if parent.ignition.translated and child.ignition.translated:
        from ignition.config.v1.translate import keep_names_apart

        child = keep_names_apart(parent, child)
    if parent.ignition.config.append:
        return _marked(_appended(parent, child), parent, child, append=True)
    return _marked(_merged(parent, child), parent, child, append=None)


def _marked(config: Any, parent: Config, child: Config, *, append: bool | None) -> Config:
    """The parent decides how further configs are merged; the mark of a translated 2.x config is kept."""
    ignition = config.ignition
    translated = parent.ignition.translated or child.ignition.translated
    references = ignition.config.evolve(append=append)
    ignition = ignition.evolve(version=parent.ignition.version, translated=translated, config=references)
    marked: Config = config.evolve(ignition=ignition)
    return marked


def _merged(parent: Record, child: Record) -> Record:
    cls = type(parent)
    members: dict[str, Any] = {}
    for name, field in cls.FIELDS.items():
        old, new = parent.__dict__[name], child.__dict__[name]
        if field.many:
            members[name] = _lists(parent, child, field, old, new)
        # Identity: an absent member is the default itself, and the other side is used without a copy.
        elif new is field.default or old is field.default:
            members[name] = old if new is field.default else new
        elif field.is_record:
            members[name] = _merged(old, new)
        else:
            members[name] = old if new is None else new
    return cls.of(members)


def _lists(parent: Record, child: Record, field: Field, old: tuple[Any, ...], new: tuple[Any, ...]) -> tuple[Any, ...]:
    if field.name in parent.REPEATABLE:
        return old + new
    if field.name in parent.SHARED and old:
        # A path that the child moves to another of these lists, say from files to links, leaves the parent's list.
        taken = {_key(element) for name in parent.SHARED if name != field.name for element in getattr(child, name)}
        taken -= {_key(element) for element in new}
        old = tuple(element for element in old if _key(element) not in taken)
    return _by_key(old, new) if old and new else old + new


def _by_key(old: tuple[Any, ...], new: tuple[Any, ...]) -> tuple[Any, ...]:
    """The parent's elements in order, merged with those of the child that have the same key; then the child's own."""
    rest: dict[object, Any] = {}
    more: list[Any] = []
    known = {_key(element) for element in old}
    for element in new:
        key = _key(element)
        # Lists translated from 2.x may repeat keys: only the first of equal elements is merged.
        if key in known and key not in rest:
            rest[key] = element
        else:
            more.append(element)
    result: list[Any] = []
    for element in old:
        other = rest.pop(_key(element), None)
        if other is None:
            result.append(element)
        elif not isinstance(element, Header):
            result.append(_merged(element, other) if isinstance(element, Record) else other)
        elif other.value is not None or other.extension.sealed_value is not None:  # without a value it removes the parent's
            result.append(other)
    return tuple(result + more)


def _key(element: object) -> object:
    return element.key() if isinstance(element, Record) else element


def _appended(parent: Record, child: Record) -> Record:
    """2.x: every list is concatenated; set members of the child win."""
    cls = type(parent)
    members: dict[str, Any] = {}
    for name, field in cls.FIELDS.items():
        old, new = parent.__dict__[name], child.__dict__[name]
        if field.many:
            members[name] = old + new
        elif isinstance(old, Record):
            # `ignition.config` is that of the child: the references of the parent are already being followed.
            members[name] = new if cls is not Config and name == "config" else _appended(old, new)
        else:
            members[name] = old if new is None else new
    return cls.of(members)
