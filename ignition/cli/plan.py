"""`ignition plan [URL|FILE|-]...`: what a first boot with these configs would change on a machine, and what would be lost.

The stages plan on facts about the machine: this one, the disks in images, or a document of `ignition facts`. Nothing is changed,
and nothing is opened for writing. Exit statuses: 0 nothing to do, 2 changes, 3 changes that lose data, 1 the boot would fail.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack

from ignition.cli.flags import FILES, GO_ANYWHERE, Flag, UsageError, duration_s, wants_colour
from ignition.cli.images import IMAGE, KERNEL_ARGUMENTS, MEMORY, SECTOR_SIZE, UEFI
from ignition.cli.merged_config import (
    BASE_DIR,
    FETCH_TIMEOUT,
    PATIENCE,
    PLATFORM,
    merged,
    parts,
    show,
    tell_people,
    without_garbage_collection,
)
from ignition.cli.program import IGNITION, Program
from ignition.errors import Failure
from ignition.host import paths, progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.program import Values
    from ignition.config.model import Config
    from ignition.facts.document import Facts
    from ignition.planning.changes import Changes
    from ignition.planning.result import Result
    from ignition.planning.stages import Planner
    from ignition.planning.tree import Tree

NOTHING_TO_DO, FAILS, CHANGES, LOSES_DATA, USAGE = 0, 1, 2, 3, 64

FLAGS = (
    BASE_DIR,
    Flag("facts", "", "plan for the machine of this document, written by ignition facts", value="FILE", offers=FILES),
    FETCH_TIMEOUT,
    Flag("host", False, "plan for this machine (the default)"),
    Flag("html", "", "write the plan to a page, which contains all it needs", value="FILE", offers=FILES),
    IMAGE,
    Flag("json", False, "print the plan as JSON"),
    KERNEL_ARGUMENTS,
    MEMORY,
    PLATFORM,
    SECTOR_SIZE,
    Flag("show-contents", False, "also show the contents of files that only some may read"),
    UEFI,
)
PROGRAM = Program(
    "ignition plan",
    "show what a first boot with a config would change, and what would be lost",
    FLAGS,
    manual="ignition-plan(1)",
    usage=("[URL|FILE|-]... [--host | --image FILE... | --facts FILE] [options]",),
    dialect=GO_ANYWHERE,
    operands=FILES,
    original=IGNITION,
    usage_status=USAGE,
    statuses={
        NOTHING_TO_DO: "nothing would change",
        FAILS: "the boot would fail, or the plan cannot be made",
        CHANGES: "something would change, and nothing is lost",
        LOSES_DATA: "data would be lost",
        USAGE: "invalid usage",
    },
)


@PROGRAM
def main(values: Values, words: list[str]) -> int:
    """Plan the configs."""
    from ignition.fetch.engine import Fetcher
    from ignition.fetch.settings import Settings
    from ignition.planning.changes import Changes
    from ignition.planning.result import of_boot
    from ignition.planning.stages import Planner

    if sum(map(bool, (values["host"], values["image"], values["facts"]))) > 1:
        raise UsageError("-host, -image and -facts exclude each other: a plan is for one machine")
    tell_people(PROGRAM.name)
    if not values["json"]:
        progress.for_people(PROGRAM.name)
    with without_garbage_collection(), ExitStack() as stack:
        timeout_s = float(int(duration_s(values["fetch-timeout"] or PATIENCE)))
        limited = bool(values["fetch-timeout"])
        marked = merged(words, values["base-dir"], values["platform"], timeout_s, is_limit=limited)
        facts, tree, remarks = _machine(values, stack)
        with Fetcher(Settings(), offline=True) as fetcher:
            planner = Planner(_plain(marked), facts, tree, fetcher, values["platform"] or "metal")
            planner.machine.unknown += [*remarks, *_demands(facts, tree)]
            changes = Changes.of(planner, lambda place: _place(marked, place), shows_contents=values["show-contents"])
            failure = _run(planner, changes)
        name = ", ".join(words) or "the base configs"
        status = present(of_boot(planner, changes, failure), values, name, kind="first boot, planned", fails=bool(failure))
        if failure:
            _complain(marked, planner.failed_in, failure)
        return status


def _plain(marked: Config) -> Config:
    from ignition.config import origins

    return origins.plain(marked)


def _machine(values: Values, stack: ExitStack) -> tuple[Facts, Tree, list[str]]:
    """(the facts of the machine, its root, remarks); they are valid as long as the stack. Raises Failure."""
    from ignition.planning.tree import KnownTree, LiveTree

    if values["facts"]:
        from ignition.facts import schema

        try:
            with open(values["facts"], "rb") as file:
                facts = schema.parse(file.read(), values["facts"])
        except OSError as error:
            raise Failure(f"the facts cannot be read: {error.strerror}", where=values["facts"]) from error
        return facts, KnownTree(facts.nodes), []
    if values["image"]:
        from ignition.cli import images

        with progress.working(f"inspecting {', '.join(values['image'])}"):
            found = images.machine(values, stack)
        return found.facts, found.tree, found.remarks
    from ignition.facts import host

    if os.geteuid() != 0:
        raise Failure(
            "the disks of this machine can be read by root only",
            fix="run the command as root, or plan for an image (-image) or from facts (-facts)",
        )
    with progress.working("inspecting the disks of this machine"):
        if not os.path.exists(paths.INITRD_RELEASE):
            return host.probe(), LiveTree(), []
        root = paths.sysroot()
        remarks = [] if os.path.ismount(root) else [f"ROOT is not mounted at {root}: its files are planned as if it were empty"]
        return host.probe(root), LiveTree(root), remarks


def _demands(facts: Facts, tree: Tree) -> list[str]:
    """Notes on the demands of image and kernel command line (docs/trust.md): a plan does not check signatures."""
    from ignition.host import cmdline
    from ignition.trust import policy

    place = f"/usr/lib/ignition/{policy.REQUIRED_BY_IMAGE}"
    try:
        by_image = tree.node(place) is not None
    except (Failure, OSError):
        by_image = False  # the facts do not say
    word = cmdline.last(facts.kernel_arguments, policy.VERIFY_OPTION)
    digest = cmdline.last(facts.kernel_arguments, policy.DIGEST_OPTION)
    found = []
    if by_image or word == policy.REQUIRED:
        because = f"{place} of the image" if by_image else f"{policy.VERIFY_OPTION}={word}"
        found.append(
            f"{because} requires signatures, which the plan does not check: sign the config, and each resource needs a hash"
        )
    if digest:
        found.append(f"{policy.DIGEST_OPTION}={digest} accepts one first config only, which the plan does not compare")
    return found


def _place(marked: Config, place: str) -> str:
    """The place in the author's text of a place in the merged config."""
    from ignition.config import origins

    if not place.startswith("$."):
        return place
    origin = origins.near(marked, parts(place))
    return str(origin) if origin else place


def _run(planner: Planner, changes: Changes) -> Failure | None:
    """Make the plan; returns the failure that the boot would end with."""
    try:
        with progress.working("planning"):
            planner.run(changes.seen)
    except Failure as failure:
        return failure
    return None


def present(result: Result, values: Values, name: str, *, kind: str, fails: bool) -> int:
    """Print a plan, write it to a page if -html is given, and return the exit status. Raises Failure.

    `name`: of the config on the page; `kind`: of the run.
    """
    if values["json"]:
        import json

        print(json.dumps(result.document(), ensure_ascii=False, indent=1))
    else:
        print("\n".join(result.lines(wants_colour(sys.stdout))))
    if values["html"]:
        from ignition.planning import page

        text = page.text(result, name, kind=kind)
        try:
            with open(values["html"], "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
                file.write(text)
        except OSError as error:
            raise Failure(f"the page cannot be written: {error.strerror}", where=values["html"]) from error
    return FAILS if fails else LOSES_DATA if result.lost else CHANGES if result.is_changed else NOTHING_TO_DO


def _complain(marked: Config, stage: str, failure: Failure) -> None:
    """The failure at the author's line."""
    from ignition.config import origins
    from ignition.config.report import ERROR, Entry

    origin = origins.near(marked, parts(failure.where)) if failure.where.startswith("$.") else None
    message = f"the boot would fail in stage {stage}: {failure.what}"
    if origin is None:
        located = Failure(message, where=failure.where, fix=failure.fix)
        print(f"ignition plan: {located}", file=sys.stderr)
    else:
        show(Entry(level=ERROR, message=message, path=failure.where, fix=failure.fix), origin)
