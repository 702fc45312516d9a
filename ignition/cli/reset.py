"""`ignition reset`: provision this machine again at its next boot, after a preview with all losses.

The preview is the list of operations that runs. Nothing is changed before the machine's host name has been typed, or -yes given.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from textwrap import wrap

from ignition import platforms
from ignition.cli.flags import GO_ANYWHERE, Flag, UsageError, one_of
from ignition.cli.program import FAILED, IGNITION, SUCCESS, USAGE, Program
from ignition.errors import Failure
from ignition.host import log, paths
from ignition.host.command import run
from ignition.host.printable import message
from ignition.host.root import Root
from ignition.operation import Context, Operation, Runner
from ignition.provisioned import reset
from ignition.provisioned.status import ENVIRONMENT, platform_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from ignition.cli.program import Values
    from ignition.provisioned.reset import Facts

VERSION = 1  # of the JSON
_WIDTH = 114
_STARTING = ("initializing", "starting")  # systemctl(1), is-system-running
PROGRAM = Program(
    "ignition reset",
    "provision this machine again at its next boot",
    (
        Flag("dry-run", False, "print what would be done, and change nothing"),
        Flag("json", False, "print JSON, with -yes or -dry-run"),
        Flag(
            "keep",
            (),
            f"keep this, one of {', '.join(reset.KEEPABLE)}; may be repeated",
            value="WHAT",
            parse=one_of(*reset.KEEPABLE),
            offers=reset.KEEPABLE,
        ),
        Flag("yes", False, "do not ask for the machine's host name"),
    ),
    manual="ignition-reset(8)",
    usage=("[-keep WHAT]... [-yes] [-dry-run] [-json]",),
    dialect=GO_ANYWHERE,
    operands=None,
    original=IGNITION,
    statuses={
        SUCCESS: "the machine will be provisioned again, or -dry-run was given",
        FAILED: "refused, not confirmed, or an operation failed",
        USAGE: "invalid usage",
    },
)


@PROGRAM
def main(values: Values, words: list[str]) -> None:
    """Show the operations, ask, and run them."""
    if values["json"] and not (values["yes"] or values["dry-run"]):
        raise UsageError("-json needs -yes or -dry-run: a person who is asked reads the preview")
    _refuse_place()
    root, keep = Root.live(), values["keep"]
    facts = reset.probe(root)
    _refuse_first_boot(facts)
    operations = reset.plan(facts, keep)
    name = os.uname().nodename
    if values["json"]:
        return _as_json(name, facts, keep, operations, root, dry_run=values["dry-run"])
    print("\n".join(message(line) for line in _preview(name, facts, keep, operations)), flush=True)
    if values["dry-run"]:
        return None
    if not values["yes"]:
        _confirm(name)
    with _runner() as runner:
        runner.run(operations, Context(root, None))  # type: ignore[arg-type]  # nothing is fetched here
    how = "" if facts.node else " with that argument"
    print(f"\nDone. Reboot{how} soon: until then programs may miss the machine ID.")
    return None


def _runner() -> Runner:
    log.configure(stage="reset", to_stdout=False)
    os.makedirs(paths.RUN, exist_ok=True)
    return Runner("reset", f"{paths.RUN}/{paths.OPERATIONS}")


def _as_json(name: str, facts: Facts, keep: Collection[str], operations: list[Operation], root: Root, *, dry_run: bool) -> None:
    """Run the operations, and print one object, whatever their result. Raises Failure."""
    import json

    found: Failure | None = None
    done: list[Operation] = []
    if not dry_run:
        with _runner() as runner:
            try:
                runner.run(operations, Context(root, None))  # type: ignore[arg-type]  # nothing is fetched here
            except Failure as failure:
                found = failure
            done = runner.done
    rows = []
    for operation in operations:
        is_failed = found is not None and operation is operations[len(done)]
        result = "failed" if is_failed else "done" if operation in done else "planned"
        rows.append({"operation": operation.kind, "what": operation.describe(), "path": operation.path, "result": result})
    document = {
        "version": VERSION,
        "machine": name,
        "dryRun": dry_run,
        "operations": rows,
        "lost": list(_lost(facts, keep)),
        "kept": list(_kept(facts, keep)),
        "notes": list(_notes(facts)),
        "failure": {"what": found.what, "where": found.where, "fix": found.fix} if found else None,
    }
    print(json.dumps(document, ensure_ascii=False, indent=1))
    if found:
        raise found


def _refuse_place() -> None:
    """Raises Failure where a reset is not possible."""
    if os.path.exists(paths.INITRD_RELEASE):
        raise Failure("this is an initramfs", fix="run it on the running system")
    if os.geteuid() != 0:
        raise Failure("only root can reset a machine", fix="run it as root")
    kind = run(["systemd-detect-virt", "--container"], why="looking for a container", ok=(0, 1)).strip()
    if kind != "none":
        raise Failure(f"this is a container ({kind}): it does not have a first boot", fix="run it on the machine itself")


def _refuse_first_boot(facts: Facts) -> None:
    """Raises Failure during a first boot, so that a unit of a config cannot make the machine provision itself forever."""
    if facts.flag and facts.flag.has_begun:
        raise Failure("a first boot has begun and is not complete", fix="let it complete: see ignition status")
    if os.path.exists(ENVIRONMENT):  # by the generator: this is the boot that provisioned the machine
        state = run(["systemctl", "is-system-running"], why="asking for the state of the system", ok=(0, 1)).strip()
        if state in _STARTING:
            raise Failure("the first boot is not complete", fix="wait for it: systemctl is-system-running --wait")


def _preview(name: str, facts: Facts, keep: Collection[str], operations: list[Operation]) -> Iterator[str]:
    yield f"{name} will be provisioned again at its next boot."
    yield ""
    yield "Done now:"
    yield from (f"  {operation.describe()}" for operation in operations)
    yield ""
    yield "Lost:"
    lost = list(_lost(facts, keep))
    yield from (f"  {line}" for line in lost or ["nothing"])
    yield ""
    yield "Kept:"
    for text in _kept(facts, keep):
        yield from wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    for note in _notes(facts):
        yield ""
        yield from wrap(note, _WIDTH, break_on_hyphens=False)


def _notes(facts: Facts) -> Iterator[str]:
    if _is_config_taken(platform_of(facts.root)):
        yield (
            "ignition-delete-config.service removed the config from its platform after the last first boot, unless it was masked:"
            " set it again before the next boot."
        )
    if not facts.node:
        yield (
            "This machine does not have a partition EFI-SYSTEM for the first-boot flag: start it once with the kernel argument"
            " coreos.first_boot=1 (and ignition.platform.id= and ignition.config.url= if they are not there already)."
        )


def _lost(facts: Facts, keep: Collection[str]) -> Iterator[str]:
    if reset.MACHINE_ID not in keep:
        yield "the machine ID, and with it DHCP leases and anything else that is bound to it"
        yield "the choice of enabled units, where it differs from the presets: the next boot applies them"
    if reset.removes_host_keys(facts, keep):
        yield f"the SSH host keys: {facts.key_maker} makes new ones, and clients will warn of a changed host key"
        yield "new logins by SSH until the machine is rebooted"


def _kept(facts: Facts, keep: Collection[str]) -> Iterator[str]:
    yield (
        "users, groups, files, units and data, until the config of the next boot changes them: as at any first boot, it may"
        " overwrite files, and wipe partitions and file systems"
    )
    yield f"the history: {paths.RESULT}, {paths.REPORT}"
    if facts.host_keys and not facts.key_maker and reset.SSH_HOST_KEYS not in keep:
        yield "the SSH host keys, because no unit of this machine would make new ones"
    yield from (f"{what}, as -keep says" for what in keep)


def _is_config_taken(platform: str) -> bool:
    """Whether the config was taken away from its platform after the first boot (dracut/system/ignition-delete-config.service)."""
    try:
        return platforms.config_source(platform).remove is not None
    except Failure:
        return False


def _confirm(name: str) -> None:
    """Raises Failure unless a person types the host name."""
    if not sys.stdin.isatty():
        raise Failure("a person must confirm this on a terminal", fix="pass -yes")
    print(f"\nType the name of this machine to go on ({message(name)}): ", end="", flush=True)
    if sys.stdin.readline().strip() != name:
        raise Failure("that is not the name of this machine: nothing was changed")
