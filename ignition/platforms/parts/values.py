"""Values in metadata documents: a text by its path, or a member of a JSON document, each with words for docs/platforms.md."""

from __future__ import annotations

from ignition.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ignition.platforms.parts.reader import Reader

    Found = str | list[str] | None  # a list gives numbered attributes


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
    """The first of several that the machine has, and that is not empty."""

    def read(reader: Reader) -> Found:
        return next((found for value in values if (found := value.read(reader))), None)

    return Value(", else ".join(value.says for value in values), read)


class Document:
    """A structured document. `parse` turns its text into dictionaries, lists and plain values; JSON if none is given."""

    def __init__(self, path: str, parse: Callable[[str], object] | None = None, *, kind: str = "JSON") -> None:
        self.path, self._parse, self.kind = path, parse or _json, kind

    def read(self, reader: Reader) -> object:
        """The parsed document; None if the place has none. Raises Failure for one that cannot be parsed."""
        return reader.parsed(self.path, self.parse)

    def parse(self, found: str) -> object:
        """Raises Failure at the document's path."""
        try:
            return self._parse(found)
        except ValueError as error:
            raise Failure(f"the metadata here is no {self.kind}", where=self.path, fix="ask the platform's support") from error

    def member(self, path: str, *, required: bool = False) -> Value:
        """A member by its path: `network.ipv4.public[]` is the list of all, `interfaces.0.mac` the first one's member.

        `required` ones are missed with a Failure that says which, instead of being left out.
        """

        def read(reader: Reader) -> Found:
            found = list(_walk(self.read(reader), path.split(".")))
            if "[]" in path:
                return [_plain(one) for one in found if one is not None]
            if not found or found[0] is None:
                if required:
                    raise Failure(f"the metadata has no {path}", where=self.path, fix="ask the platform's support")
                return None
            return _plain(found[0])

        return Value(f"{path} of {self.path}" if self.path else path, read)

    def objects(self, reader: Reader, path: str) -> list[dict[str, object]]:
        """The objects of a list, for what is more than a plain value. Raises Failure for anything else there."""
        found = [one for one in _walk(self.read(reader), f"{path}[]".split(".")) if one is not None]
        for one in found:
            if not isinstance(one, dict):
                raise Failure(f"{path} is no list of objects", where=self.path, fix="ask the platform's support")
        return found  # type: ignore[return-value]


def _json(found: str) -> object:
    import json

    return json.loads(found)


def _walk(node: object, parts: list[str]) -> Iterator[object]:
    if not parts:
        yield node
        return
    name, many = parts[0].removesuffix("[]"), parts[0].endswith("[]")
    if isinstance(node, list) and name.isdigit():
        node = node[int(name)] if int(name) < len(node) else None
    else:
        node = node.get(name) if isinstance(node, dict) else None
    if not many:
        yield from _walk(node, parts[1:])
    elif isinstance(node, list):
        for one in node:
            yield from _walk(one, parts[1:])


def _plain(found: object) -> str:
    """As JSON writes numbers and booleans; texts as they are."""
    if isinstance(found, str):
        return found
    import json

    return json.dumps(found)
