"""Findings with a path → entries of a report with line and column. Loaded only when there is something to say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ignition.config.report import ERROR, WARNING, Entry, Path, dotted, more
from ignition.config.text.positions import Lines, Positions
from ignition.host import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ignition.config.text.yaml_text import NotYaml, Repeated, Unread

    class Row(Protocol):
        """A finding that waits for its position."""

        level: str
        path: Path
        message: str
        fix: str
        rule: str
        at: str  # the part of the member that it is about: value or key
        inside: tuple[int, int] | None  # of a string: the range of its characters that people are shown

    Places = Mapping[Path, Path]


class Finding:
    """One row of a reader of YAML. `at`: whether the value or its key is meant. `span`: the bytes, where no path leads to them.

    `inside`: as of Row.
    """

    def __init__(
        self,
        level: str,
        path: Path,
        message: str,
        fix: str = "",
        at: str = "value",
        rule: str = "",
        *,
        span: tuple[int, int] | None = None,
        inside: tuple[int, int] | None = None,
    ) -> None:
        self.level, self.path, self.message, self.fix, self.at, self.rule = level, path, message, fix, at, rule
        self.span, self.inside = span, inside


def entries(text: bytes, rows: Sequence[Row], positions: Positions | None = None) -> tuple[Entry, ...]:
    """In the same order. `positions` of another language's reader; without them the text is JSON.

    Line and column are what every output says: what people are shown, programs and journals are told.
    """
    lines = Lines(text)
    positions = positions or Positions(text, [row.path for row in rows])
    offsets = {"value": positions.value, "key": positions.key}
    placed = []
    for row in rows:
        offset = offsets[row.at](row.path)
        extent = positions.extent(row.path, of_key=row.at == "key")
        has_span = isinstance(row, Finding) and row.span is not None
        if isinstance(row, Finding) and row.span is not None:
            offset, extent = row.span[0], row.span
        elif extent is not None and row.inside is not None:
            extent = positions.within(row.path, row.inside)
            offset = extent[0] if extent else offset
        line, column = lines.at(offset)
        placed.append(
            Entry(
                level=row.level,
                message=row.message,
                path="" if has_span and not row.path else dotted(row.path),
                line=line,
                column=column,
                fix=row.fix,
                rule=row.rule,
                extent=extent,
            )
        )
    return tuple(placed)


def of_repeated_keys(text: bytes, repeated: Sequence[Repeated], level: str, what_counts: str = "") -> list[Finding]:
    """A finding for each, in the words of go-yaml. `what_counts` follows them."""
    lines = Lines(text)
    found = [
        Finding(
            level,
            (),
            f'mapping key "{one.key}" already defined at line {lines.at(one.first[0])[0]}{what_counts}',
            "remove one of the two",
            span=one.span,
        )
        for one in repeated[: limits.FINDINGS]
    ]
    rest = len(repeated) - len(found)
    return [*found, Finding(level, (), *more(level, rest))] if rest else found


def of_unread(unread: Unread | None) -> list[Finding]:
    """A warning about what stands behind the document, if something does."""
    return [Finding(WARNING, (), unread.message, unread.fix, span=unread.span)] if unread else []


def of_not_yaml(text: bytes, error: NotYaml) -> Entry:
    """The entry for a text that is no YAML document."""
    if error.span is None:
        return Entry(level=ERROR, message=error.message, fix=error.fix)
    line, column = Lines(text).at(min(error.span[0], max(0, len(text) - 1)))
    return Entry(level=ERROR, message=error.message, fix=error.fix, line=line, column=column, extent=error.span)


# How the members of the model are called in a text that says them otherwise (specs 1 and 2.x).
#
# A table of places maps the path of a member of the model to the path in the text; it holds only what differs. The path of
# anything below a member in the table goes along with it. For a 3.x text the table is empty: model and text have the same
# paths.


def in_text(path: Path, places: Places) -> Path:
    """The path in the text of a member of the model: the longest entry of the table that it lies at or below is put in."""
    for length in range(len(path), 0, -1):
        there = places.get(path[:length])
        if there is not None:
            return there + path[length:]
    return path
