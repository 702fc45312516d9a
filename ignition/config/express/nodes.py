"""Files, directories and links of 2.x: on file systems with names, several of one path, parents like their directories."""

from os.path import dirname

from ignition.config.express.mounts import joined
from ignition.config.model.storage import Directory, File, Link, Node, Owner, Storage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeVar

    from ignition.config.express.mounts import Mounts
    from ignition.config.express.remarks import Remarks
    from ignition.config.model.passwd import User
    from ignition.config.report import Path

    AnyNode = TypeVar("AnyNode", bound=Node)

_PARENT_MODE = 0o755
# Directories that every root has: hier(7).
_ALWAYS_THERE = frozenset("/ /boot /etc /home /media /mnt /opt /root /srv /tmp /usr /usr/local /var /var/lib /var/log".split())


def expressed(storage: Storage, mounts: "Mounts", users: "Sequence[User]", remarks: "Remarks") -> Storage:
    """All nodes by their paths in the new root, each path once where 2.x writes one after the other."""
    directories = _placed(_united(storage.directories, _directory_over), "directories", mounts, remarks)
    files = _placed(_united(storage.files, _file_over), "files", mounts, remarks)
    links = _placed(_united(storage.links, _link_over), "links", mounts, remarks)
    homes = [user.home_dir or f"/home/{user.name}" for user in users]
    mounted = [filesystem.path for filesystem in storage.filesystems if filesystem.path]
    there = _ALWAYS_THERE.union(homes, mounted, (directory.path for _, directory in directories))
    return storage.evolve(
        directories=tuple(_with_common_parents(path, directory, there, remarks) for path, directory in directories),
        files=tuple(file for _, file in files),
        links=tuple(link for _, link in links),
    )


def _united(nodes: "Iterable[AnyNode]", over: "Callable[[AnyNode, AnyNode], AnyNode | None]") -> "list[tuple[int, AnyNode]]":
    """Nodes with their indexes; a later one of the same place laid over the earlier if that says what 2.x does."""
    found: list[tuple[int, AnyNode]] = []
    known: dict[object, int] = {}
    for index, node in enumerate(nodes):
        position = known.setdefault(node.key(), len(found))
        both = over(found[position][1], node) if position < len(found) else None
        if both is None:
            found.append((index, node))
        else:
            found[position] = (index, both)
    return found


def _file_over(old: File, new: File) -> File | None:
    if new.append and new.contents.source is None:
        return old.evolve(append=old.append + new.append, **_attributes(old, new))
    return new if new.overwrite else None  # without it the second entry is an error at boot


def _directory_over(old: Directory, new: Directory) -> Directory:
    return new.evolve(overwrite=old.overwrite or new.overwrite, **_attributes(old, new))


def _link_over(_: Link, new: Link) -> Link | None:
    return new if new.overwrite else None


def _attributes(old: "File | Directory", new: "File | Directory") -> "dict[str, Owner | int | None]":
    """What the second of two entries leaves open is as the first made it."""
    return {
        "mode": old.mode if new.mode is None else new.mode,
        "user": old.user if new.user == Owner() else new.user,
        "group": old.group if new.group == Owner() else new.group,
    }


def _placed(
    nodes: "Sequence[tuple[int, AnyNode]]", kind: str, mounts: "Mounts", remarks: "Remarks"
) -> "list[tuple[Path, AnyNode]]":
    """Nodes with their paths in the model; those on file systems whose place is not known are left out, each with a remark."""
    found = []
    for index, node in nodes:
        here: Path = ("storage", kind, index)
        name = node.filesystem
        place = "/" if name is None else mounts.place(name)
        if place is not None:
            found.append((here, node if name is None else _moved(node, place)))
            continue
        remarks.unsaid(
            (*here, "filesystem"),
            name,
            f"spec 3.x cannot say that {node.path} is on the file system {mounts.described(name or '')}, "
            "only where in the new root it is",
            f"--filesystem {name}=PATH says where that is mounted",
        )
    return found


def _moved(node: "AnyNode", place: str) -> "AnyNode":
    if isinstance(node, Link) and node.hard and node.target:
        node = node.evolve(target=joined(place, node.target))
    return node.evolve(filesystem=None, path=joined(place, node.path))


def _with_common_parents(path: "Path", directory: Directory, there: "frozenset[str]", remarks: "Remarks") -> Directory:
    """3.x makes missing parents 0755 and root's; 2.x makes them like the directory."""
    owners = (directory.user, directory.group)
    is_common = directory.mode == _PARENT_MODE and all(owner.id == 0 and not owner.name for owner in owners)
    if directory.parents_alike and not is_common and dirname(directory.path) not in there:
        remarks.unsaid(
            (*path, "path"),
            directory.path,
            f"spec 3.x cannot say that missing parents of {directory.path} get its mode and owner: they get 0755 and root",
            "list the parents as directories",
        )
    return directory.evolve(parents_alike=None)
