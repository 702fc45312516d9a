"""Positions of values in a JSON text. Only needed for findings: a config without any is never scanned.

The text is known to be valid JSON; this scanner follows its structure along the requested paths, without recursion, and records
only the values on them. All others are skipped by Python's decoder in C.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from contextlib import suppress

from ignition import json_codec
from ignition.config.record import folded
from ignition.patterns import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.report import Path

# A string, with the colon that makes it a key; a bracket; another scalar. Commas are not needed in a text that is valid.
_TOKEN = lazy_pattern(rb'(?s)("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}\[\]]|[^\s{}\[\],:"]+')
_OPEN, _CLOSE, _BETWEEN = frozenset("{["), frozenset("}]"), frozenset(" \t\r\n,:")
_END = "\0"  # no value begins with it
# One character of a JSON string: a surrogate pair of escapes, another escape, or a literal character.
_CHARACTER = lazy_pattern(
    rb"(?s)\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[\xc0-\xff][\x80-\xbf]*|[^\xc0-\xff]"
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
        with suppress(ValueError, IndexError):  # not JSON: nothing is found
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
        self._starts = [0]
        for line in text.split(b"\n")[:-1]:
            self._starts.append(self._starts[-1] + len(line) + 1)
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


def _scan(text: bytes, root: _Wanted) -> None:
    letters = text.decode("latin-1") + _END  # a character for each byte: offsets are those of the text
    # Of the container around the current value: its requested parts, the current index or key, its place.
    inner: dict[str | int, _Wanted] = {}
    part: str | int = ""
    around: Place | None = None
    stack: list[tuple[dict[str | int, _Wanted], str | int, Place | None]] = []
    key: int | None = None
    wanted: _Wanted | None = root
    at = _next(letters, 0)
    while (first := letters[at]) != _END:
        place = _placed(wanted, part, Place(key, at, at + 1, is_container=first in _OPEN)) if wanted else None
        if place and wanted and wanted.inner and first in _OPEN:
            stack.append((inner, part, around))
            inner, part, around = wanted.inner, -1 if first == "[" else "", place
            at += 1
        else:
            at = _end(letters, at)
            if place:
                place.end = at
        while (first := letters[at]) in _BETWEEN or first in _CLOSE:
            at += 1
            if first in _CLOSE and stack:
                if around:
                    # Only now is the end of a container known.
                    around.end = at
                inner, part, around = stack.pop()
        if not stack:
            return
        if isinstance(part, int):
            part, key = part + 1, None
            wanted = inner.get(part)
        else:
            key, (part, at) = at, _key(text, letters, at)
            wanted = inner.get(part) or inner.get(_folded(part))


def _placed(wanted: _Wanted, part: str | int, place: Place) -> Place:
    # Removed first, so that the last value in the text is also the last in the dictionary.
    wanted.places.pop(part, None)
    wanted.places[part] = place
    return place


def _key(text: bytes, letters: str, at: int) -> tuple[str, int]:
    """The key that begins there, and the beginning of its value."""
    end = letters.index('"', at + 1) + 1
    name = letters[at + 1 : end - 1]
    if "\\" in name or not name.isascii():  # most keys are plain: a decoder for each of a million costs seconds
        end = _end(letters, at)
        name = json_codec.loads(text[at:end].decode("utf-8", "replace"))
    return name, _next(letters, end)


def _next(letters: str, at: int) -> int:
    """The first character from there on that belongs to a key or value."""
    while letters[at] in _BETWEEN:
        at += 1
    return at


def _end(letters: str, at: int) -> int:
    """The end of the value that begins there. Raises ValueError if there is none."""
    try:
        return _skip(letters, at)
    except RecursionError:  # the text was decoded with fewer calls around
        depth = 0
        for match in _TOKEN.finditer(letters.encode("latin-1"), at):
            first = match[0][:1].decode("latin-1")
            depth += (first in _OPEN) - (first in _CLOSE)
            if depth == 0:
                return match.end()
        raise


_skip = json_codec.skipper()


def _folded(part: str | int) -> str | int:
    return folded(part) if isinstance(part, str) else part
