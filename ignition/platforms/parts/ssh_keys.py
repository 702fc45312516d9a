"""How metadata services list SSH keys: one document of lines, a list in a document, or a listing with a document for each key."""

from __future__ import annotations

from ignition.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ignition.platforms.parts.reader import Reader
    from ignition.platforms.parts.values import Value

    Keys = Callable[[Reader], list[str]]


def lines(path: str) -> Keys:
    """A document as an authorized_keys file; none is no keys."""
    return lambda reader: (reader.text(path) or "").splitlines()


def members(value: Value) -> Keys:
    """A value that is a list of keys, or one text with a key a line."""

    def keys(reader: Reader) -> list[str]:
        found = value.read(reader)
        return [line for text in ([found] if isinstance(found, str) else found or []) for line in (text or "").splitlines()]

    return keys


def listed(path: str) -> Keys:
    """EC2's way: the listing has a line `<index>=<name>` per key, whose name may hold anything, also another `=`.

    Elsewhere the lines are `<index>` or `<index>/`, and the path of the listing itself may end in a slash.
    """
    base = path.removesuffix("/")

    def keys(reader: Reader) -> list[str]:
        found = []
        for entry in (reader.text(path) or "").splitlines():
            index = entry.partition("=")[0].removesuffix("/")
            key = reader.text(f"{base}/{index}/openssh-key")
            if key is None:
                raise Failure("the metadata service lists this key but does not have it", where=f"{base}/{index}")
            found += key.splitlines()
        return found

    return keys
