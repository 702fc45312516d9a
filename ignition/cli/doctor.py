"""`ignition doctor`: what an image lacks to provision itself at its first boot, each with its remedy. Changes nothing."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from ignition.arming import checks, initramfs
from ignition.arming.checks import MISSING, Boot, Finding
from ignition.cli import images
from ignition.cli.flags import DIRECTORIES, GO_ANYWHERE, Flag, wants_colour
from ignition.cli.program import FAILED, IGNITION, SUCCESS, USAGE, Program
from ignition.host import log
from ignition.host.printable import message
from ignition.host.root import Root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.program import Values
    from ignition.facts.document import Facts

LACKS = 3
PROGRAM = Program(
    "ignition doctor",
    "list what this machine, or an image, lacks to provision itself at its first boot",
    (
        images.IMAGE,
        Flag("json", False, "print JSON"),
        Flag("root", "/", "root directory of the image, with its /boot", value="DIRECTORY", offers=DIRECTORIES),
    ),
    manual="ignition-doctor(8)",
    usage=("[-root DIRECTORY | -image FILE] [-json]",),
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
    with ExitStack() as stack:
        root, boot = _of_image(values["image"], stack) if values["image"] else of_root(values["root"])
        found = checks.findings(root, boot)
    if values["json"]:
        findings = [{"level": one.level, "what": one.what, "where": one.where, "fix": one.fix} for one in found]
        print(json.dumps({"version": 1, "findings": findings}, indent=1))
    else:
        print("\n".join(lines(found, colour=wants_colour(sys.stdout))))
    return LACKS if any(one.level == MISSING for one in found) else SUCCESS


def of_root(directory: str) -> tuple[Root, Boot]:
    """The root in a directory, and its /boot."""
    root = Root(directory)
    return root, Boot(root, "/boot", lambda path, inside: initramfs.read(f"{root.path}{path}", inside))


def _of_image(words: Sequence[str], stack: ExitStack) -> tuple[Root, Boot]:
    """The root in an image, and its boot directory: EFI-SYSTEM if /boot is empty. Raises Failure."""
    from tempfile import TemporaryDirectory

    from ignition.facts import image
    from ignition.planning import images
    from ignition.planning.root import PlannedRoot

    opened, _ = stack.enter_context(image.opened_raw(image.named(words)))
    argument = images.root_argument(image.probe(opened, "", efi=False))
    found = images.machine(words, argument, efi=False, sector_size=image.SECTOR, stack=stack)
    grows = _grows(found.facts)
    root, scratch, esp = PlannedRoot(found.tree), stack.enter_context(TemporaryDirectory()), found.esp()

    def read(path: str, inside: str) -> str | None:
        copy = os.path.join(scratch, "initramfs")
        if esp and not root.names("/boot"):
            esp.copy(path, copy)
        else:
            with open(copy, "wb") as file:
                file.write(found.tree.read(root.resolve(path)))
        text = initramfs.read(copy, inside)
        os.unlink(copy)
        return text

    if esp and not root.names("/boot"):
        return root, Boot(PlannedRoot(esp), "", read, root_grows=grows)
    return root, Boot(root, "/boot", read, root_grows=grows)


def _grows(facts: Facts) -> bool:
    """Whether ROOT is on a partition that grows because of its type."""
    from ignition.storage.grow.facts import MEMBER_TYPES, ROOT_TYPE

    devices = {one.node: one for one in facts.devices}
    partition = devices.get(facts.root)
    table = devices[partition.below[0]].table if partition and partition.below else None
    types = {part.number: part.type_guid.lower() for part in table.parts} if table else {}
    return partition is not None and types.get(partition.number) in (ROOT_TYPE, *MEMBER_TYPES)


def lines(found: list[Finding], *, colour: bool) -> Iterator[str]:
    """The findings for a person, and a line about all of them."""
    for one in found:
        level = f"\033[31m{one.level}\033[0m" if colour and one.level == MISSING else one.level
        yield f"{level}: {message(one.what)}"
        yield f"    where: {message(one.where)}"
        yield f"    fix:   {message(one.fix)}"
    missing = sum(one.level == MISSING for one in found)
    yield f"{missing} missing: this does not provision itself" if missing else "nothing is missing: its first boot provisions it"
