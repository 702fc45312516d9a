"""A plan as a page (ignition/display/page.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ignition.display import page
from ignition.display.changes import ADDED, CHANGED, REMOVED, SAME
from ignition.errors import Failure
from ignition.planning.changes import groups

if TYPE_CHECKING:
    from ignition.display.changes import DiskView
    from ignition.planning.changes import Changes
    from ignition.planning.stages import Planner


def text(planner: Planner, changes: Changes, views: list[DiskView], lost: list[str], failure: Failure | None, name: str) -> str:
    """The page."""
    signs = [change.sign for _, change in changes.entries]
    tiles = [
        page.Tile(str(signs.count(ADDED)), "to add", page.GOOD if ADDED in signs else page.PLAIN),
        page.Tile(str(signs.count(CHANGED)), "to change", page.NOTE if CHANGED in signs else page.PLAIN),
        page.Tile(str(signs.count(REMOVED)), "to remove", page.BAD if REMOVED in signs else page.PLAIN),
        page.Tile(str(signs.count(SAME)), "as they are"),
        page.Tile(str(len(lost)), "with data to lose", page.BAD if lost else page.PLAIN),
    ]
    sections: list[page.Section] = []
    if failure:
        place = f"stage {planner.failed_in}{f', {failure.where}' if failure.where else ''}"
        message = f"{failure.what}{f' (fix: {failure.fix})' if failure.fix else ''}"
        sections.append(page.Messages("The boot would fail", [(message, place)], page.BAD))
    sections += [
        page.Messages("Lost", [(one, "") for one in lost], page.BAD),
        page.Disks("Disks", views),
        *(page.Changes(title, found) for title, found in groups(changes.entries).items()),
        page.Messages("Notes", [(one, "") for one in dict.fromkeys(planner.machine.unknown)]),
        page.Facts("About", [("Config", name), ("Machine", planner.machine.facts.source)]),
    ]
    return page.page(f"Plan of {name}", sections, kind="first boot, planned", tiles=tiles)
