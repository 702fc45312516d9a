"""Rules O1, O2 and O8 for 2.x: entries below a file or link, two kinds of entries at one place, entries over a mount point."""

from ignition.config.rules import Context, paths, reachable, rule
from ignition.config.v2.model import File, Node, Storage2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding


_ROOT = "root"


@rule(Storage2, "O1")
def entries_can_be_written(storage: Storage2, _: Context) -> "Iterator[Finding]":
    """O1, O2 and O8."""
    lists = (("directories", storage.directories, True), ("files", storage.files, False), ("links", storage.links, False))
    entries = [
        reachable.Written(
            f"{name}.{index}", (node.filesystem, paths.simplest(node.path)), holds_others=holds, removes=_removes(node)
        )
        for name, nodes, holds in lists
        for index, node in enumerate(nodes)
        if node.path.startswith("/")
    ]
    yield from reachable.below(entries)
    yield from reachable.clashes(entries)
    mounted = reachable.in_place(((index, one.path) for index, one in enumerate(storage.filesystems)), _ROOT)
    named = (((one.name, "/"), f"filesystems.{index}") for index, one in enumerate(storage.filesystems) if one.name)
    yield from reachable.hidden(entries, [*mounted, *named])


def _removes(node: Node) -> bool:
    """Files replace what is there unless they say otherwise."""
    if isinstance(node, File):
        return node.overwrite is not False and not node.append
    return node.overwrite is True
