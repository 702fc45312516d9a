"""Values in metadata documents: a text by its path, or a member of a JSON document, each with words for docs/platforms.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ignition.errors import Failure
from ignition.host import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.metadata.reader import Reader

    Found = str | list[str | None] | None  # a list gives numbered attributes; None in it is a number that is left out


class Value:
    """Where a value is. `read` gives None when the machine has none."""

    def __init__(self, says: str, read: Callable[[Reader], Found]) -> None:
        self.says, self.read = says, read


def text(path: str) -> Value:
    """A document that is one value; the line feed at its end is no part of it."""
    return Value(path, lambda reader: _chomped(reader.text(path)))


def _chomped(found: str | None) -> str | None:
    return None if found is None else found.removesuffix("\n").removesuffix("\r")


def first(*values: Value) -> Value:
    """The first of several that the machine has and that is not empty; an empty one if all that it has are empty."""

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
    """A value with every text changed."""

    def read(reader: Reader) -> Found:
        found = value.read(reader)
        if isinstance(found, list):
            return [None if one is None else change(one) for one in found]
        return None if found is None else change(found)

    return Value(value.says, read)


def first_word(value: Value) -> Value:
    """Up to the first blank or line end: EC2 gives a name in each search domain that DHCP has, with blanks between them."""
    return changed(value, lambda found: next(iter(found.split()), ""))


def joined(value: Value, separator: str) -> Value:
    """A list as one text; an empty list is an empty text."""

    def read(reader: Reader) -> Found:
        found = value.read(reader)
        return separator.join(one for one in found if one is not None) if isinstance(found, list) else found

    return Value(f"{value.says}, joined with {separator!r}", read)


class Document:
    """A structured document. `parse` turns its text into dictionaries, lists and plain values; JSON if none is given.

    `may_be_damaged`: one that cannot be parsed, or is not an object, counts as missing, with a warning.
    """

    def __init__(
        self, path: str, parse: Callable[[str], object] | None = None, *, kind: str = "JSON", may_be_damaged: bool = False
    ) -> None:
        self.path, self._parse, self.kind, self._may_be_damaged = path, parse or _json, kind, may_be_damaged

    def read(self, reader: Reader) -> Any:
        """The parsed document; None if the place has none. Raises Failure for one that cannot be parsed."""
        return reader.parsed(self.path, self.parse)

    def parse(self, found: str) -> Any:
        """Raises Failure at the document's path."""
        try:
            parsed = self._parse(found)
            if not self._may_be_damaged or parsed is None or isinstance(parsed, dict):
                return parsed
            log.warning(f"{self.path}: the metadata here is not an object: passed over")
        except (ValueError, RecursionError) as error:
            if self._may_be_damaged:
                log.warning(f"{self.path}: the metadata here is no {self.kind}: passed over")
                return None
            raise Failure(f"the metadata here is no {self.kind}", where=self.path, fix="ask the platform's support") from error
        return None

    def member(self, path: str, *, required: bool = False, filled: bool = False) -> Value:
        """A member by its path: `network.ipv4.public[]` is the list of all, `interfaces.0.mac` the first one's member.

        `[].ip` is of each element where the document itself is a list; `users.*[]` and `keys.*` go through all members of an
        object. Elements without the member keep their number.
        `required` ones that are missing raise a Failure that says which, instead of being left out, and `filled` ones that are
        missing or empty. Mostly an empty text is an answer: a machine may have no host name.
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
        """What is at a path of `member`, as it was parsed; None for what is not there."""
        return list(_walk(self.read(reader), path.split(".")))

    def objects(self, reader: Reader, path: str) -> list[dict[str, object]]:
        """The objects of a list, for what is more than a plain value. Raises Failure for anything else there."""
        objects = []
        for one in self.values(reader, f"{path}[]"):
            if isinstance(one, dict):
                objects.append(one)
            elif one is not None:
                raise Failure(
                    f"{path or 'the document'} is no list of objects", where=self.path, fix="ask the platform's support"
                )
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
    """What a name means: a member, an element by its number, all members (`*`), or the node itself (no name)."""
    if not name:
        return [node]
    if isinstance(node, dict):
        return list(node.values()) if name == "*" else [node.get(name)]
    if isinstance(node, list) and name.isascii() and name.isdigit() and int(name) < len(node):
        return [node[int(name)]]
    return [None]


def required(entry: dict[str, object], member: str, where: str) -> str:
    """A member of an object as a text. Raises Failure at `where` if it has none."""
    found = entry.get(member)
    if found is None:
        raise Failure(f"the metadata has no {member}", where=where, fix="ask the platform's support")
    return plain(found)


def plain(found: object) -> str:
    """As JSON writes numbers and booleans; texts as they are. Raises Failure for what JSON cannot write."""
    if isinstance(found, str):
        return found
    import json

    try:
        return json.dumps(found)
    except (ValueError, TypeError, RecursionError) as error:
        raise Failure("a value in the metadata is not text, number, list or object", fix="ask the platform's support") from error
