"""Findings with a path → entries of a report with line and column. Loaded only if there are findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ignition.config.report import ERROR, KEY, WARNING, Entry, Finding, Path, dotted, more
from ignition.config.text.positions import Lines, Positions
from ignition.host import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.text.yaml_text import NotYaml, Repeated, Unread

    RenamedPaths = Mapping[Path, Path]


def locate_findings(text: bytes, findings: Sequence[Finding], positions: Positions | None = None) -> tuple[Entry, ...]:
    """In the same order. `positions` of another language's reader; without them the text is JSON.

    Line and column are the same in every output: for people, programs and journals.
    """
    lines = Lines(text)
    positions = positions or Positions(text, [finding.path for finding in findings])
    entries = []
    for finding in findings:
        of_key = finding.at == KEY
        offset = positions.key(finding.path) if of_key else positions.value(finding.path)
        extent = positions.extent(finding.path, of_key=of_key)
        # A span is exact; a path may lead to an ancestor only, if the member itself is missing in the text.
        if finding.span is not None:
            offset, extent = finding.span[0], finding.span
        elif extent is not None and finding.inside is not None:
            extent = positions.within(finding.path, finding.inside)
            offset = extent[0] if extent else offset
        line, column = lines.at(offset)
        entries.append(
            Entry(
                level=finding.level,
                message=finding.message,
                path="" if finding.span and not finding.path else dotted(finding.path),
                line=line,
                column=column,
                fix=finding.fix,
                rule=finding.rule,
                extent=extent,
            )
        )
    return tuple(entries)


def of_repeated_keys(text: bytes, repeated: Sequence[Repeated], level: str, what_counts: str = "") -> list[Finding]:
    """A finding for each, with the message of go-yaml, followed by `what_counts`."""
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
    """A warning about text after the document, if there is any."""
    return [Finding(WARNING, (), unread.message, unread.fix, span=unread.span)] if unread else []


def of_not_yaml(text: bytes, error: NotYaml) -> Entry:
    """The entry for a text that is not a YAML document."""
    if error.span is None:
        return Entry(level=ERROR, message=error.message, fix=error.fix)
    line, column = Lines(text).at(min(error.span[0], max(0, len(text) - 1)))
    return Entry(level=ERROR, message=error.message, fix=error.fix, line=line, column=column, extent=error.span)


# Renamed paths: the members of the model have other names, and stand in other places, in texts of specs 1 and 2.x.
#
# The table maps the path of a member of the model to its path in the text and holds only those that differ; members below one in
# the table follow it. For a 3.x text it is empty.


def path_in_text(path: Path, renamed: RenamedPaths) -> Path:
    """The path in the text of a member of the model: the longest path of the table at or above it is replaced."""
    for length in range(len(path), 0, -1):
        there = renamed.get(path[:length])
        if there is not None:
            return there + path[length:]
    return path
