"""What is wrong with a config: rows with level, path, place, message and remedy; for machines one line each, for people more.

The line form and the meaning of positions are those of Ignition 2.x (ignition-config.md 3.1 of the reference).
"""

from ignition.config.record import Record, spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ignition.config.positions import Lines

ERROR, WARNING, INFO = "error", "warning", "info"
LEVELS = (ERROR, WARNING, INFO)
Path = tuple[str | int, ...]

_COLOURS = {ERROR: "\x1b[1;31m", WARNING: "\x1b[1;33m", INFO: "\x1b[1;36m"}
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"
_WINDOW = 100  # characters of a long line that are shown around its caret


class Entry(Record):
    """One finding. Message and remedy never hold a secret of the config: no contents, URL, hash or header value."""

    level: str = spec("error, warning or info; only an error makes a config invalid")
    message: str = spec("what is wrong")
    path: str = spec('"$" with names and indexes joined by dots; "" for what is wrong with the text itself', default="")
    line: int | None = spec("1-based; 0 = the end of the text; None = the config is no text", default=None)
    column: int | None = spec("1-based, in bytes", default=None)
    fix: str = spec("what to do about it", default="")
    rule: str = spec("the rule that it breaks, by its id in the reference", default="")
    caret: int | None = spec("byte offset to show to people, if not that of line and column", default=None)

    def __str__(self) -> str:
        place = [self.path] if self.path else []
        if self.line is not None:
            place.append(f"line {self.line} col {self.column}")
        return f"{self.level}{' at ' if place else ''}{', '.join(place)}: {self.message}"


class Report(Record):
    """All findings about one text, in the order of the checks."""

    entries: tuple[Entry, ...] = spec("findings", default=())
    source: str = spec("what the text is called: a file name or URL without secrets", default="")

    @property
    def fatal(self) -> bool:
        """Whether the config must not be used."""
        return any(entry.level == ERROR for entry in self.entries)

    def __str__(self) -> str:
        return "\n".join(str(entry) for entry in self.entries)

    def rich(self, text: bytes, *, colour: bool = False) -> str:
        """For people at a terminal, with source lines: these may hold secrets, so it never goes into a journal."""
        from ignition.config.positions import Lines

        lines = Lines(text)
        return "\n".join(line for entry in self.entries for line in _rich(entry, self.source, text, lines, colour))


def dotted(path: "Sequence[str | int]") -> str:
    """`$.storage.files.0`."""
    return ".".join(["$", *map(str, path)])


def _rich(entry: Entry, source: str, text: bytes, lines: "Lines", colour: bool) -> list[str]:
    level, message = entry.level, entry.message
    if colour:
        level, message = f"{_COLOURS[level]}{level}{_PLAIN}", f"{_BOLD}{message}{_PLAIN}"
    offset = _shown_offset(entry, text, lines)
    place = [source] if source else []
    place += map(str, lines.at(offset)) if offset is not None else ()
    shown = [f"{':'.join(place)}{': ' if place else ''}{level}: {message}"]
    if entry.path:
        shown.append(f"  at {entry.path}")
    if offset is not None:
        shown += _excerpt(text, offset, lines.at(offset)[0])
    return [*shown, f"  fix: {entry.fix}"] if entry.fix else shown


def _shown_offset(entry: Entry, text: bytes, lines: "Lines") -> int | None:
    """Where the caret points: into the text, also if the place proper is the end of it."""
    if entry.line is None or entry.column is None or not text:
        return None
    if entry.caret is not None:
        return min(entry.caret, len(text) - 1)
    if entry.line == 0:
        return len(text) - 1
    return min(lines.start(entry.line) + entry.column - 1, len(text) - 1)


def _excerpt(text: bytes, offset: int, number: int) -> list[str]:
    start = text.rfind(b"\n", 0, offset) + 1
    end = text.find(b"\n", offset)
    before = text[start:offset].decode("utf-8", "replace")
    after = text[offset : end if end >= 0 else len(text)].decode("utf-8", "replace").rstrip()
    if len(before) > _WINDOW // 2:
        before = "…" + before[-(_WINDOW // 2) :]
    if len(after) > _WINDOW // 2:
        after = after[: _WINDOW // 2] + "…"
    shown = "".join(character if character.isprintable() else " " for character in before + after)
    margin = str(number).rjust(5)
    return [f"{margin} | {shown}", f"{' ' * len(margin)} | {' ' * len(before)}^"]
