"""`ignition arm` and `ignition disarm`: a stock machine becomes an image whose clones provision themselves, and back.

They run on the machine itself, or in a chroot of its disk. Nothing is changed before all operations are known; -dry-run prints
them.
"""

from __future__ import annotations

import os
import sys

from ignition.arming import checks, plan
from ignition.arming import machine as machines
from ignition.cli import doctor
from ignition.cli.flags import GO_ANYWHERE, Flag, wants_colour
from ignition.cli.program import FAILED, IGNITION, SUCCESS, USAGE, Program
from ignition.errors import Failure
from ignition.host import log, paths
from ignition.host.printable import message
from ignition.host.root import Root
from ignition.operation import Context, Operation, Runner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.program import Values

_JOURNAL = "/run/systemd/journal/socket"
_DRY_RUN = Flag("dry-run", False, "print what would be done, and change nothing")
_STATUSES = {SUCCESS: "done, or -dry-run was given", FAILED: "refused, or an operation failed", USAGE: "invalid usage"}

PROGRAM = Program(
    "ignition arm",
    "make this machine an image whose clones provision themselves at their first boot",
    (_DRY_RUN, Flag("grow", False, "let ROOT grow to the end of its disk, whatever the type of its partition")),
    manual="ignition-arm(8)",
    usage=("[-grow] [-dry-run]",),
    dialect=GO_ANYWHERE,
    operands=None,
    original=IGNITION,
    statuses={**_STATUSES, doctor.LACKS: "done, and something else is missing: see ignition-doctor(8)"},
)
DISARM = Program(
    "ignition disarm",
    "undo ignition arm",
    (_DRY_RUN,),
    manual="ignition-arm(8)",
    usage=("[-dry-run]",),
    dialect=GO_ANYWHERE,
    operands=None,
    original=IGNITION,
    statuses=_STATUSES,
)


@PROGRAM
def arm(values: Values, words: list[str]) -> int:
    """Show the operations, run them, and look for other things that the image lacks."""
    machine = _probe(values, may_replace=True)
    _run(plan.arm(machine), machine, "arm", dry_run=values["dry-run"])
    if values["dry-run"]:
        return SUCCESS
    missing = [one for one in checks.findings(*doctor.of_root(machine.root.path or "/")) if one.level == checks.MISSING]
    if missing:
        print("\n".join(("", *doctor.lines(missing, colour=wants_colour(sys.stdout)))))
        return doctor.LACKS
    print("\nThe next boot of this disk is a first boot. Power off, and use the disk as an image: `ignition disarm` undoes it.")
    return SUCCESS


@DISARM
def disarm(values: Values, words: list[str]) -> None:
    """Show the operations, and run them."""
    machine = _probe(values)
    _run(plan.disarm(machine), machine, "disarm", dry_run=values["dry-run"])
    if not values["dry-run"]:
        print("\nThe next boot is an ordinary one.")


def _probe(values: Values, *, may_replace: bool = False) -> machines.Machine:
    if os.path.exists(paths.INITRD_RELEASE):
        raise Failure("this is an initramfs", fix="run it on the running system, or in a chroot of the image")
    if os.geteuid() != 0:
        raise Failure("only root can change the boot of a machine", fix="run it as root")
    # In a chroot there is no journal, and the steps are printed anyway.
    log.divert(None if os.path.exists(_JOURNAL) and not values["dry-run"] else _warn)
    return machines.probe(Root.live(), grows=values.get("grow", False), may_replace=may_replace)


def _warn(priority: int, text: str) -> None:
    if priority <= log.WARNING:
        print(f"ignition: {message(text)}", file=sys.stderr)


def _run(operations: list[Operation], machine: machines.Machine, stage: str, *, dry_run: bool) -> None:
    context = Context(machine.root, None)  # type: ignore[arg-type]  # nothing is fetched here
    for operation in operations:
        print(message(f"  {operation.describe()}{' (already done)' if operation.already_there(context) else ''}"), flush=True)
    if dry_run:
        return
    log.configure(stage=stage, to_stdout=False)
    os.makedirs(paths.RUN, exist_ok=True)
    with Runner(stage, f"{paths.RUN}/{paths.OPERATIONS}") as runner:
        runner.run(operations, context)
