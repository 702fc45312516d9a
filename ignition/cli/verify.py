"""`ignition verify`: this machine beside the record of its first boot, or beside a config. Reads only.

Exit statuses: 0 the same, 1 it cannot be found out, or the usage is invalid, 2 the machine differs.
"""

from __future__ import annotations

import json
import sys
import time

from ignition.cli.flags import DIRECTORIES, FILES, GO_ANYWHERE, Flag, duration_s, wants_colour
from ignition.cli.program import IGNITION, Program
from ignition.display.changes import SAME
from ignition.host import progress
from ignition.host.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.cli.program import Values
    from ignition.config.model import Config
    from ignition.display.changes import Change
    from ignition.host.root import Root

SAME_AS_APPLIED, UNKNOWN, DRIFT = 0, 1, 2
VERSION = 1  # of the JSON

FLAGS = (
    Flag(
        "config",
        "",
        "compare with this config instead of with the record of the first boot: a file, a URL, or - for standard input",
        value="CONFIG",
        offers=FILES,
    ),
    Flag(
        "ignore",
        (),
        "leave out this path and everything below it, a glob of paths, or KIND:NAME; may be repeated",
        value="PATTERN",
        offers=FILES,
    ),
    Flag("json", False, "print the result as JSON"),
    Flag(
        "root",
        "/",
        "root directory of the machine; devices and kernel arguments of another one are not compared",
        value="DIRECTORY",
        offers=DIRECTORIES,
    ),
    Flag("strict", False, "also report what machines change by themselves: without the lists of ignored paths"),
)
PROGRAM = Program(
    "ignition verify",
    "compare this machine with its state after the first boot",
    FLAGS,
    manual="ignition-verify(1)",
    usage=("[-config CONFIG] [-ignore PATTERN]... [options]",),
    dialect=GO_ANYWHERE,
    operands=None,
    original=IGNITION,
    usage_status=UNKNOWN,
    statuses={
        SAME_AS_APPLIED: "the machine is as it was applied",
        UNKNOWN: "this cannot be found out, or the usage is invalid",
        DRIFT: "the machine differs",
    },
)


@PROGRAM
def main(values: Values, words: list[str]) -> int:
    """Compare, and print the differences."""
    from ignition.applied import ignored
    from ignition.cli.merged_config import tell_people
    from ignition.host.root import Root

    tell_people(PROGRAM.name)
    root = Root(values["root"])
    patterns = values["ignore"] if values["strict"] else (*ignored.DEFAULT, *ignored.of_machine(root), *values["ignore"])
    result = _against_config(root, patterns, values) if values["config"] else _against_record(root, patterns, values)
    if values["json"]:
        print(json.dumps(result.plain(), indent=2, ensure_ascii=True))
    else:
        print("\n".join(result.lines(wants_colour(sys.stdout))))
    return DRIFT if result.differing else SAME_AS_APPLIED


class Result:
    """`against`: the name of the config, or "" for the record, which was `written` of the config with the SHA-512 `digest`."""

    def __init__(self, against: str, *, written: str = "", digest: str = "") -> None:
        self.against, self.written, self.digest = against, written, digest
        self.changes: list[Change] = []
        self.ignored = self.unknown = 0  # things that patterns cover, and those that cannot be looked at

    @property
    def differing(self) -> list[Change]:
        """The changes that are a difference."""
        return [change for change in self.changes if change.sign != SAME]

    def plain(self) -> dict[str, Any]:
        """As `ignition schema verify` describes it."""
        return {
            "version": VERSION,
            "result": "drift" if self.differing else "same",
            "checked": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "against": {"config": self.against} if self.against else {"applied": self.written, "sha512": self.digest},
            "compared": len(self.changes),
            "ignored": self.ignored,
            "notCompared": self.unknown,
            "changes": [change.plain() for change in self.changes if change.sign != SAME or change.details],
        }

    def lines(self, colour: bool) -> list[str]:
        """For people: the differences, the changes that do not count, and the result."""
        from ignition.display.terminal import change_lines

        shown = change_lines([change for change in self.changes if change.sign != SAME or change.details], colour)
        against = printable(f"{self.against} says" if self.against else f"applied at {self.written}")
        left_out = [f"{self.ignored} ignored"] if self.ignored else []
        left_out += [f"{self.unknown} not compared"] if self.unknown else []
        note = f" ({', '.join(left_out)})" if left_out else ""
        count, differing = len(self.changes), len(self.differing)
        if differing:
            return [*shown, f"drift: {differing} of {count} not as {against}{note}"]
        return [*shown, f"same: all {count} as {against}{note}"]


def _against_record(root: Root, patterns: tuple[str, ...], values: Values) -> Result:
    from ignition.applied import ignored, record
    from ignition.applied.comparison import compare
    from ignition.applied.machine import Machine
    from ignition.fetch.engine import Fetcher, Settings
    from ignition.operation import Context

    found = record.read(root)
    result = Result("", written=found.written, digest=found.digest)
    with Fetcher(Settings(), offline=True) as fetcher:
        machine = Machine(Context(root, fetcher))
        for left in found.lefts:
            if ignored.covers(patterns, left):
                result.ignored += 1
            elif not machine.can_tell(left):
                result.unknown += 1
            else:
                result.changes.append(compare(left, machine.look(left), strict=values["strict"]))
    return result


def _against_config(root: Root, patterns: tuple[str, ...], values: Values) -> Result:
    from ignition.applied import against_config, ignored
    from ignition.applied.machine import Machine
    from ignition.cli.merged_config import PATIENCE, merged
    from ignition.config import origins
    from ignition.fetch.engine import Fetcher, Settings
    from ignition.operation import Context

    if not values["json"]:
        progress.for_people(PROGRAM.name)
    marked = merged((values["config"],), (), "", float(int(duration_s(PATIENCE))), is_limit=False)
    config = origins.plain(marked)
    result = Result(values["config"])
    with Fetcher(Settings.from_config(config), offline=False, root=values["root"]) as fetcher:
        context = Context(root, fetcher)
        machine = Machine(context)
        for left, operation in against_config.expected(config, context):
            if ignored.covers(patterns, left):
                result.ignored += 1
            elif (operation is not None and operation.sealed) or (operation is None and not machine.can_tell(left)):
                result.unknown += 1
            else:
                change = against_config.changes(left, operation, machine, context, strict=values["strict"])
                change.place = _place(marked, left.place)
                result.changes.append(change)
    return result


def _place(config: Config, path: str) -> str:
    """The place in the sources of a path in the merged config."""
    from ignition.cli.merged_config import parts
    from ignition.config import origins

    origin = origins.near(config, parts(path)) if path else None
    return str(origin) if origin else ""


if __name__ == "__main__":
    sys.exit(main())
