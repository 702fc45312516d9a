"""A plan that was made, as people and tools get it: lines for a terminal, JSON, a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ignition.display.changes import ADDED, CHANGED, KEPT, REMOVED, SAME
from ignition.display.terminal import BOLD, RED, change_lines, disk_lines, painted
from ignition.planning.changes import ACTION, disk_views, groups, losses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ignition.display.changes import Change, DiskView
    from ignition.errors import Failure
    from ignition.planning.changes import Changes
    from ignition.planning.stages import Planner

VERSION = 1  # of the JSON
_WIDTH = 100


class Result:
    """`source`: the machine in words. `failures`: (stage, failure) of a run that would fail; a boot ends with its only one."""

    def __init__(
        self,
        changes: Changes,
        source: str,
        *,
        views: Sequence[DiskView] = (),
        lost: Sequence[str] = (),
        notes: Sequence[str] = (),
        failures: Sequence[tuple[str, Failure]] = (),
    ) -> None:
        self.changes, self.source, self.views, self.lost = changes, source, list(views), list(lost)
        self.notes, self.failures = list(dict.fromkeys(notes)), list(failures)

    @property
    def entries(self) -> list[tuple[str, Change]]:
        """(stage, change) in the order of the run."""
        return self.changes.entries

    @property
    def is_changed(self) -> bool:
        """Whether anything would change."""
        parts = (part for view in self.views for part in (*view.before, *view.after))
        return any(change.sign != SAME for _, change in self.entries) or any(part.fate != KEPT for part in parts)

    def lines(self, colour: bool) -> list[str]:
        """For a terminal."""
        lines: list[str] = []
        for title, found in groups(self.entries).items():
            if title == "Storage" and self.views:
                disks = (line for view in self.views for line in (*disk_lines(view, _WIDTH, colour), ""))
                lines += [painted("Disks", BOLD, colour), *disks]
            if found:
                lines += [painted(title, BOLD, colour), *change_lines(found, colour), ""]
                if title == "Kernel arguments" and any(change.sign != SAME for change in found):
                    lines[-1:] = ["  then the machine reboots, and the first boot starts again", ""]
        if self.lost:
            lines += [painted("Lost", f"{BOLD};{RED}", colour), *(painted(f"- {one}", RED, colour) for one in self.lost), ""]
        return [*lines, *(f"note: {note}" for note in self.notes), self.summary()]

    def summary(self) -> str:
        """One line: how much changes, or why that is not known."""
        if self.failures:
            return f"Plan: incomplete, since {self._failing()}."
        signs = [change.sign for _, change in self.entries if change.kind != ACTION]
        counts = [
            (signs.count(ADDED), "to add"),
            (signs.count(CHANGED), "to change"),
            (signs.count(REMOVED), "to remove"),
            (sum(change.kind == ACTION and change.sign != SAME for _, change in self.entries), "to run"),
            (sum(change.sign == SAME for _, change in self.entries), "as they are"),
        ]
        words = ", ".join(f"{count} {word}" for count, word in counts if count)
        return f"Plan: {words or 'nothing to do'}; {f'{len(self.lost)} with data to LOSE' if self.lost else 'nothing is lost'}."

    def _failing(self) -> str:
        stage = self.failures[0][0]
        return f"the boot would fail in stage {stage}" if stage else "the run would fail"

    def document(self) -> dict[str, Any]:
        """For tools: as ignition/planning/schema.py describes it."""
        failures = [
            {**({"stage": stage} if stage else {}), "what": one.what, "where": one.where, "fix": one.fix}
            for stage, one in self.failures
        ]
        return {
            "version": VERSION,
            "machine": self.source,
            "disks": [view.plain() for view in self.views],
            "changes": [{"stage": stage, **change.plain()} for stage, change in self.entries],
            "operations": [
                {
                    "stage": one.stage,
                    "operation": one.operation.kind,
                    "what": one.what,
                    "path": one.operation.path,
                    "already": one.is_there,
                    "concurrent": one.operation.concurrent,
                }
                for one in self.changes.steps
            ],
            "lost": self.lost,
            "notes": self.notes,
            "failure": failures[0] if failures else None,
            **({"failures": failures} if len(failures) > 1 else {}),
        }


def of_boot(planner: Planner, changes: Changes, failure: Failure | None) -> Result:
    """That of `ignition plan`."""
    views = disk_views(planner, changes)
    return Result(
        changes,
        planner.machine.facts.source,
        views=views,
        lost=losses(views, changes),
        notes=planner.machine.unknown,
        failures=[(planner.failed_in, failure)] if failure else (),
    )
