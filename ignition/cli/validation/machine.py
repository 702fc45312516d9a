"""For programs: one JSON document about all configs. Its shape is documented in docs/validation.md.

It holds messages and places, but nothing of the text of a config.
"""

from __future__ import annotations

import json
import sys

from ignition import __version__
from ignition.cli.validation.examine import Examined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.validation.examine import Verdict
    from ignition.config.report import Entry
    from ignition.config.text.positions import Lines

FORMAT = 1  # is increased when a member is removed or changes its meaning; new members may be added at any time

Object = dict[str, object]


class Machine:
    """Gathers, and prints at the end."""

    def __init__(self) -> None:
        self._files: list[Object] = []

    def add(self, file: Examined) -> None:
        """One config."""
        self._files.append(_file(file))

    def finish(self, status: int) -> None:
        """Print the document."""
        program = {"name": "ignition-validate", "version": __version__}
        json.dump({"format": FORMAT, "program": program, "status": status, "files": self._files}, sys.stdout, indent=2)
        print()


def _file(file: Examined) -> Object:
    from ignition.config.text.positions import Lines

    lines = Lines(file.text)
    return {
        "file": file.name,
        "outcome": file.outcome,
        "specVersion": file.version or None,
        "packing": file.packing or None,
        "problem": f"{file.problem} (fix: {file.fix})" if file.fix else file.problem or None,
        "entries": [_entry(entry, lines) for entry in file.entries],
        "targets": [_verdict(verdict) for verdict in file.verdicts],
    }


def _entry(entry: Entry, lines: Lines) -> Object:
    from ignition.config.rule_ids import GENERAL

    end = lines.at(entry.extent[1] - 1) if entry.extent else None
    return {
        "level": entry.level,
        "rule": entry.rule or GENERAL,
        "message": entry.message,
        "fix": entry.fix or None,
        "path": entry.path or None,
        "line": entry.line,
        "column": entry.column,
        "endLine": end[0] if end else None,
        "endColumn": end[1] + 1 if end else None,
    }


def _verdict(verdict: Verdict) -> Object:
    target = verdict.target
    return {
        "system": target.system,
        "release": target.release,
        "lowestIgnition": target.lowest or None,
        "highestIgnition": target.highest or None,
        "specVersions": list(target.specs()),
        "takes": verdict.takes,
    }
