"""What there is to say about a piece of user data, with its place; and the exception for what cannot be applied."""

from __future__ import annotations

from collections.abc import Sequence

from ignition.config.report import Entry, Finding, Report
from ignition.config.text.locate import locate_findings
from ignition.config.text.positions import Lines
from ignition.errors import InvalidConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.text.positions import Positions


USER_DATA = "user-data"  # what findings call user data that is in no file


class Refused(InvalidConfig):
    """User data that cannot be applied, but for its users, keys and host name. `text` is what the report's places are in."""

    report: Report

    is_unread = True  # what is wrong is the form of the text, or types, not what it asks for

    def __init__(self, name: str, entries_: Sequence[Entry], text: bytes) -> None:
        lines = [f"{place_of(entry)}{entry.message}" + (f" (fix: {entry.fix})" if entry.fix else "") for entry in entries_]
        super().__init__("; ".join(lines), report=Report(entries=tuple(entries_), source=name), where=name)
        self.text = text


def placed(text: bytes, findings: Sequence[Finding], positions: Positions) -> tuple[Entry, ...]:
    """Entries of a report: line of the key, as ever, and a mark under what is meant, or under the key if that is further down.

    What is inside of a text has its own line.
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
    """`line 3: ` where there is a line."""
    return "" if entry.line is None else f"line {entry.line}: "


def in_original_words(entry: Entry, name: str = "") -> str:
    """As coreos-cloudinit printed it, behind the name of the file if there is one."""
    place = f"{name}: " if name and name != USER_DATA else ""
    return f"{place}line {entry.line or 1}: {entry.level}: {entry.message}"
