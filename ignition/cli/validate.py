"""`ignition-validate FILE…|-`: what is wrong with configs, for people or programs. docs/validation.md is its manual.

Exit statuses as Ignition's program of that name (docs/reference/ignition-config.md §6.4): 0 all valid (warnings are allowed,
unless `-strict`), 1 some are not, or cannot be read, 2 usage.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from ignition import __version__
from ignition.cli.flags import Flag, UsageError, help_text, read, wants_colour
from ignition.cli.validation.examine import STDIN, examine
from ignition.host import frame
from ignition.host.printable import message as clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ignition.cli.validation.examine import Examined
    from ignition.config.targets import Target

    class Output(Protocol):
        """Shows what was found."""

        def add(self, file: Examined) -> None:
            """One config."""

        def finish(self, status: int) -> None:
            """All of them are added; the program will end with that status."""


_WHEN = ("auto", "always", "never")


def _when(text: str) -> str:
    if text not in _WHEN:
        raise ValueError(f"{text!r} is none of {', '.join(_WHEN)}")
    return text


def _target(text: str) -> Target:
    from ignition.config.targets import parse

    return parse(text)


FLAGS = (
    Flag("json", False, "print one JSON document about all configs"),
    Flag("sarif", False, "print SARIF 2.1.0, for code scanning services and editors"),
    Flag(
        "target",
        (),
        "say whether the Ignition of that release takes the spec version of the configs; such as flatcar=3510.2.0 or"
        " fcos=42.20250929.3.0; may be given several times",
        value="SYSTEM=VERSION",
        parse=_target,
    ),
    Flag("strict", False, "fail on any warning, advice included"),
    Flag("no-advice", False, "leave out advice: warnings that no spec demands"),
    Flag(
        "color",
        "auto",
        "colours for people: auto, always or never; auto is on a terminal, unless NO_COLOR is set",
        value="WHEN",
        parse=_when,
    ),
    Flag("version", False, "print the version and exit"),
    Flag("help", False, "print this help and exit"),
    Flag("h", False, "the same"),
)
VALID, NOT_VALID, USAGE = 0, 1, 2
USAGE_TEXT = "usage: ignition-validate [flag …] FILE…   say what is wrong with configs; - is standard input"


# Nobody may take for valid what was not said to the end: 1.
@frame.program("ignition-validate", closed_pipe=1)
def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _main(words)
    except UsageError as error:
        print(f"ignition-validate: {clean(str(error))}\n\n{USAGE_TEXT}\n\nTry ignition-validate -help.", file=sys.stderr)
        return USAGE


def _main(words: Sequence[str]) -> int:
    values, files = read(FLAGS, words)
    if values["help"] or values["h"]:
        print(help_text(USAGE_TEXT, FLAGS))
        return VALID
    if values["version"]:
        print(f"Ignition {__version__}")
        return VALID
    _check_usage(values, files)
    output = _output(values)
    status = VALID
    for name in files:  # all of them, also after one that is wrong
        examined = examine(name, values["target"], advice=not values["no-advice"])
        output.add(examined)
        fails = not examined.is_good or (values["strict"] and any(entry.level == "warning" for entry in examined.entries))
        status = NOT_VALID if fails else status
    output.finish(status)
    return status


def _check_usage(values: Mapping[str, object], files: Sequence[str]) -> None:
    if not files:
        raise UsageError("no file is named")
    if files.count(STDIN) > 1:
        raise UsageError("standard input can be read once only, but - is named twice")
    if values["json"] and values["sarif"]:
        raise UsageError("flags -json and -sarif exclude each other")
    late = next((name for name in files if name.startswith("-") and name != STDIN and not os.path.lexists(name)), "")
    if late:
        raise UsageError(f"flag {late} comes after a file: flags are read before the first file only")


def _output(values: Mapping[str, object]) -> Output:
    if values["json"]:
        from ignition.cli.validation.machine import Machine

        return Machine()
    if values["sarif"]:
        from ignition.cli.validation.sarif import Sarif

        return Sarif()
    from ignition.cli.validation.human import Human

    return Human(colour=_is_coloured(str(values["color"])))


def _is_coloured(when: str) -> bool:
    if when == "auto":
        return wants_colour(sys.stdout)
    return when == "always"


if __name__ == "__main__":
    sys.exit(main())
