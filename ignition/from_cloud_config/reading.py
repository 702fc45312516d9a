"""Members of a cloud-config, read with their paths; whatever no translator has read is listed at the end.

A View is a mapping of the document. It remembers the members that were read: `close` lists the others, so that none is dropped
without notice. Messages quote keys, never values.
"""

from __future__ import annotations

from ignition.config.report import INFO, KEY, VALUE, WARNING, Finding
from ignition.config.text.yaml_nodes import Mapping, Scalar, Sequence, is_null

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.report import Path
    from ignition.config.text.yaml_nodes import Node

# Words that cloud-init accepts as booleans, beside those of YAML (cloudinit.util.is_true, is_false).
_TRUE, _FALSE = frozenset({"true", "1", "on", "yes"}), frozenset({"false", "0", "off", "no"})
UNKNOWN = "cloud-init does not have this key"


class Leftovers:
    """Everything that was not translated (warnings), and remarks about the rest (infos)."""

    def __init__(self) -> None:
        self.found: list[Finding] = []

    def left(self, path: Path, message: str, fix: str = "") -> None:
        """The value at `path` has no counterpart in the result."""
        self._add(WARNING, path, f"not translated: {message}", fix)

    def note(self, path: Path, message: str, fix: str = "") -> None:
        """The value is translated, or has no effect; this is worth knowing."""
        self._add(INFO, path, message, fix)

    def _add(self, level: str, path: Path, message: str, fix: str) -> None:
        at = KEY if path and isinstance(path[-1], str) else VALUE
        self.found.append(Finding(level, path, message, fix, at=at))


def text(node: Node | None) -> str | None:
    """A scalar as it is written; None for anything else, and for null."""
    return node.text if isinstance(node, Scalar) and not is_null(node) else None


def flag(node: Node | None) -> bool | None:
    """A boolean, or a word for one; None for anything else."""
    word = (text(node) or "").lower()
    return True if word in _TRUE else False if word in _FALSE else None


def is_number(word: str) -> bool:
    """Whether a text consists of decimal digits."""
    return word.isascii() and word.isdecimal()


class View:
    """A mapping at `path`. With `dashes`, `a-b` is read as `a_b`, as cloud-init does below `users`."""

    def __init__(self, leftovers: Leftovers, path: Path, node: Node | None, *, dashes: bool = False) -> None:
        self.leftovers, self.path = leftovers, path
        members = node.members if isinstance(node, Mapping) else {}
        self._names = {name.replace("-", "_") if dashes else name: name for name in members}
        self._members, self._read = members, set[str]()
        if node is not None and not isinstance(node, Mapping) and not is_null(node):
            leftovers.left(path, f"this is {node.what}, not a mapping")

    def __contains__(self, name: str) -> bool:
        return name in self._names and not is_null(self._members[self._names[name]])

    def has(self, name: str) -> bool:
        """Whether a member is written, even as null."""
        return name in self._names

    def at(self, name: str) -> Path:
        """The path of a member, as it is written."""
        return (*self.path, self._names.get(name, name))

    def node(self, name: str) -> Node | None:
        """A member; None if it is absent or null."""
        self._read.add(name)
        return self._members[self._names[name]] if name in self else None

    def text(self, name: str, default: str | None = None) -> str | None:
        """A member that is a scalar, as it is written. Anything else is listed."""
        node = self.node(name)
        if node is None:
            return default
        found = text(node)
        if found is None:
            self.leftovers.left(self.at(name), f"this is {node.what}, not a text")
        return default if found is None else found

    def flag(self, name: str, default: bool | None = None) -> bool | None:
        """A member that is a boolean. Anything else is listed."""
        node = self.node(name)
        if node is None:
            return default
        found = flag(node)
        if found is None:
            self.leftovers.left(self.at(name), "this is not true or false")
        return default if found is None else found

    def items(self, name: str) -> Iterator[tuple[Path, Node]]:
        """The elements of a member with their paths; a single value is a list of one. Elements that are null are left out."""
        node = self.node(name)
        if isinstance(node, Sequence):
            yield from (((*self.at(name), index), one) for index, one in enumerate(node.items) if not is_null(one))
        elif node is not None:
            yield self.at(name), node

    def texts(self, name: str) -> list[str]:
        """The elements of a member that are scalars; others are listed."""
        found = []
        for path, node in self.items(name):
            if (one := text(node)) is None:
                self.leftovers.left(path, f"this is {node.what}, not a text")
            else:
                found.append(one)
        return found

    def members(self) -> Iterator[tuple[str, Path, Node]]:
        """All members: name as it is written, path, value."""
        for name, node in self._members.items():
            self._read.add(name)
            yield name, (*self.path, name), node

    def view(self, name: str) -> View:
        """A member that is a mapping; an empty one if it is absent."""
        return View(self.leftovers, self.at(name), self.node(name))

    def ignore(self, *names: str) -> None:
        """Members without an effect on the result."""
        self._read.update(names)

    def left(self, name: str, message: str, fix: str = "") -> None:
        """List a member, if it exists."""
        if self.node(name) is not None:
            self.leftovers.left(self.at(name), message, fix)

    def note(self, name: str, message: str, fix: str = "") -> None:
        """Remark on a member, if it exists."""
        if self.node(name) is not None:
            self.leftovers.note(self.at(name), message, fix)

    def unread(self) -> list[tuple[str, Path]]:
        """The members that were not read: name and path."""
        return [
            (name, (*self.path, written))
            for name, written in self._names.items()
            if name not in self._read and written not in self._read
        ]

    def close(self) -> None:
        """List the members that were not read."""
        for _, path in self.unread():
            self.leftovers.left(path, UNKNOWN)
