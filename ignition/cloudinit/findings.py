"""Findings about a piece of user data at their places, and the exception for user data that cannot be applied."""

from __future__ import annotations

from collections.abc import Sequence

from ignition.config.report import Entry, Finding, Report
from ignition.config.text.locate import locate_findings
from ignition.config.text.positions import Lines
from ignition.errors import InvalidConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.text.positions import Positions


USER_DATA = "user-data"  # in findings, the name of user data that is not in a file


class Refused(InvalidConfig):
    """User data that cannot be applied, except its users, keys and host name. The report's places are in `text`."""

    report: Report

    is_unread = True  # malformed text or wrong types; False for valid requests that this machine cannot fulfil

    def __init__(self, name: str, entries_: Sequence[Entry], text: bytes) -> None:
        lines = [f"{place_of(entry)}{entry.message}" + (f" (fix: {entry.fix})" if entry.fix else "") for entry in entries_]
        super().__init__("; ".join(lines), report=Report(entries=tuple(entries_), source=name), where=name)
        self.text = text


def placed(text: bytes, findings: Sequence[Finding], positions: Positions) -> tuple[Entry, ...]:
    """Entries of a report: with the line of the key, as in the original, and a mark under the value, or the key if that is below.

    A finding inside a text has the line in that text.
    """
    lines = Lines(text)
    found = []
    for finding, entry in zip(findings, locate_findings(text, findings, positions), strict=True):
        if finding.inside and entry.extent:
            line, column = lines.at(entry.extent[0])
            found.append(entry.evolve(line=line, column=column, caret=entry.extent[0]))
            continue
        line, column = lines.at(positions.key(finding.path))
        extent = entry.extent
        if extent and lines.at(extent[0])[0] != line:
            extent = positions.extent(finding.path, of_key=True)
        found.append(entry.evolve(line=line, column=column, extent=extent, caret=extent[0] if extent else None))
    return tuple(found)


def place_of(entry: Entry) -> str:
    """`line 3: `, or "" without a line."""
    return "" if entry.line is None else f"line {entry.line}: "


def in_original_words(entry: Entry, name: str = "") -> str:
    """The line that the original printed, prefixed with the name of the file if there is one."""
    place = f"{name}: " if name and name != USER_DATA else ""
    return f"{place}line {entry.line or 1}: {entry.level}: {entry.message}"
