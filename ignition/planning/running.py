"""The plan of operations on this machine while it runs, for `coreos-cloudinit -plan`: nothing is changed.

Operations are asked what they would leave, and have their effect on a root in memory, over the one of this machine: files of the
plan may belong to its users, and keys go where files of the plan say.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from ignition.errors import Failure
from ignition.operation import Context, Operation
from ignition.planning.changes import RUNNING, Changes
from ignition.planning.overlay import Overlay
from ignition.planning.result import Result
from ignition.planning.root import PlannedRoot
from ignition.planning.stages import Planned, apply
from ignition.planning.tree import LiveTree

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ignition.fetch.engine import Fetcher


class Preview:
    """`top`: the directory of the root. `shows_contents`: also of files that not everyone may read."""

    def __init__(self, top: str, fetcher: Fetcher, *, shows_contents: bool) -> None:
        self._overlay = Overlay(LiveTree(top))
        self.context = Context(PlannedRoot(self._overlay, live=True), fetcher)
        self._changes = Changes(self.context, self._overlay, None, lambda place: place, shows_contents=shows_contents)

    def do(self, operations: Sequence[Operation], where: Callable[[Operation], str]) -> None:
        """Plan these operations after those before. `where`: the place of one in the author's text. Raises Failure."""
        for operation in operations:
            try:
                is_there = operation.already_there(self.context)
            except (Failure, OSError):
                is_there = False  # it depends on something that exists only in the run
            with suppress(PermissionError):  # of who plans, not of the run
                operation.check(self.context)
            try:
                lefts = list(operation.leaves(self.context))
            except (Failure, OSError):
                lefts = []
            planned = Planned(RUNNING, operation, is_there=is_there, lefts=lefts)
            seen = len(self._changes.entries)
            self._changes.seen(planned)
            for _, change in self._changes.entries[seen:]:
                change.place = where(operation)
            if not is_there:
                operation.foresee()
                apply(planned, self.context, self._overlay)

    def result(self, failures: Sequence[Failure], notes: Sequence[str]) -> Result:
        """The plan so far. `failures`: by which the run would fail."""
        return Result(
            self._changes,
            f"machine {os.uname().nodename}",
            notes=notes,
            failures=[("", failure) for failure in failures],
        )
