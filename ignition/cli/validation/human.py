"""For people: findings with source lines on standard output, one line per config and what went wrong on standard error.

Source lines may hold secrets of the config: that is for the eyes of who reads it.
"""

from __future__ import annotations

import sys

from ignition.cli.validation.examine import Examined
from ignition.host.printable import message

PROGRAM = "ignition-validate"


TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.report import Entry


class Human:
    """Prints as it goes. `colour` is about the findings."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour
        self._has_printed = False

    def add(self, file: Examined) -> None:
        """One config."""
        if file.problem:
            _note(f"{PROGRAM}: {file.source}: {file.problem}" + (f" (fix: {file.fix})" if file.fix else ""))
            return
        if file.entries:
            from ignition.config.report import Report
            from ignition.config.text.display import display

            if self._has_printed:
                print()
            entries = tuple(sorted(file.entries, key=_position))
            print(display(Report(entries=entries, source=file.source), file.text, colour=self._colour))
            self._has_printed = True
        _note(_summary(file))
        for verdict in file.verdicts:
            if verdict.takes:
                from ignition.cli.validation.examine import said

                _note(f"{file.source}: {said(verdict)}")

    def finish(self, status: int) -> None:
        """Nothing is left to say."""


def _position(entry: Entry) -> tuple[int, int]:
    """People read from top to bottom. Findings about the whole text come first, those about its end (line 0) last."""
    line = entry.line if entry.line is None or entry.line > 0 else sys.maxsize
    return line or 0, entry.column or 0


def _note(line: str) -> None:
    sys.stdout.flush()  # where both go to one place, in the order of events
    print(message(line), file=sys.stderr)


def _summary(file: Examined) -> str:
    levels = [entry.level for entry in file.entries]
    counts = [f"{levels.count(level)} {level}{'s' if levels.count(level) > 1 else ''}" for level in dict.fromkeys(levels)]
    facts = [f"spec {file.version}"] * bool(file.version) + [f"unpacked from {file.packing}"] * bool(file.packing)
    refusing = [verdict.target.name for verdict in file.verdicts if verdict.takes is False]
    version = f" ({', '.join(facts)})" if facts else ""
    aim = f", not taken by {', '.join(refusing)}" if refusing else ""
    return f"{file.source}: {file.outcome}{version}{aim}{': ' if counts else ''}{', '.join(counts)}"
