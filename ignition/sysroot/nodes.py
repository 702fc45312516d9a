"""Files, directories and links: their places in the root, and the order of their operations.

Order (docs/reference/ignition-config.md §7.6): everything by depth, then hard links in the order of the config. An entry must not
lie below another entry that is not a directory, so downloads may run in parallel once directories and symlinks exist. Two entries
of a 2.x config with the same path are applied one after the other by Ignition's v2 engine: here they become one entry.
"""

from __future__ import annotations

from ignition.config.model.storage import Directory, File, Link, Node, Storage
from ignition.errors import Failure, at
from ignition.host.root import Root
from ignition.operation import Operation
from ignition.sysroot.account_database import AccountDatabase
from ignition.sysroot.attempt import Attempt, Entry
from ignition.sysroot.directories import PutDirectory
from ignition.sysroot.files import PutFile
from ignition.sysroot.links import PutHardLink, PutSymlink


class NodeFacts:
    """`resolved`: path as written → place inside the root, symlinks on the way followed. `mounted`: its mount points."""

    def __init__(
        self, resolved: dict[str, str], accounts: AccountDatabase, attempt: Attempt, mounted: frozenset[str] = frozenset()
    ) -> None:
        self.resolved, self.accounts, self.attempt, self.mounted = resolved, accounts, attempt, mounted


def places(storage: Storage, filesystem: str | None = None) -> list[tuple[str, Node]]:
    """(config path, node) of all nodes of one file system: None is the new root, a name is a file system of a 2.x config."""
    found: list[tuple[str, Node]] = []
    for section, nodes in (("directories", storage.directories), ("files", storage.files), ("links", storage.links)):
        for index, node in enumerate(nodes):
            if node.filesystem == filesystem:
                found.append((f"$.storage.{section}.{index}", node))
    return found


def resolve(nodes: list[tuple[str, Node]], root: Root) -> dict[str, str]:
    """The place of each node in this root. Raises Failure for a path that cannot be resolved."""
    resolved: dict[str, str] = {}
    for place, node in nodes:
        try:
            resolved[node.path] = root.resolve(node.path)
        except Failure:
            with at(place):
                raise
    return resolved


def entries(nodes: list[tuple[str, Node]], resolved: dict[str, str]) -> list[Entry]:
    """One entry per path and kind: a later file of the same path replaces an earlier one, or appends to it."""
    by_path: dict[tuple[type, str], Entry] = {}
    for place, node in nodes:
        earlier = by_path.get((type(node), node.path))
        if earlier and isinstance(earlier.node, File) and isinstance(node, File):
            node = _after(earlier.node, node)
        by_path[type(node), node.path] = Entry(place, node, resolved[node.path])
    return list(by_path.values())


def plan(nodes: list[tuple[str, Node]], facts: NodeFacts) -> list[Operation]:
    """As `plan_entries`, of nodes."""
    return plan_entries(entries(nodes, facts.resolved), facts)


def plan_entries(found: list[Entry], facts: NodeFacts) -> list[Operation]:
    """Operations in order. Raises Failure as `check` does."""
    check(found, facts.mounted)
    early: list[Operation] = []
    downloads: list[Operation] = []
    local: list[Operation] = []
    hard_links: list[Operation] = []
    for entry in sorted(found, key=lambda entry: entry.depth):
        node = entry.node
        if isinstance(node, Directory):
            early.append(PutDirectory(entry, node, facts.accounts))
        elif isinstance(node, File):
            operation = PutFile(entry, node, facts.accounts, facts.attempt)
            (downloads if operation.concurrent else local).append(operation)
        elif isinstance(node, Link) and not node.hard:
            early.append(PutSymlink(entry, node, facts.accounts, facts.attempt))
    for entry in found:
        if isinstance(entry.node, Link) and entry.node.hard:
            hard_links.append(PutHardLink(entry, entry.node, facts.attempt))
    return [*early, *downloads, *local, *hard_links]


def _is_early(node: Node) -> bool:
    return isinstance(node, Directory) or (isinstance(node, Link) and not node.hard)


def _after(earlier: File, later: File) -> File:
    """The file that results from both, one after the other."""
    if later.contents.source is not None:
        return later
    # An owner without id and name, the default of its class, is not configured.
    return earlier.evolve(
        append=earlier.append + later.append,
        mode=earlier.mode if later.mode is None else later.mode,
        user=later.user if later.user != type(later.user)() else earlier.user,
        group=later.group if later.group != type(later.group)() else earlier.group,
    )


def _refuse_removing_mounts(found: list[Entry], mounted: frozenset[str]) -> None:
    """Raises Failure for an entry that would remove the files of another file system, by whatever path.

    Validation covers the mount points of the config (O8); here symlinks of the image and all other mounts count as well.
    """
    for entry in found:
        if not entry.node.overwrite:
            continue
        prefix = f"{entry.resolved.rstrip('/')}/"
        point = next((one for one in sorted(mounted) if one == entry.resolved or one.startswith(prefix)), "")
        if point:
            raise Failure(
                f"overwrite would remove {entry.resolved}, and another file system is mounted on {point}",
                where=entry.place,
                fix="leave overwrite out, or name a path that neither is a mount point nor holds one",
            )


def check(found: list[Entry], mounted: frozenset[str]) -> None:
    """Raises Failure if two entries share a place, if one is below another that is not a directory, or would remove a mount.

    `plan_entries` orders entries by the places known when it runs. Where symlinks lead elsewhere by now, a directory must not be
    emptied after another entry was put into it.
    """
    _refuse_conflicts(found)
    _refuse_removing_mounts(found, mounted)
    early = [entry for entry in sorted(found, key=lambda entry: entry.depth) if _is_early(entry.node)]
    for number, entry in enumerate(early):
        if isinstance(entry.node, Directory) and entry.node.overwrite:
            inside = next((one for one in early[:number] if one.resolved.startswith(f"{entry.resolved.rstrip('/')}/")), None)
            if inside is not None:
                raise Failure(
                    f"{entry.node.path} would be emptied after {inside.node.path} of {inside.place} was put into it",
                    where=entry.place,
                    fix=f"name {inside.resolved} instead of {inside.node.path}",
                )


def _refuse_conflicts(found: list[Entry]) -> None:
    """Paths that differ in the config may be one place behind a symlink of the image, which validation cannot see."""
    taken: dict[str, Entry] = {}
    for entry in found:
        other = taken.setdefault(entry.resolved, entry)
        if other is not entry:
            raise Failure(
                f"{entry.node.path} is the same place as {other.node.path} of {other.place}: both are {entry.resolved}",
                where=entry.place,
                fix="remove one of the two",
            )
    solid = {entry.resolved: entry for entry in found if not isinstance(entry.node, Directory)}
    for entry in found:
        above = entry.resolved.rpartition("/")[0]
        while above:
            if above in solid:
                raise Failure(
                    f"{entry.node.path} is below {solid[above].node.path} of {solid[above].place}, which is not a directory",
                    where=entry.place,
                    fix="write below a directory",
                )
            above = above.rpartition("/")[0]
