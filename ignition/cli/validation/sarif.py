"""SARIF 2.1.0, for code scanning services and editors. Source: the OASIS standard of that name, and its JSON schema.

Like the JSON output it holds nothing of the text of a config.
"""

from __future__ import annotations

import json
import os
import sys

from ignition import __version__
from ignition.cli.validation.examine import STDIN, Examined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.report import Entry

VERSION = "2.1.0"
SCHEMA = "https://raw.githubusercontent.com/oasis-tcs/sarif-spec/master/Schemata/sarif-schema-2.1.0.json"  # its own $id
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}

Object = dict[str, object]


class Sarif:
    """Gathers, and prints at the end."""

    def __init__(self) -> None:
        self._results: list[Object] = []
        self._notifications: list[Object] = []
        self._rules: dict[str, int] = {}  # id → its index in the list of rules

    def add(self, file: Examined) -> None:
        """One config."""
        location = {"artifactLocation": _artifact(file.name)}
        if file.problem:
            message = {"text": f"{file.problem} (fix: {file.fix})" if file.fix else file.problem}
            self._notifications.append({"level": "error", "message": message, "locations": [{"physicalLocation": location}]})
            return
        if file.entries:
            places = _Places(file.text)
            self._results += [self._result(entry, {**location, "region": places.region(entry)}) for entry in file.entries]

    def finish(self, status: int) -> None:
        """Print the document."""
        driver = {
            "name": "ignition-validate",
            "organization": "coreos-ignition",
            "version": __version__,
            "semanticVersion": __version__,
            "rules": [_rule(name) for name in self._rules],
        }
        invocation = {
            "executionSuccessful": not self._notifications,
            "exitCode": status,
            "toolExecutionNotifications": self._notifications,
        }
        run = {
            "tool": {"driver": driver},
            "columnKind": "utf16CodeUnits",
            "invocations": [invocation],
            "results": self._results,
        }
        json.dump({"$schema": SCHEMA, "version": VERSION, "runs": [run]}, sys.stdout, indent=2)
        print()

    def _result(self, entry: Entry, location: Object) -> Object:
        from ignition.config.rule_ids import GENERAL

        name = entry.rule or GENERAL
        whole: Object = {"physicalLocation": location}
        if entry.path:
            whole["logicalLocations"] = [{"fullyQualifiedName": entry.path}]
        return {
            "ruleId": name,
            "ruleIndex": self._rules.setdefault(name, len(self._rules)),
            "level": _LEVELS[entry.level],
            "message": {"text": f"{entry.message} (fix: {entry.fix})" if entry.fix else entry.message},
            "locations": [whole],
        }


def _rule(name: str) -> Object:
    from ignition.config.rule_ids import described

    description = described(name)
    return {
        "id": name,
        "shortDescription": {"text": description},
        "fullDescription": {"text": description},
        "help": {"text": f"{description} See docs/validation.md of coreos-ignition, rule {name}."},
    }


def _artifact(name: str) -> Object:
    """A path below the working directory is relative to it: services match that with the files of a repository."""
    from urllib.parse import quote

    if name == STDIN:
        return {"uri": "stdin", "description": {"text": "standard input"}}
    if not os.path.isabs(name):
        return {"uri": quote(os.fsencode(os.path.normpath(name)))}
    relative = os.path.relpath(name)
    if relative.split(os.sep)[0] != os.pardir:
        return {"uri": quote(os.fsencode(relative))}
    return {"uri": f"file://{quote(os.fsencode(name))}"}


class _Places:
    """Regions of a text, in lines and UTF-16 code units, both counted from 1."""

    def __init__(self, text: bytes) -> None:
        from ignition.config.text.positions import Lines

        self._text, self._lines = text, Lines(text)
        self._is_ascii = text.isascii()
        self._last = (0, 0, 0)  # start of a line, an offset in it, and the units before it: findings mostly come in order

    def region(self, entry: Entry) -> Object:
        """The region of the entry; the first line if it has no place."""
        start, end = self._extent(entry)
        if start is None:
            return {"startLine": 1}
        line, column = self._at(start)
        end_line, end_column = self._at(end)
        return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}

    def _extent(self, entry: Entry) -> tuple[int | None, int]:
        from ignition.config.text.display import place_in_text

        if entry.extent:
            return entry.extent
        start = place_in_text(entry, self._text, self._lines)
        if start is None or self._text[start : start + 1] in (b"\n", b"\r"):
            return start, start or 0
        end = start + 1
        while end < len(self._text) and self._text[end] & 0xC0 == 0x80:
            end += 1
        return start, end

    def _at(self, offset: int) -> tuple[int, int]:
        """Of the byte, or of the place after the last byte of its line."""
        line = self._lines.at(offset - 1)[0] if offset else 1
        first, end = self._lines.span(line)
        if offset > end:  # the byte before is a line feed
            line, first = line + 1, offset
        if self._is_ascii:
            return line, offset - first + 1
        known_first, known_offset, units = self._last
        if known_first != first or known_offset > offset:
            known_offset, units = first, 0
        units += len(self._text[known_offset:offset].decode("utf-8", "replace").encode("utf-16-le")) // 2
        self._last = (first, offset, units)
        return line, units + 1
