"""The storage section of 2.x in spec 3.x: sectors, named file systems, repeated entries. Losses and assumptions are reported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from os.path import dirname

from ignition.config import origins
from ignition.config.model.storage import Directory, File, Link, Node, Owner, Storage
from ignition.config.report import ERROR, WARNING, Finding
from ignition.config.rules.paths import simplest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    from ignition.config.model.passwd import User
    from ignition.config.model.storage import Filesystem, Partition
    from ignition.config.report import Path

    AnyNode = TypeVar("AnyNode", bound=Node)
    from ignition.config.model.systemd import Systemd, Unit


class Remarks:
    """Gathers the findings. Paths are those of the internal model."""

    def __init__(self) -> None:
        self.entries: list[Finding] = []

    def unsaid(self, path: Path, value: object, message: str, fix: str) -> None:
        """A feature that 3.x lacks; it is missing in the result. `value` is the value in 2.x."""
        self.entries.append(Finding(ERROR, path, message, fix, origin=origins.of(value)))

    def assumed(self, path: Path, value: object, message: str, fix: str) -> None:
        """A translation that depends on an assumption."""
        self.entries.append(Finding(WARNING, path, message, fix, origin=origins.of(value)))


# Mount points of the named file systems of 2.x. Source: docs/reference/ignition-config.md §2.2 and §8.1.

ROOT = "root"
USUAL = {"oem": "/usr/share/oem"}  # Container Linux, Flatcar
_SYSROOT = "/sysroot"  # the new root, in the initramfs


class Mounts:
    """By name: `root` is always the new root; then those of the caller, of the config itself, and the usual ones."""

    def __init__(self, given: Mapping[str, str], filesystems: Sequence[Filesystem]) -> None:
        self.given = given
        # The last of several definitions of a name counts.
        self._defined = {entry.name: entry for entry in filesystems if entry.name}

    def is_last_of_its_name(self, filesystem: Filesystem) -> bool:
        """Whether nodes with this name refer to that file system."""
        return self._defined.get(filesystem.name or "") is filesystem

    def described(self, name: str) -> str:
        """For messages: the name, and the device if it is known."""
        defined = self._defined.get(name)
        return f"{name!r} ({defined.device})" if defined and defined.device else repr(str(name))

    def place(self, name: str) -> str | None:
        """The directory in the new root; None if unknown."""
        defined = self._defined.get(name)
        in_place = defined.in_place if defined else None
        if name in self.given:
            return simplest(self.given[name])
        if in_place is not None:
            below = in_place == _SYSROOT or in_place.startswith(f"{_SYSROOT}/")
            return in_place[len(_SYSROOT) :] or "/" if below else None
        return "/" if name == ROOT else USUAL.get(name)


def joined(place: str, path: str) -> str:
    """A path on a file system as the new root sees it, with the origin of the path."""
    # The mark of the path stays on the joined path, so that findings about it have a place.
    joint: str = origins.like(f"{place.rstrip('/')}/{path.lstrip('/')}", path)
    return joint


# Partitions with sizes in sectors, and devices of disks and arrays in the form that 3.x requires.

_PER_MIB = 2048  # sectors of 512 bytes


def express_disks(storage: Storage, remarks: Remarks) -> Storage:
    """With `startMiB` and `sizeMiB` instead of sectors, and clean paths."""
    found = []
    for index, disk in enumerate(storage.disks):
        here: Path = ("storage", "disks", index, "partitions")
        partitions = tuple(_partition(each, (*here, number), remarks) for number, each in enumerate(disk.partitions))
        found.append(disk.evolve(device=clean(disk.device), partitions=_without_empty_labels(partitions, here, remarks)))
    raid = tuple(array.evolve(devices=tuple(map(clean, array.devices))) for array in storage.raid)
    return storage.evolve(disks=tuple(found), raid=raid)


def clean(path: str) -> str:
    """The simplest form of an absolute path, with the origin of the path."""
    simple: str = origins.like(simplest(path), path) if path.startswith("/") else path
    return simple


def _without_empty_labels(partitions: tuple[Partition, ...], path: Path, remarks: Remarks) -> tuple[Partition, ...]:
    """Before 2.3 a partition always has a label, possibly an empty one; in 3.x labels are unique."""
    if sum(partition.label == "" for partition in partitions) < 2:
        return partitions
    found = []
    for number, partition in enumerate(partitions):
        if partition.label == "":
            message = (
                "spec 3.x cannot request several partitions without a label: it accepts an existing one regardless of its label"
            )
            remarks.assumed((*path, number, "label"), partition.label, message, "set a label for each")
        found.append(partition.evolve(label=partition.label or None))
    return tuple(found)


def _partition(partition: Partition, path: Path, remarks: Remarks) -> Partition:
    if partition.should_exist is not None and not partition.should_exist:  # a marked False is not `False`
        return partition.evolve(  # 2.x ignores its other members, 3.x refuses them
            size_sectors=None, start_sectors=None, size_mib=None, start_mib=None, label=partition.label or None
        )
    members: dict[str, int | None] = {"size_sectors": None, "start_sectors": None}
    for name, mib in (("size", partition.size_mib), ("start", partition.start_mib)):
        sectors = partition.__dict__[f"{name}_sectors"]
        if sectors is not None and mib is None:  # if both are set, MiB count
            members[f"{name}_mib"] = _mib(sectors, name, path, remarks)
    return partition.evolve(**members)


def _mib(sectors: int, name: str, path: Path, remarks: Remarks) -> int | None:
    where = (*path, f"{name}Sectors")
    if sectors % _PER_MIB:
        remarks.unsaid(where, sectors, f"spec 3.x cannot express a {name} that is not a whole number of MiB", f"use {name}MiB")
        return None
    if sectors:
        fix = f"use {name}MiB for disks with other sectors"
        remarks.assumed(where, sectors, f"the {name} is read as sectors of 512 bytes", fix)
    mib: int = origins.like(sectors // _PER_MIB, sectors)
    return mib


# Named file systems of 2.x → file systems with a path.

_OEM = "oem"
_NEVER_MOUNTED = ("swap", "none")


def express_filesystems(storage: Storage, mounts: Mounts, remarks: Remarks) -> Storage:
    """Without names; a file system that files are written to gets its path."""
    nodes: list[Node] = [*storage.directories, *storage.files, *storage.links]
    used = {node.filesystem for node in nodes}
    found = []
    for index, filesystem in enumerate(storage.filesystems):
        if filesystem.in_place is not None and not filesystem.device:
            continue  # an existing directory: nothing is created, and its path becomes part of those of nodes
        found.append(_filesystem(filesystem, ("storage", "filesystems", index), mounts, used, remarks))
    return storage.evolve(filesystems=tuple(found))


def _filesystem(filesystem: Filesystem, path: Path, mounts: Mounts, used: set[str | None], remarks: Remarks) -> Filesystem:
    if filesystem.must_be_blank:
        remarks.unsaid(
            (*path, "mustBeBlank"),
            filesystem.must_be_blank,
            "spec 3.x cannot express create without force: it keeps a matching file system instead of refusing any",
            "set force to format it regardless of its content, or leave create out",
        )
    name = filesystem.name
    if name == _OEM and not filesystem.wipe_filesystem:
        remarks.assumed(
            (*path, "format"),
            filesystem.format or name,
            "spec 3.x refuses an OEM file system of another format; 2.x accepts any",
            "set the format of the image's OEM partition",
        )
    place = mounts.place(name) if name and name != ROOT and mounts.is_last_of_its_name(filesystem) else None
    # A file system without entries was never mounted by 2.x: a path would mount it now.
    if place is not None and (name in used or name in mounts.given) and filesystem.format not in _NEVER_MOUNTED:
        filesystem = filesystem.evolve(path=origins.like(place, name))
    return filesystem.evolve(device=clean(filesystem.device), name=None, in_place=None, must_be_blank=None)


# Files, directories and links of 2.x: on named file systems, several of one path, parents with the mode of their directories.

_PARENT_MODE = 0o755
# Directories that every root has: hier(7).
_ALWAYS_THERE = frozenset("/ /boot /etc /home /media /mnt /opt /root /srv /tmp /usr /usr/local /var /var/lib /var/log".split())


def express_nodes(storage: Storage, mounts: Mounts, users: Sequence[User], remarks: Remarks) -> Storage:
    """All nodes by their paths in the new root, each path once where 2.x writes one after the other."""
    directories = _placed(_united(storage.directories, _directory_over), "directories", mounts, remarks)
    files = _placed(_united(storage.files, _file_over), "files", mounts, remarks)
    links = _placed(_united(storage.links, _link_over), "links", mounts, remarks)
    # useradd creates homes before files are written: they are not missing parents.
    homes = [user.home_dir or f"/home/{user.name}" for user in users]
    mounted = [filesystem.path for filesystem in storage.filesystems if filesystem.path]
    there = _ALWAYS_THERE.union(homes, mounted, (directory.path for _, directory in directories))
    return storage.evolve(
        directories=tuple(_with_common_parents(path, directory, there, remarks) for path, directory in directories),
        files=tuple(file for _, file in files),
        links=tuple(link for _, link in links),
    )


def _united(nodes: Iterable[AnyNode], over: Callable[[AnyNode, AnyNode], AnyNode | None]) -> list[tuple[int, AnyNode]]:
    """Nodes with their indexes; a later one of the same path is merged into the earlier if that is equivalent in 2.x."""
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
    return new if new.overwrite else None  # otherwise the second entry fails at boot


def _directory_over(old: Directory, new: Directory) -> Directory:
    return new.evolve(overwrite=old.overwrite or new.overwrite, **_attributes(old, new))


def _link_over(_: Link, new: Link) -> Link | None:
    return new if new.overwrite else None


def _attributes(old: File | Directory, new: File | Directory) -> dict[str, Owner | int | None]:
    """Attributes that the second of two entries does not set are those of the first."""
    return {
        "mode": old.mode if new.mode is None else new.mode,
        "user": old.user if new.user == Owner() else new.user,
        "group": old.group if new.group == Owner() else new.group,
    }


def _placed(nodes: Sequence[tuple[int, AnyNode]], kind: str, mounts: Mounts, remarks: Remarks) -> list[tuple[Path, AnyNode]]:
    """Nodes with their paths in the model; those on file systems without a known mount point are left out and reported."""
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
            f"spec 3.x cannot express that {node.path} is on the file system {mounts.described(name or '')}, "
            "only its path in the new root",
            f"--filesystem {name}=PATH sets its mount point",
        )
    return found


def _moved(node: AnyNode, place: str) -> AnyNode:
    # The target of a hard link is on the same file system; that of a symbolic link is text and stays unchanged.
    if isinstance(node, Link) and node.hard and node.target:
        node = node.evolve(target=joined(place, node.target))
    return node.evolve(filesystem=None, path=joined(place, node.path))


def _with_common_parents(path: Path, directory: Directory, there: frozenset[str], remarks: Remarks) -> Directory:
    """3.x creates missing parents with 0755 and root as owner; 2.x with mode and owner of the directory."""
    owners = (directory.user, directory.group)
    is_common = directory.mode == _PARENT_MODE and all(owner.id == 0 and not owner.name for owner in owners)
    if directory.parents_alike and not is_common and dirname(directory.path) not in there:
        remarks.unsaid(
            (*path, "path"),
            directory.path,
            f"spec 3.x cannot express that missing parents of {directory.path} get its mode and owner: they get 0755 and root",
            "list the parents as directories",
        )
    return directory.evolve(parents_alike=None)


# Several entries of one unit, which 2.x applies one after the other → the single entry of 3.x.


def express_units(systemd: Systemd) -> Systemd:
    """One entry for each unit."""
    found: dict[str, Unit] = {}
    for unit in systemd.units:
        found[unit.name] = _over(found[unit.name], unit) if unit.name in found else unit
    return systemd.evolve(
        units=tuple(
            unit.evolve(dropins=tuple({dropin.name: dropin for dropin in unit.dropins}.values())) for unit in found.values()
        )
    )


def _over(old: Unit, new: Unit) -> Unit:
    """Files: the later replaces the earlier. Enablement: the first matching line of a preset file wins."""
    return new.evolve(
        # The first line of the preset file that matches wins, so the earlier entry does.
        enabled=new.enabled if old.enabled is None else old.enabled,
        mask=old.mask if new.mask is None else new.mask,
        contents=new.contents or old.contents,
        dropins=old.dropins + new.dropins,
    )
