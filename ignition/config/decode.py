"""Plain data → records of one spec version. Data driven: the records say which members a version has.

Source: docs/reference/ignition-config.md §1.4. Only types are checked here. Absent members get their default, required strings
"" and required numbers 0, which the rules then report.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ignition.config.record import Field, Record, folded
from ignition.config.report import Path
from ignition.config.versions import NEVER, order
from ignition.host import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ZERO: dict[Any, Any] = {str: "", int: 0, bool: False}
_INT_64 = range(-(2**63), 2**63)
_NAMES: dict[type, str] = {str: "a string", bool: "true or false", int: "an integer", list: "a list", dict: "an object"}


class Mistyped(Exception):
    """A value of the wrong type. The decoder notes it and continues with the value of a missing member."""

    def __init__(self, path: Path, wanted: str, value: object) -> None:
        self.path, self.wanted, self.value = path, wanted, value  # the value may be a secret: not for messages
        is_large = type(value) is int and value not in _INT_64
        found = "a number with a fraction or an exponent" if isinstance(value, float) else _NAMES.get(type(value), "null")
        self.found = "a number of more than 64 bits" if is_large else found
        super().__init__(f"must be {wanted}, not {self.found}")


class Notes:
    """Observations of the decoder. Only `mistyped` makes a config invalid."""

    def __init__(self) -> None:
        self.unknown: list[Unknown] = []
        self.absent: list[Path] = []  # null where an object is expected
        self.unlisted = 0  # beyond limits.FINDINGS
        self.mistyped: list[Mistyped] = []
        self.unlisted_mistyped = 0  # likewise

    def add_unknown(self, one: Unknown) -> None:
        """Keep it, or count it."""
        if len(self.unknown) < limits.FINDINGS:
            self.unknown.append(one)
        else:
            self.unlisted += 1

    def add_absent(self, path: Path) -> None:
        """Keep it, or count it."""
        if len(self.absent) < limits.FINDINGS:
            self.absent.append(path)
        else:
            self.unlisted += 1

    def add_mistyped(self, path: Path, wanted: str, value: object) -> None:
        """Keep it, or count it."""
        if len(self.mistyped) < limits.FINDINGS:
            self.mistyped.append(Mistyped(path, wanted, value))
        else:
            self.unlisted_mistyped += 1


class Unknown:
    """A key that the version does not have at this place."""

    __slots__ = ("known", "path", "proper", "since")

    def __init__(self, path: Path, proper: str, since: str, known: Collection[str]) -> None:
        self.path = path
        self.proper = proper  # its name, if only case differs: then it is read
        self.since = since  # the first spec version that knows it, if it is a later one
        self.known = known  # the names at its place


class _Member:
    """One member in one version."""

    __slots__ = ("field", "shape")

    def __init__(self, field: Field, shape: _Shape | None) -> None:
        self.field, self.shape = field, shape


class _Shape:
    """The members of a record class in one version, by JSON name."""

    def __init__(self, cls: type[Record], version: str, later: Mapping[str, str]) -> None:
        self.cls, self.later = cls, later
        self.required = {name: _ZERO[field.element] for name, field in cls.FIELDS.items() if field.required}
        self.members = {
            field.json: _Member(field, shape_of(field.element, version, field.inner_since) if field.is_record else None)
            for field in cls.FIELDS.values()
            if order(later.get(field.json, field.since)) <= order(version)
        }
        self.by_lower = {folded(name): name for name in self.members}
        # Shared by all places without a value: records are frozen.
        self.empty = cls.of(dict(self.required))

    def first_version(self, key: str) -> str:
        """The later spec version that introduced a key; "" if none has it."""
        field = self.cls.BY_JSON.get(key)
        return "" if field is None or order(field.since) == NEVER else self.later.get(key, field.since)


_SHAPES: dict[tuple[type[Record], str, tuple[tuple[str, str], ...]], _Shape] = {}


def decode(cls: type[Record], version: str, data: object, notes: Notes) -> Any:
    """A record of that class. Where `notes` has a value as mistyped, the record has its default, and the config is invalid."""
    return _record(shape_of(cls, version), data, (), notes)


def shape_of(cls: type[Record], version: str, later: Mapping[str, str] | None = None) -> _Shape:
    """Built once per class and version."""
    later = later or {}
    identity = (cls, version, tuple(sorted(later.items())))
    if identity not in _SHAPES:
        _SHAPES[identity] = _Shape(cls, version, later)
    return _SHAPES[identity]


def _record(shape: _Shape, data: object, path: Path, notes: Notes) -> Record:
    if data is None:
        notes.add_absent(path)
        return shape.empty
    if type(data) is not dict:
        notes.add_mistyped(path, "an object", data)
        return shape.empty
    values = dict(shape.required)
    members = shape.members
    for key, value in data.items():
        # Exact names first, as in Go: the lookup without case is slow and reports the key.
        member = members.get(key) or _misspelt(shape, key, path, notes)
        if member is None:
            continue
        field = member.field
        if value is None:
            if member.shape and not field.many:
                notes.add_absent((*path, field.json))
        elif field.many:
            values[field.name] = _list(member, value, (*path, field.json), notes)
        elif member.shape:
            values[field.name] = _record(member.shape, value, (*path, field.json), notes)
        else:
            kind = field.element
            # Exact types: bool is a subclass of int in Python, but not a number in JSON.
            if type(value) is not kind or (kind is int and value not in _INT_64):
                notes.add_mistyped((*path, field.json), _NAMES[kind], value)
            else:
                values[field.name] = value
    return shape.cls.of(values)


def _misspelt(shape: _Shape, key: str, path: Path, notes: Notes) -> _Member | None:
    name = shape.by_lower.get(folded(key), "")
    notes.add_unknown(Unknown((*path, key), name, "" if name else shape.first_version(key), shape.members))
    return shape.members[name] if name else None


def _list(member: _Member, value: object, path: Path, notes: Notes) -> tuple[Any, ...]:
    if type(value) is not list:
        notes.add_mistyped(path, "a list", value)
        return ()
    if member.shape:
        shape = member.shape
        return tuple(_record(shape, element, (*path, index), notes) for index, element in enumerate(value))
    kind = member.field.element
    found = []
    for index, element in enumerate(value):
        # Go decodes a null in a list to an empty element, which the rules then check.
        if element is None or type(element) is not kind or (kind is int and element not in _INT_64):
            if element is not None:
                notes.add_mistyped((*path, index), _NAMES[kind], element)
            found.append(_ZERO[kind])  # keeps the indexes of the text
        else:
            found.append(element)
    return tuple(found)
