"""Rules O1 and O2 for 2.x: entries below a file or link of the config, and two kinds of entries at one place."""

from ignition.config.rules import Context, paths, reachable, rule
from ignition.config.v2.model import Storage2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding


@rule(Storage2, "O1")
def entries_can_be_written(storage: Storage2, _: Context) -> "Iterator[Finding]":
    """O1 and O2."""
    lists = (("directories", storage.directories, True), ("files", storage.files, False), ("links", storage.links, False))
    entries = [
        reachable.Written(f"{name}.{index}", (node.filesystem, paths.simplest(node.path)), holds_others=holds)
        for name, nodes, holds in lists
        for index, node in enumerate(nodes)
        if node.path.startswith("/")
    ]
    yield from reachable.below(entries)
    yield from reachable.clashes(entries)
