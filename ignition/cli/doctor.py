"""`ignition doctor`: what an image lacks to provision itself at its first boot, each with its remedy. Changes nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from ignition.arming import checks, initramfs
from ignition.arming.checks import MISSING, Boot, Finding
from ignition.cli.flags import DIRECTORIES, GO_ANYWHERE, Flag, wants_colour
from ignition.cli.program import FAILED, IGNITION, SUCCESS, USAGE, Program
from ignition.host import log
from ignition.host.printable import message
from ignition.host.root import Root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.program import Values

LACKS = 3
PROGRAM = Program(
    "ignition doctor",
    "list what this machine, or an image, lacks to provision itself at its first boot",
    (
        Flag("json", False, "print JSON"),
        Flag("root", "/", "root directory of the image, with its /boot", value="DIRECTORY", offers=DIRECTORIES),
    ),
    manual="ignition-doctor(8)",
    usage=("[-root DIRECTORY] [-json]",),
    dialect=GO_ANYWHERE,
    operands=None,
    original=IGNITION,
    statuses={
        SUCCESS: "nothing is missing",
        FAILED: "the image could not be read",
        USAGE: "invalid usage",
        LACKS: "something is missing",
    },
)


@PROGRAM
def main(values: Values, words: list[str]) -> int:
    """Print the findings."""
    log.divert(lambda _priority, _message: None)
    root = Root(values["root"])
    found = checks.findings(root, Boot(root, "/boot", lambda image, path: initramfs.read(f"{root.path}{image}", path)))
    if values["json"]:
        print(json.dumps([{"level": one.level, "what": one.what, "where": one.where, "fix": one.fix} for one in found], indent=1))
    else:
        print("\n".join(_lines(found, colour=wants_colour(sys.stdout))))
    return LACKS if any(one.level == MISSING for one in found) else SUCCESS


def _lines(found: list[Finding], *, colour: bool) -> Iterator[str]:
    for one in found:
        level = f"\033[31m{one.level}\033[0m" if colour and one.level == MISSING else one.level
        yield f"{level}: {message(one.what)}"
        yield f"    where: {message(one.where)}"
        yield f"    fix:   {message(one.fix)}"
    missing = sum(one.level == MISSING for one in found)
    yield f"{missing} missing: this does not provision itself" if missing else "nothing is missing: its first boot provisions it"
