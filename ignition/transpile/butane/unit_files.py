"""Texts of units and drop-ins from local files. Source: docs/reference/config-transpiler.md §B8."""

from ignition.config.report import Path
from ignition.transpile.butane.model import Dropin, Unit
from ignition.transpile.butane.work import Work, mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def put_in(work: Work, unit: Unit | Dropin, members: "dict[str, Any]", path: Path) -> None:
    """The file's text as `contents`; no name, or an empty one, is no file."""
    if unit.contents_local:
        there = (*path, "contents_local")
        content = work.read(unit.contents_local, there)
        if content is not None:
            members["contents"] = mark(content.decode("utf-8", "replace"), there)
