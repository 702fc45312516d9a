"""SSH keys in metadata services: one document of lines, a list in a document, or a listing with a document per key.

Lines that are not keys are dropped where keys are written: ignition/host/key_lines.py.
"""

from __future__ import annotations

from collections.abc import Callable

from ignition.host import limits, log
from ignition.host.reading import answer_lines as lines_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.metadata.reader import Reader
    from ignition.metadata.values import Value

    Keys = Callable[[Reader], list[str]]


def lines(path: str) -> Keys:
    """A document in the form of an authorized_keys file."""
    return lambda reader: lines_of(reader.text(path) or "")


def members(value: Value) -> Keys:
    """A value that is a list of keys, or one text with a key per line."""

    def keys(reader: Reader) -> list[str]:
        found = value.read(reader)
        return [line for text in ([found] if isinstance(found, str) else found or []) for line in lines_of(text or "")]

    return keys


def listed(path: str) -> Keys:
    """EC2's form: the listing has a line `<index>=<name>` per key; the name may contain anything, including another `=`.

    Elsewhere the lines are `<index>` or `<index>/`, and the path of the listing itself may end in a slash.
    """
    base = path.removesuffix("/")

    def keys(reader: Reader) -> list[str]:
        found = []
        # One more than is used, so that Reader.ssh_keys warns; each is a request, and a listing could have millions.
        for entry in lines_of(reader.text(path) or "")[: limits.SSH_KEYS + 1]:
            index = entry.partition("=")[0].strip().removesuffix("/")
            if not index:
                continue
            key = reader.text(f"{base}/{index}/openssh-key")
            if key is None:
                log.warning(f"{base}/{index}: the metadata service lists this key but does not have it: skipped")
            found += lines_of(key or "")
        return found

    return keys
