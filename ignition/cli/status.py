"""`ignition status`: whether this machine is provisioned, when, from where and by which config, and whether anything is wrong.

Reads only, as any user: it says what it could not read. Source of the result's members: docs/reference/ignition-config.md §6.5.
"""

from __future__ import annotations

import sys
import time

from ignition.cli.flags import DIRECTORIES, GO_ANYWHERE, Flag, wants_colour
from ignition.cli.program import IGNITION, Program
from ignition.host import paths
from ignition.host.root import Root
from ignition.provisioned import screen
from ignition.provisioned import status as states

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.program import Values

PROVISIONED, UNKNOWN, USAGE, UNPROVISIONED, INTERRUPTED = 0, 1, 2, 3, 4
_STATUS = {
    states.PROVISIONED: PROVISIONED,
    states.UNKNOWN: UNKNOWN,
    states.UNPROVISIONED: UNPROVISIONED,
    states.INTERRUPTED: INTERRUPTED,
}
_PATIENCE_S = 300
_LONGEST_S = 7 * 24 * 3600
_POLL_S = 0.5


def _seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= _LONGEST_S):
        raise ValueError(f"{text!r} is not a number of seconds between 1 and {_LONGEST_S}")
    return int(text)


PROGRAM = Program(
    "ignition status",
    "show whether this machine is provisioned, by which config, and what is wrong",
    (
        Flag("json", False, "print JSON"),
        Flag("root", "/", "root directory of the machine", value="DIRECTORY", offers=DIRECTORIES),
        Flag(
            "wait",
            0,
            f"wait until the machine is provisioned, at most so long (without a value {_PATIENCE_S} s)",
            value="SECONDS",
            bare=str(_PATIENCE_S),
            parse=_seconds,
        ),
    ),
    manual="ignition-status(1)",
    usage=("[-wait[=SECONDS]] [-json] [-root DIRECTORY]",),
    dialect=GO_ANYWHERE,
    operands=None,
    original=IGNITION,
    statuses={
        PROVISIONED: "the machine is provisioned",
        UNKNOWN: "the state could not be found out",
        USAGE: "invalid usage",
        UNPROVISIONED: "the machine is not provisioned, or not before -wait timed out",
        INTERRUPTED: "a first boot has begun, and is not complete",
    },
)


@PROGRAM
def main(values: Values, words: list[str]) -> int:
    """Print the state, once it is reached or waiting has timed out."""
    timed_out = values["wait"] and not _wait(Root(values["root"]), values["wait"])
    status = states.read(values["root"])
    if values["json"]:
        import json

        print(json.dumps(status.plain(), indent=2))
    else:
        print("\n".join(screen.lines(status, colour=wants_colour(sys.stdout))))
    if timed_out:
        print(f"{PROGRAM.name}: waiting timed out after {values['wait']} s", file=sys.stderr)
    return _STATUS[status.state]


def _wait(root: Root, seconds: int) -> bool:
    """Whether the result exists, at the latest when the time is over."""
    end = time.monotonic() + seconds
    while root.status(paths.RESULT) is None:
        if time.monotonic() >= end:
            return False
        time.sleep(_POLL_S)
    return True
