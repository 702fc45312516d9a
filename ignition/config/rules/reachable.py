"""Rules O1 to O3, our own: entries that can never be written, because of what else the config writes.

Ignition calls such a config valid; its files stage then fails on every machine, when the disks are made already.
"""

from ignition.config.model.storage import Storage
from ignition.config.rules import Context, error, paths, rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ignition.config.rules import Finding

    Key = tuple[str | int | None, str]


class Written:
    """One entry: where the config says it, on which file system and path it is, and whether anything can lie below it."""

    __slots__ = ("holds_others", "key", "where")

    def __init__(self, where: str, key: "Key", *, holds_others: bool) -> None:
        self.where, self.key, self.holds_others = where, key, holds_others


@rule(Storage, "O1")
def entries_do_not_lie_below_files(storage: Storage, _: Context) -> "Iterator[Finding]":
    """Below links is rules S1 to S3."""
    return below(written(storage, links_hold_others=True)) if storage.files else iter(())


def written(storage: Storage, *, links_hold_others: bool) -> "list[Written]":
    """The entries of the model; `links_hold_others` leaves what lies below links to other rules."""
    lists = (
        ("directories", storage.directories, True),
        ("files", storage.files, False),
        ("links", storage.links, links_hold_others),
    )
    return [
        Written(f"{name}.{index}", (node.filesystem, node.path), holds_others=holds)
        for name, nodes, holds in lists
        for index, node in enumerate(nodes)
    ]


def below(entries: "Iterable[Written]") -> "Iterator[Finding]":
    """O1: an entry below one that is no directory."""
    entries = list(entries)
    solid = {entry.key: entry for entry in entries if not entry.holds_others}
    for entry in entries:
        filesystem, path = entry.key
        above = next((solid[filesystem, one] for one in paths.ancestors(path) if (filesystem, one) in solid), None)
        if above:
            message = f"its path lies below that of {above.where}, which is no directory: it cannot be written"
            yield error(entry.where, message, "change one of the two paths", "O1")


def clashes(entries: "Iterable[Written]") -> "Iterator[Finding]":
    """O2: entries of different kinds at one place (in 3.x that is X1)."""
    first: dict[Key, Written] = {}
    for entry in entries:
        other = first.setdefault(entry.key, entry)
        if _kind(other) != _kind(entry):
            yield error(entry.where, f"{other.where} has the same path and is of another kind", "remove one of the two", "O2")


def _kind(entry: Written) -> str:
    return entry.where.partition(".")[0]


def homeless(storage: Storage) -> "Iterator[Finding]":
    """O3, of a rendered config: 2.x entries on a file system that none of its parts defines."""
    defined = {filesystem.name for filesystem in storage.filesystems}
    for name, nodes in (("directories", storage.directories), ("files", storage.files), ("links", storage.links)):
        for index, node in enumerate(nodes):
            if node.filesystem is not None and node.filesystem not in defined:
                fix = "define it in storage.filesystems; the root file system is called root"
                yield error(f"{name}.{index}", f"no file system is named {node.filesystem!r}", fix, "O3")
