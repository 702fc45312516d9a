"""Findings about a config: level, path, place, message, fix and rule; a report prints one line for each.

The line format and the meaning of positions are those of Ignition 2.x (docs/reference/ignition-config.md §3.1). Unlike Ignition:
a value that cannot be decoded is placed at its first byte, not where the decoder noticed it. text/display.py shows reports to
people, with source lines.
"""

from ignition.config.record import Record, spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ignition.config.origins import Origin

ERROR, WARNING, INFO = "error", "warning", "info"
_DIGITS = 10  # of an index
LEVELS = (ERROR, WARNING, INFO)
VALUE, KEY = "value", "key"  # the part of a member that a finding is about
Path = tuple[str | int, ...]


class Finding:
    """One finding, before it has a line and column: `ignition.config.text.locate` makes an Entry of it.

    Message and fix never hold a secret of the config: no contents, URL, hash or header value. `path` leads to the member of the
    text (rules yield it relative to their record). `span`: offsets of the bytes, where no path leads to them. `inside`: the range
    of a string's characters that people are shown. `origin`: where the value was read from, if it is marked (origins.py).
    `count`: how many findings this one stands for, if they are not listed.
    """

    __slots__ = ("at", "count", "fix", "inside", "level", "message", "origin", "path", "rule", "span")

    def __init__(
        self,
        level: str,
        path: Path,
        message: str,
        fix: str = "",
        rule: str = "",
        *,
        at: str = VALUE,
        span: tuple[int, int] | None = None,
        inside: tuple[int, int] | None = None,
        origin: "Origin | None" = None,
        count: int = 1,
    ) -> None:
        self.level, self.path, self.message, self.fix, self.rule, self.at = level, path, message, fix, rule, at
        self.span, self.inside, self.origin, self.count = span, inside, origin, count

    def moved(self, path: Path) -> "Finding":
        """The same about a member that is called otherwise."""
        return Finding(
            self.level,
            path,
            self.message,
            self.fix,
            self.rule,
            at=self.at,
            span=self.span,
            inside=self.inside,
            origin=self.origin,
            count=self.count,
        )


class Entry(Record):
    """A finding with its place in a text."""

    level: str = spec("error, warning or info; only an error makes a config invalid")
    message: str = spec("the problem")
    path: str = spec('"$" with names and indexes joined by dots; "" for a finding about the text itself', default="")
    line: int | None = spec("1-based; 0 = an empty text; None = the config is not a text", default=None)
    column: int | None = spec("1-based, in bytes", default=None)
    fix: str = spec("how to fix it", default="")
    rule: str = spec("the rule that it breaks, by its id in the reference", default="")
    caret: int | None = spec("byte offset marked for people, if not that of line and column", default=None)
    extent: tuple[int, int] | None = spec("first byte of the whole value or key, and the byte after it", default=None)

    def __str__(self) -> str:
        place = [self.path] if self.path else []
        if self.line is not None:
            place.append(f"line {self.line} col {self.column}")
        return f"{self.level}{' at ' if place else ''}{', '.join(place)}: {self.message}"


class Report(Record):
    """All findings about one text, in the order of the checks."""

    entries: tuple[Entry, ...] = spec("findings", default=())
    source: str = spec("name of the text: a file name, or a URL without secrets", default="")

    @property
    def fatal(self) -> bool:
        """Whether the config must not be used."""
        return any(entry.level == ERROR for entry in self.entries)

    def __str__(self) -> str:
        return "\n".join(str(entry) for entry in self.entries)


def dotted(path: "Sequence[str | int]") -> str:
    """`$.storage.files.0`."""
    return ".".join(["$", *map(str, path)])


def more(level: str, count: int) -> tuple[str, str]:
    """Message and fix for findings that are not listed."""
    return (
        f"and {count} more {level}{'s' if count > 1 else ''} not listed",
        "fix these first",
    )


def split(path: str) -> Path:
    """The reverse of `dotted`, "$" included. A key of a config can look like a number too large for an index."""
    return tuple(int(part) if part.isascii() and part.isdecimal() and len(part) < _DIGITS else part for part in path.split("."))
