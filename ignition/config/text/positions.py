"""Positions of values in a JSON text. Only needed for findings: a config without any is never scanned.

The text is known to be valid JSON; this scanner follows its structure, on bytes, without recursion, and records only values on
the requested paths.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable

from ignition.config.record import folded
from ignition.patterns import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.report import Path

# A string, with the colon that makes it a key; a bracket; another scalar. Commas are not needed in a text that is valid.
_TOKEN = lazy_pattern(rb'("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}\[\]]|[^\s{}\[\],:"]+', re.DOTALL)
_KEY = 2  # the group that only a key has
_OPEN, _CLOSE, _LIST = b"{[", b"}]", b"["[0]
# One character of a JSON string: a surrogate pair of escapes, another escape, or a literal character.
_CHARACTER = lazy_pattern(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[\xc0-\xff][\x80-\xbf]*|[^\xc0-\xff]",
    re.DOTALL,
)


class Place:
    """Byte offsets of one value: its member's key (None in lists and at the top), its first byte, and the byte after its end."""

    __slots__ = ("end", "is_container", "key", "start")

    def __init__(self, key: int | None, start: int, end: int, *, is_container: bool) -> None:
        self.key, self.start, self.end, self.is_container = key, start, end, is_container


class _Wanted:
    """A requested path, or an ancestor of one; members by their name in lower case."""

    __slots__ = ("inner", "places")

    def __init__(self) -> None:
        self.inner: dict[str | int, _Wanted] = {}
        self.places: dict[str | int, Place] = {}  # by the spelling of the last part; a later value takes an earlier one's place

    def place(self, spelling: str | int) -> Place | None:
        """That of exactly this spelling, else the last one of another case."""
        return self.places.get(spelling) or next(reversed(self.places.values()), None)


class Positions:
    """The places of some paths of a text and of all their ancestors; key names are found whatever their case."""

    def __init__(self, text: bytes, paths: Iterable[Path]) -> None:
        self._text = text
        self._root = _Wanted()
        for path in paths:
            wanted = self._root
            for part in path:
                # Decoders accept keys in another case, so findings about them must find these, too.
                if (known := wanted.inner.get(part)) is None:
                    known = wanted.inner.setdefault(_folded(part), _Wanted())
                wanted = known
        _scan(text, self._root)

    def value(self, path: Path) -> int:
        """Offset of the value, of containers the byte after the bracket; of the deepest existing ancestor if there is none."""
        for length in range(len(path), -1, -1):
            place = self.find(path[:length])
            if place:
                return place.start + 1 if place.is_container else place.start
        return 0

    def key(self, path: Path) -> int:
        """Offset of the opening quote of the member's key."""
        place = self.find(path)
        return place.key if place and place.key is not None else self.value(path)

    def extent(self, path: Path, *, of_key: bool) -> tuple[int, int] | None:
        """First byte, and the byte after the last, of a whole value or of its key; None if the text has no such member."""
        place = self.find(path)
        if place is None or not of_key:
            return (place.start, place.end) if place else None
        token = _TOKEN.match(self._text, place.key) if place.key is not None else None
        return token.span(1) if token else None

    def within(self, path: Path, inside: tuple[int, int]) -> tuple[int, int] | None:
        """Where that range of the characters of a string is written; None if there is no such member."""
        place = self.find(path)
        return (in_string(self._text, place.start, inside[0]), in_string(self._text, place.start, inside[1])) if place else None

    def find(self, path: Path) -> Place | None:
        """The last value at that path; None if the text has none."""
        wanted = self._root
        for part in path:
            inner = wanted.inner.get(part) or wanted.inner.get(_folded(part))
            if inner is None:
                return None
            wanted = inner
        return wanted.place(path[-1] if path else "")


def in_string(text: bytes, start: int, index: int) -> int:
    """Offset of the character at that index (0-based) of the JSON string that begins, with its quote, at `start`."""
    for count, match in enumerate(_CHARACTER.finditer(text, start + 1)):
        if count == index or match[0] == b'"':
            return match.start()
    return start


def index_in_string(text: bytes, start: int, offset: int) -> int:
    """The reverse of in_string."""
    return sum(1 for _ in _CHARACTER.finditer(text, start + 1, offset))


class Lines:
    """Offsets → lines and columns."""

    def __init__(self, text: bytes) -> None:
        self._starts = [0, *(match.end() for match in re.finditer(rb"\n", text))]
        self._length = len(text)

    def at(self, offset: int) -> tuple[int, int]:
        """1-based, columns in bytes; (0, 0) for the very end of the text."""
        if offset >= self._length:
            return 0, 0
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def start(self, line: int) -> int:
        """Offset of the first byte of a line."""
        return self._starts[line - 1]

    def span(self, line: int) -> tuple[int, int]:
        """First byte of a line, and the byte after its last: its line feed, or the end of the text."""
        end = self._starts[line] - 1 if line < len(self._starts) else self._length
        return self._starts[line - 1], end


_NOTHING: dict[str | int, _Wanted] = {}  # the requested parts of other containers


def _scan(text: bytes, root: _Wanted) -> None:
    # Of the container around the current token: its requested parts, the current index or key, its place if it is requested.
    inner: dict[str | int, _Wanted] = {"": root}  # the text itself has one value
    part: str | int = ""
    around: Place | None = None
    stack: list[tuple[dict[str | int, _Wanted], str | int, Place | None]] = []
    key: int | None = None
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        if match.lastindex == _KEY:
            if inner:
                key = start
                # Most keys have no escape: a decoder for each of a million costs seconds.
                name = match[1].decode("utf-8", "replace")
                part = json.loads(name) if "\\" in name else name[1:-1]
            continue
        first = text[start]  # not the token: contents of files may be long
        if first in _CLOSE:
            if around:
                # Only now is the end of a container known.
                around.end = end
            inner, part, around = stack.pop()
            continue
        is_container = first in _OPEN
        wanted = place = None
        if inner:
            if isinstance(part, int):
                part += 1
                wanted = inner.get(part)
            else:
                wanted = inner.get(part) or inner.get(_folded(part))
            if wanted:
                # Removed first, so that the last value in the text is also the last in the dictionary.
                wanted.places.pop(part, None)
                place = wanted.places[part] = Place(key, start, end, is_container=is_container)
            key = None
        if is_container:
            stack.append((inner, part, around))
            inner, part, around = wanted.inner if wanted else _NOTHING, -1 if first == _LIST else "", place


def _folded(part: str | int) -> str | int:
    return folded(part) if isinstance(part, str) else part
