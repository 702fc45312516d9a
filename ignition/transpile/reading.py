"""A YAML tree → records of the source, and everything in it that does not fit them.

The records are `config.record.Record`s. Their members have the names of the YAML (`wipe_table`); the JSON name of each
(`wipeTable`) is its name in the Ignition config, so most members translate automatically (generated.members). An absent member
has its declared default, which is None if its presence matters (`mode: int | None`). Numbers that must not be negative are
`Unsigned | None`. A member whose type depends on its content (`etcd` on its `version`) is declared with a base class that has a
class method `chosen(node: Mapping) -> type[Record]`.
"""

from __future__ import annotations

from ignition.config.decode import Unknown, shape_of
from ignition.config.record import folded
from ignition.config.report import ERROR, Finding, Path
from ignition.config.text.yaml_nodes import (
    LIST,
    MAPPING,
    WORDS,
    ZERO,
    Mapping,
    Node,
    Scalar,
    Sequence,
    Span,
    complaint,
    is_null,
    scalar,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.record import Field, Record

MERGE = "<<"


class Read:
    """The result of reading a document. All lists are in the order of the document.

    `value`: the record; members of wrong types have their defaults. `wrong`: an error for each value of a wrong type. `unknown`:
    keys that the version does not have (`proper` is the known key if only the case differs). `nulls`, `aliases`: paths of
    mappings and lists that are null, or an alias. `null_elements`: paths and spans of null elements in lists of mappings, which
    are dropped, so that a path is that of the next element. `merges`: path and span of each `<<`.
    """

    def __init__(self) -> None:
        self.value: Any = None
        self.wrong: list[Finding] = []
        self.unknown: list[Unknown] = []
        self.nulls: list[Path] = []
        self.aliases: list[Path] = []
        self.null_elements: list[tuple[Path, Span]] = []
        self.merges: list[tuple[Path, Span]] = []


def read(cls: type[Record], root: Node, version: str, *, tilde_is_zero: bool = False) -> Read:
    """Read the tree of a document (`yaml_text.read(text, policy).root`) as a `cls` of that version. Raises nothing.

    `version` and the `since` of members decide which keys exist. `tilde_is_zero`: as in `ct`, `~` is an empty section, or the
    zero value of a scalar; otherwise null is equivalent to absence. A null root is an empty document.
    """
    reader = _Reader(version, tilde_is_zero=tilde_is_zero)
    members = _members(cls, version)
    if isinstance(root, Mapping):
        reader.found.value = reader.section(members, root, ())
    else:
        if not is_null(root):
            reader.mistyped((), MAPPING, root)
        reader.found.value = members.zero
    return reader.found


class _Members:
    """The members of a record class in one version, by their YAML names."""

    def __init__(self, cls: type[Record], version: str, later: dict[str, str]) -> None:
        shape = shape_of(cls, version, later)
        self.cls, self.zero, self.first_version = cls, shape.empty, shape.first_version
        self.fields: dict[str, Field] = {member.field.name: member.field for member in shape.members.values()}
        self.required = {field.name: ZERO[field.element] for field in self.fields.values() if field.required}
        self.by_lower = {folded(name): name for name in self.fields}

    def since(self, name: str) -> str:
        """The version that introduced a key which this version does not have; "" if none did."""
        field = self.cls.FIELDS.get(name)
        return self.first_version(field.json) if field else ""


_ALL: dict[tuple[type[Record], str, tuple[tuple[str, str], ...]], _Members] = {}


def _members(cls: type[Record], version: str, later: dict[str, str] | None = None) -> _Members:
    later = later or {}
    identity = (cls, version, tuple(sorted(later.items())))
    if identity not in _ALL:
        _ALL[identity] = _Members(cls, version, later)
    return _ALL[identity]


class _Reader:
    def __init__(self, version: str, *, tilde_is_zero: bool) -> None:
        self.found = Read()
        self._version, self._tilde_is_zero = version, tilde_is_zero

    def section(self, members: _Members, node: Mapping, path: Path) -> Any:
        """A record."""
        values = dict(members.required)
        self.found.merges += (((*path, MERGE), span) for span in node.merges)
        for name, inner in node.members.items():
            there = (*path, name)
            field = members.fields.get(name)
            if field is None:
                proper = members.by_lower.get(folded(name), "")
                self.found.unknown.append(Unknown(there, proper, "" if proper else members.since(name), members.fields))
                continue
            key = node.keys[name]
            if inner.span[0] < key[1] and not isinstance(inner, Scalar):
                self.found.aliases.append(there)
            value = self._value(field, inner, there)
            if value is not None:
                values[name] = value
        return members.cls.of(values)

    def _value(self, field: Field, node: Node, path: Path) -> Any:
        """None if the member is absent or of a wrong type."""
        if not field.many and not is_null(node):
            return self._single(field, node, path)
        if not field.many:
            if field.element not in ZERO:
                self.found.nulls.append(path)
            is_tilde = isinstance(node, Scalar) and node.text == "~"
            return self._zero(field) if self._tilde_is_zero and is_tilde else None
        if is_null(node):
            self.found.nulls.append(path)
            return None
        if not isinstance(node, Sequence):
            return self.mistyped(path, LIST, node)
        return tuple(self._items(field, node, path))

    def _items(self, field: Field, node: Sequence, path: Path) -> Any:
        if field.element not in ZERO:
            self.found.null_elements += (((*path, index), span) for index, span in node.nulls)
        seen = node.span[0]
        for index, item in enumerate(node.items):
            there = (*path, index)
            if item.span[0] < seen and not isinstance(item, Scalar):
                self.found.aliases.append(there)
            seen = max(seen, item.span[1])
            value = self._zero(field) if is_null(item) else self._single(field, item, there)
            yield self._zero(field) if value is None else value

    def _zero(self, field: Field) -> Any:
        if field.element in ZERO:
            return ZERO[field.element]
        return self._members_of(field, Mapping(_NOWHERE)).zero

    def _single(self, field: Field, node: Node, path: Path) -> Any:
        if field.element in ZERO:
            value = scalar(field.element, node)
            return self.mistyped(path, WORDS[field.element], node) if value is None else value
        if not isinstance(node, Mapping):
            return self.mistyped(path, MAPPING, node)
        return self.section(self._members_of(field, node), node, path)

    def _members_of(self, field: Field, node: Mapping) -> _Members:
        chosen = getattr(field.element, "chosen", None)
        return _members(chosen(node) if chosen else field.element, self._version, field.inner_since)

    def mistyped(self, path: Path, wanted: str, node: Node) -> None:
        """Note that a node has a wrong type."""
        self.found.wrong.append(Finding(ERROR, path, *complaint(path, wanted, node)))


_NOWHERE: Span = (0, 0)
