"""Findings with a path → entries of a report with line and column. Loaded only when there is something to say."""

from ignition.config.report import ERROR, Entry, Path, dotted
from ignition.config.text.positions import Lines, Positions, in_string

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from ignition.config.text.yaml_text import NotYaml

    class Row(Protocol):
        """A finding that waits for its position."""

        level: str
        path: Path
        message: str
        fix: str
        rule: str
        at: str  # the part of the member that it is about: value, key or end
        inside: tuple[int, int] | None  # of a string: the range of its characters that people are shown


class Finding:
    """One row of a reader of YAML. `at`: whether the value or its key is meant."""

    inside: tuple[int, int] | None = None

    def __init__(self, level: str, path: Path, message: str, fix: str = "", at: str = "value", rule: str = "") -> None:
        self.level, self.path, self.message, self.fix, self.at, self.rule = level, path, message, fix, at, rule


def entries(text: bytes, rows: "Sequence[Row]", positions: Positions | None = None) -> tuple[Entry, ...]:
    """In the same order. `positions` of another language's reader; without them the text is JSON."""
    lines = Lines(text)
    positions = positions or Positions(text, [row.path for row in rows])
    offsets = {"value": positions.value, "key": positions.key, "end": positions.end}
    placed = []
    for row in rows:
        line, column = lines.at(offsets[row.at](row.path))
        extent = _extent(text, row, positions)
        is_elsewhere = row.at == "end" or row.inside is not None
        placed.append(
            Entry(
                level=row.level,
                message=row.message,
                # A wrong type is reported where the decoder noticed it, without path; people are shown the value itself.
                path="" if row.at == "end" else dotted(row.path),
                line=line,
                column=column,
                fix=row.fix,
                rule=row.rule,
                caret=extent[0] if extent and is_elsewhere else None,
                extent=extent,
            )
        )
    return tuple(placed)


def of_not_yaml(text: bytes, error: "NotYaml") -> Entry:
    """The entry for a text that is no YAML document."""
    if error.span is None:
        return Entry(level=ERROR, message=error.message, fix=error.fix)
    line, column = Lines(text).at(min(error.span[0], max(0, len(text) - 1)))
    return Entry(level=ERROR, message=error.message, fix=error.fix, line=line, column=column, extent=error.span)


def _extent(text: bytes, row: "Row", positions: Positions) -> tuple[int, int] | None:
    extent = positions.extent(row.path, of_key=row.at == "key")
    if extent is None or row.inside is None:
        return extent
    return in_string(text, extent[0], row.inside[0]), in_string(text, extent[0], row.inside[1])
