"""`ignition-validate FILE…|-`: what is wrong with configs, for people or programs. docs/validation.md is its manual.

Exit statuses as Ignition's program of that name (docs/reference/ignition-config.md §6.4): 0 all valid (warnings are allowed,
unless `-strict`), 1 some are not, or cannot be read, 2 usage.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from ignition.cli.flags import FILES, Flag, UsageError, one_of, wants_colour
from ignition.cli.program import IGNITION, Program
from ignition.cli.validation.examine import STDIN, examine
from ignition.errors import Failure, is_foreign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ignition.cli.program import Values
    from ignition.cli.validation.examine import Examined
    from ignition.config.targets import Target

    class Output(Protocol):
        """Shows what was found."""

        def add(self, file: Examined) -> None:
            """One config."""

        def finish(self, status: int) -> None:
            """All of them are added; the program will end with that status."""


_WHEN = ("auto", "always", "never")


def _target(text: str) -> Target:
    from ignition.config.targets import parse

    return parse(text)


VALID, NOT_VALID, USAGE = 0, 1, 2
FLAGS = (
    Flag("json", False, "print one JSON document about all configs"),
    Flag("sarif", False, "print SARIF 2.1.0, for code scanning services and editors"),
    Flag(
        "target",
        (),
        "check whether the Ignition of that release accepts the spec version of the configs, such as flatcar=3510.2.0 or"
        " fcos=42.20250929.3.0; may be repeated",
        value="SYSTEM=VERSION",
        parse=_target,
        offers=("flatcar=", "fcos="),
    ),
    Flag("strict", False, "fail on any warning, advice included"),
    Flag("no-advice", False, "omit advice: warnings that no spec requires"),
    Flag(
        "color",
        "auto",
        "colours for people: auto, always or never; auto is on a terminal, unless NO_COLOR is set",
        value="WHEN",
        parse=one_of(*_WHEN),
        offers=_WHEN,
    ),
)
PROGRAM = Program(
    "ignition-validate",
    "validate configs for the first boot",
    FLAGS,
    manual="ignition-validate(1)",
    usage=("[options] FILE...",),
    operands=FILES,
    original=IGNITION,
    statuses={
        VALID: "all configs are valid, perhaps with warnings",
        NOT_VALID: "a config is invalid, cannot be read, or is not accepted by a target; with -strict also if there is a warning",
        USAGE: "invalid usage",
    },
    closed_pipe=NOT_VALID,  # an incomplete report must not pass for a valid config
)


@PROGRAM
def main(values: Values, files: list[str]) -> int:
    """All configs, also after an invalid one."""
    _check_usage(values, files)
    output = _output(values)
    status = VALID
    for name in files:
        examined = examine(name, values["target"], advice=not values["no-advice"])
        output.add(examined)
        fails = not examined.is_good or (values["strict"] and any(entry.level == "warning" for entry in examined.entries))
        status = NOT_VALID if fails else status
    output.finish(status)
    return status


def _check_usage(values: Values, files: Sequence[str]) -> None:
    if not files:
        raise UsageError("expected at least one FILE")
    if files.count(STDIN) > 1:
        raise UsageError("standard input can be read only once, but - is given twice")
    if values["json"] and values["sarif"]:
        raise UsageError("flags -json and -sarif are mutually exclusive")
    late = next((name for name in files if name.startswith("-") and name != STDIN and not os.path.lexists(name)), "")
    if late:
        raise UsageError(f"flag {late} follows a file: flags precede the first file")


def _output(values: Values) -> Output:
    if values["json"]:
        from ignition.cli.validation.machine import Machine

        return Machine()
    if values["sarif"]:
        try:
            from ignition.cli.validation.sarif import Sarif
        except ImportError as error:  # see ABSENT in dracut's closure.py
            if is_foreign(error):
                raise
            raise Failure("an initramfs does not contain SARIF", fix="use -json here") from error
        return Sarif()
    from ignition.cli.validation.human import Human

    return Human(colour=wants_colour(sys.stdout, values["color"]))


if __name__ == "__main__":
    sys.exit(main())
