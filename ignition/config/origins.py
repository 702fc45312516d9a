"""Values that remember the text they come from, through merging and translation.

A marked value is a string or number of a subclass: it compares, hashes and tests true as before. Merging and every other reader
work on marked configs unchanged, and a boot, which marks nothing, pays nothing. `bool` cannot be subclassed: marked booleans are
numbers, and `plain()` returns the real ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ignition.config.record import Record
from ignition.config.report import Path
from ignition.config.text.locate import path_in_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from ignition.config.model import Config
    from ignition.config.text.locate import RenamedPaths
    from ignition.config.text.positions import Positions

    class Written(Protocol):
        """The text that JSON was made of."""

        def path(self, made: Path) -> Path:
            """Where a member of the JSON comes from."""

        def positions(self) -> Positions:
            """The places of all its paths."""

    Change = Callable[[Path, "Any"], "Any"]


class Source:
    """A text that values come from: its name and its bytes."""

    __slots__ = ("name", "text")

    def __init__(self, name: str, text: bytes) -> None:
        self.name, self.text = name, text


class Origin:
    """The place of a value: line and column (1-based, in bytes) in a text, and its path in the spec version of that text."""

    __slots__ = ("column", "line", "path", "source")

    def __init__(self, source: Source, line: int, column: int, path: Path) -> None:
        self.source, self.line, self.column, self.path = source, line, column, path

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"


class _Marked:
    origin: Origin


class _Text(str, _Marked):
    pass


class _Number(int, _Marked):
    pass


class _Truth(int, _Marked):
    """A boolean."""


def mark(config: Config, source: Source, renamed: RenamedPaths, written: Written | None = None) -> Config:
    """The config of that text, its values marked. A value that is not in the text itself gets the place of its cause.

    `renamed`: the paths of the text (ignition/config/text/locate.py), empty for 3.x. `written`: if what was parsed
    had been made of another text, which is then the source's.
    """
    from ignition.config.text.positions import Lines, Positions

    there = {path: path_in_text(path, renamed) if renamed else path for path, _ in values(config)}
    if written:
        there = {path: written.path(made) for path, made in there.items()}
    positions = written.positions() if written else Positions(source.text, there.values())
    lines = Lines(source.text)

    def of_text(path: Path, value: object) -> object:
        if path not in there:
            return value  # a default, written out
        return marked(value, Origin(source, *lines.at(_start(positions, there[path])), there[path]))

    return _as_config(_rebuilt(config, (), of_text))


def plain(config: Config) -> Config:
    """The config without marks."""
    return _as_config(_rebuilt(config, (), lambda _, value: bare(value)))


def bare(value: object) -> object:
    """One value without its mark."""
    if isinstance(value, _Truth):
        return bool(value)
    if isinstance(value, _Number):
        return int(value)
    return str(value) if isinstance(value, _Text) else value


def of(value: object) -> Origin | None:
    """Where a value comes from; None if it is not marked."""
    return value.origin if isinstance(value, _Marked) else None


def marked(value: object, origin: Origin) -> Any:
    """A text, number or boolean that remembers where it comes from."""
    one: _Marked
    if isinstance(value, bool):
        one = _Truth(value)
    elif isinstance(value, int):
        one = _Number(value)
    else:
        one = _Text(value)
    one.origin = origin
    return one


def like(value: object, old: object) -> Any:
    """A value derived from a marked one, with the same mark."""
    origin = of(old)
    return value if origin is None or value is None else marked(bare(value), origin)


def members(record: Record, path: Path = ()) -> list[tuple[Path, Any]]:
    """Path and value of the set members, in the order of the model; each element of a list separately."""
    found: list[tuple[Path, Any]] = []
    for name, field in record.FIELDS.items():
        value = record.__dict__[name]
        if value is field.default or value == field.default:
            continue
        here = (*path, field.json)
        if field.many:
            found += [((*here, index), element) for index, element in enumerate(value)]
        else:
            found.append((here, value))
    return found


def values(record: Record, path: Path = ()) -> Iterator[tuple[Path, object]]:
    """As `members`, of the record and of those inside it."""
    for here, value in members(record, path):
        if isinstance(value, Record):
            yield from values(value, here)
        else:
            yield here, value


def near(record: Record, path: Path) -> Origin | None:
    """The origin of the value at that path; if it is absent, of the innermost list element around it."""
    found: Origin | None = None
    part: object = record
    for depth, name in enumerate(path, start=1):
        part = _member(part, name)
        if depth == len(path) or isinstance(name, int):
            found = first(part) or found
    return found


def first(part: object) -> Origin | None:
    """The origin of a part of a config: that of a record is that of its key, or else of its first value."""
    if isinstance(part, Record):
        key = of(part.__dict__[part.KEY]) if part.KEY else None
        return key or next((origin for _, value in values(part) if (origin := of(value))), None)
    if isinstance(part, tuple):
        return next((origin for element in part if (origin := first(element))), None)
    return of(part)


def path_of_first(record: Record, path: Path) -> Path | None:
    """The path whose place is that of `path`: its own, or for a list's element that of its key, or else of its first value.

    Where there is no such value or element, that of the one around it; None if there is none.
    """
    for length in range(len(path), 0, -1):
        part: object = record
        for name in path[:length]:
            part = _member(part, name)
        here = path[:length]
        if isinstance(part, Record) and isinstance(here[-1], int):
            if part.KEY and part.__dict__[part.KEY] is not None:
                return (*here, part.FIELDS[part.KEY].json)
            if inner := next((inside for inside, _ in values(part, here)), None):
                return inner
        elif part is not None and not isinstance(part, (Record, tuple)):
            return here
    return None


def _member(part: object, name: str | int) -> object:
    if isinstance(part, Record):
        field = part.BY_JSON.get(name) if isinstance(name, str) else None
        return part.__dict__[field.name] if field else None
    return part[name] if isinstance(part, tuple) and isinstance(name, int) and name < len(part) else None


def _rebuilt(record: Record, path: Path, change: Change) -> Record:
    """A copy with all set values changed."""
    members: dict[str, Any] = {}
    for name, field in record.FIELDS.items():
        value = record.__dict__[name]
        if value is field.default or value is None:
            continue  # stays what merging knows as not given
        here = (*path, field.json)
        if field.many:
            inner = field.is_record
            members[name] = tuple(
                _rebuilt(element, (*here, index), change) if inner else change((*here, index), element)
                for index, element in enumerate(value)
            )
        elif isinstance(value, Record):
            members[name] = _rebuilt(value, here, change)
        else:
            members[name] = change(here, value)
    return type(record).of(members)


def _start(positions: Positions, path: Path) -> int:
    """Offset of the value; of the innermost value around it if the text does not have it."""
    for length in range(len(path), 0, -1):
        place = positions.find(path[:length])
        if place:
            return place.start
    return 0


def _as_config(record: Record) -> Config:
    from ignition.config.model import Config

    if not isinstance(record, Config):
        raise TypeError("no config")
    return record
