"""Values in metadata documents: a text by its path, or a member of a JSON document, each described for docs/platforms.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ignition.errors import Failure
from ignition.host import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.metadata.reader import Reader

    Found = str | list[str | None] | None  # a list becomes numbered attributes; None in it skips a number


class Value:
    """The location of a value. `read` returns None if the machine does not have it."""

    def __init__(self, says: str, read: Callable[[Reader], Found]) -> None:
        self.says, self.read = says, read


def text(path: str) -> Value:
    """A document that is one value, without the line end."""

    def read(reader: Reader) -> str | None:
        found = reader.text(path)
        return None if found is None else found.removesuffix("\n").removesuffix("\r")

    return Value(path, read)


def first(*values: Value) -> Value:
    """The first of several values that is not empty; an empty one if all that exist are empty."""

    def read(reader: Reader) -> Found:
        found = None
        for value in values:
            one = value.read(reader)
            if one:
                return one
            found = one if found is None else found
        return found

    return Value(", else ".join(value.says for value in values), read)


def changed(value: Value, change: Callable[[str], str]) -> Value:
    """A value with `change` applied to every text."""

    def read(reader: Reader) -> Found:
        found = value.read(reader)
        if isinstance(found, list):
            return [None if one is None else change(one) for one in found]
        return None if found is None else change(found)

    return Value(value.says, read)


def first_word(value: Value) -> Value:
    """Up to the first blank or line end: EC2 returns a name in each search domain of the DHCP options, separated by blanks."""
    return changed(value, lambda found: next(iter(found.split()), ""))


def joined(value: Value, separator: str) -> Value:
    """A list as one text; an empty list is an empty text."""

    def read(reader: Reader) -> Found:
        found = value.read(reader)
        return separator.join(one for one in found if one is not None) if isinstance(found, list) else found

    return Value(f"{value.says}, joined with {separator!r}", read)


class Document:
    """A structured document. `parse` turns its text into dictionaries, lists and plain values; default: JSON.

    `may_be_damaged`: a document that cannot be parsed, or is not an object, counts as missing, with a warning.
    """

    def __init__(
        self, path: str, parse: Callable[[str], object] | None = None, *, kind: str = "JSON", may_be_damaged: bool = False
    ) -> None:
        self.path, self._parse, self.kind, self._may_be_damaged = path, parse or _json, kind, may_be_damaged

    def read(self, reader: Reader) -> Any:
        """The parsed document; None if it does not exist. Raises Failure if it cannot be parsed."""
        return reader.parsed(self.path, self.parse)

    def parse(self, found: str) -> Any:
        """Raises Failure at the document's path."""
        try:
            parsed = self._parse(found)
        except (ValueError, RecursionError) as error:
            what = f"the metadata is not valid {self.kind}"
            if not self._may_be_damaged:
                raise Failure(what, where=self.path, fix="ask the platform's support") from error
            log.warning(f"{self.path}: {what}: ignored")
            return None
        if self._may_be_damaged and parsed is not None and not isinstance(parsed, dict):
            log.warning(f"{self.path}: the metadata is not an object: ignored")
            return None
        return parsed

    def member(self, path: str, *, required: bool = False, filled: bool = False) -> Value:
        """A member by its path: `network.ipv4.public[]` is a list of all elements, `interfaces.0.mac` a member of the first one.

        `[].ip` is a member of each element where the document itself is a list; `users.*[]` and `keys.*` cover all members of an
        object. Elements without the member keep their number.
        A missing member is omitted, unless it is `required` or `filled`: then Failure names it. A `filled` one must not be empty
        either; elsewhere an empty text is a valid answer, since a machine may have no host name.
        """

        def read(reader: Reader) -> Found:
            found = self.values(reader, path)
            if "[]" in path or "*" in path:
                return [None if one is None else plain(one) for one in found]
            if not found or found[0] is None or (filled and found[0] == ""):
                if required or filled:
                    raise Failure(f"the metadata has no {path}", where=self.path, fix="ask the platform's support")
                return None
            return plain(found[0])

        return Value(f"{path} of {self.path}" if self.path else path, read)

    def values(self, reader: Reader, path: str) -> list[object]:
        """The parsed values at a path (see `member`); None for a missing one."""
        return list(_walk(self.read(reader), path.split(".")))

    def objects(self, reader: Reader, path: str) -> list[dict[str, object]]:
        """The elements of a list of objects. Raises Failure if one is not an object."""
        objects = []
        for one in self.values(reader, f"{path}[]"):
            if isinstance(one, dict):
                objects.append(one)
            elif one is not None:
                what = f"{path or 'the document'} is not a list of objects"
                raise Failure(what, where=self.path, fix="ask the platform's support")
        return objects


def _json(found: str) -> object:
    from ignition.config.text.json_text import plain as read

    return read(found)


def _walk(node: object, parts: list[str]) -> Iterator[object]:
    if not parts:
        yield node
        return
    name, many = parts[0].removesuffix("[]"), parts[0].endswith("[]")
    for found in _named(node, name):
        for one in (found if isinstance(found, list) else ()) if many else (found,):
            yield from _walk(one, parts[1:])


def _named(node: object, name: str) -> list[object]:
    """The nodes of a name: a member, an element by its number, all members (`*`), or the node itself (empty name)."""
    if not name:
        return [node]
    if isinstance(node, dict):
        return list(node.values()) if name == "*" else [node.get(name)]
    if isinstance(node, list) and name.isascii() and name.isdigit() and int(name) < len(node):
        return [node[int(name)]]
    return [None]


def required(entry: dict[str, object], member: str, where: str) -> str:
    """A member of an object as text. Raises Failure at `where` if it is missing."""
    found = entry.get(member)
    if found is None:
        raise Failure(f"the metadata has no {member}", where=where, fix="ask the platform's support")
    return plain(found)


def plain(found: object) -> str:
    """Text unchanged, anything else as JSON writes it. Raises Failure if JSON cannot represent it."""
    if isinstance(found, str):
        return found
    import json

    try:
        return json.dumps(found)
    except (ValueError, TypeError, RecursionError) as error:
        raise Failure("a value in the metadata is not text, number, list or object", fix="ask the platform's support") from error
