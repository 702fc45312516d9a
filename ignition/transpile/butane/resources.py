"""Contents that are not at a URL: from the document itself or from a local file.

Source: docs/reference/config-transpiler.md §B5.
"""

from ignition.config.report import Path
from ignition.config.versions import order
from ignition.transpile.butane.model import Resource
from ignition.transpile.butane.work import Work, mark
from ignition.transpile.contents import content_of, percent_encoded, shortest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SHORTEST_SINCE = "3.1.0"


def put_in(work: Work, resource: Resource, members: "dict[str, Any]", path: Path) -> None:
    """Give the resource its source, if it is to have another one than the document's `source`."""
    if resource.local is not None:
        there = (*path, "local")
        content = work.read(resource.local, there)
    elif resource.inline is not None:
        there = (*path, "inline")
        content = content_of(resource.inline)
    else:
        return
    if content is not None:
        members |= encoded(work, content, resource.compression, there)


def encoded(work: Work, content: bytes, compression: str | None, path: Path) -> "dict[str, Any]":
    """`source`, and `compression` unless the user's stays: both from that path. `compression`: what the user gave."""
    if order(work.variant.spec) < order(_SHORTEST_SINCE):
        return {"source": mark(percent_encoded(content), path)}
    source, chosen = shortest(content, compression=compression)
    if compression:
        return {"source": mark(source, path)}
    return {"source": mark(source, path), "compression": mark(chosen or "", path)}
