"""A plan as a page (ignition/display/page.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ignition.display import page
from ignition.display.changes import ADDED, CHANGED, REMOVED, SAME
from ignition.planning.changes import ACTION, groups

if TYPE_CHECKING:
    from ignition.errors import Failure
    from ignition.planning.result import Result


def text(result: Result, name: str, *, kind: str) -> str:
    """The page about the config `name`; `kind`: of the run, in the line above the title."""
    signs = [change.sign for _, change in result.entries if change.kind != ACTION]
    actions = [change.sign for _, change in result.entries if change.kind == ACTION]
    tiles = [
        page.Tile(str(signs.count(ADDED)), "to add", page.GOOD if ADDED in signs else page.PLAIN),
        page.Tile(str(signs.count(CHANGED)), "to change", page.NOTE if CHANGED in signs else page.PLAIN),
        page.Tile(str(signs.count(REMOVED)), "to remove", page.BAD if REMOVED in signs else page.PLAIN),
        *([page.Tile(str(actions.count(ADDED)), "to run", page.NOTE if ADDED in actions else page.PLAIN)] if actions else []),
        page.Tile(str((signs + actions).count(SAME)), "as they are"),
        page.Tile(str(len(result.lost)), "with data to lose", page.BAD if result.lost else page.PLAIN),
    ]
    failing = "The boot would fail" if any(stage for stage, _ in result.failures) else "The run would fail"
    sections: list[page.Section] = [
        page.Messages(failing, [_failure(*one) for one in result.failures], page.BAD),
        page.Messages("Lost", [(one, "") for one in result.lost], page.BAD),
        page.Disks("Disks", result.views),
        *(page.Changes(title, found) for title, found in groups(result.entries).items()),
        page.Messages("Notes", [(one, "") for one in result.notes]),
        page.Facts("About", [("Config", name), ("Machine", result.source)]),
    ]
    return page.page(f"Plan of {name}", sections, kind=kind, tiles=tiles)


def _failure(stage: str, failure: Failure) -> tuple[str, str]:
    """The message, and the place below it."""
    places = [f"stage {stage}"] if stage else []
    places += [failure.where] if failure.where else []
    return f"{failure.what}{f' (fix: {failure.fix})' if failure.fix else ''}", ", ".join(places)
