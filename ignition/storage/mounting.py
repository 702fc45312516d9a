"""Mounting the config's file systems while files are written, and undoing it.

Source: docs/reference/ignition-config.md §7.5, §7.11.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping

from ignition.errors import Failure, at
from ignition.host import mounts, paths, temporary_mount
from ignition.host.command import run
from ignition.host.temporary_mount import mount
from ignition.operation import Context, Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ignition.config.model.storage import Filesystem

UNMOUNTABLE = ("none", "swap")
TRIED_FORMATS = ("ext4", "btrfs", "xfs", "vfat")  # 2.x, in this order
DIRECTORY_MODE = 0o755
_SUBVOLUMES = "x-coreos.subvolumes"


def to_mount(filesystems: tuple[Filesystem, ...]) -> list[tuple[str, Filesystem]]:
    """(place in the config, entry) of each file system with a mount point: parents before children, otherwise config order.

    A subvolume is an entry, too: its file system with the path and the mount options of the subvolume.
    """
    found = [pair for index, wanted in enumerate(filesystems) for pair in _mounts(wanted, f"$.storage.filesystems.{index}")]
    return sorted(found, key=lambda pair: len([part for part in (pair[1].path or "").split("/") if part]))


def _mounts(wanted: Filesystem, where: str) -> Iterator[tuple[str, Filesystem]]:
    if wanted.format and wanted.format not in UNMOUNTABLE:
        if wanted.path:
            yield where, wanted
        for index, one in enumerate(wanted.extension.subvolumes):
            if one.mount_path:
                options = (f"subvol={one.path}", *one.mount_options)
                yield f"{where}.{_SUBVOLUMES}.{index}", wanted.evolve(path=one.mount_path, mount_options=options)


def is_subvolume(where: str) -> bool:
    """Whether a place returned by `to_mount` is that of a subvolume."""
    return f".{_SUBVOLUMES}." in where


class MountFacts:
    """The present mounts below the new root (path as the new root sees it → node), and the nodes of the config's devices."""

    def __init__(self, present: Mapping[str, str], nodes: Mapping[str, str]) -> None:
        self.present, self.nodes = present, nodes


def probe(filesystems: tuple[Filesystem, ...], root: str) -> MountFacts:
    """Inspect the mounts below `root`. Changes nothing."""
    present = {}
    for one in mounts.current():
        if one.target == (root or "/") or one.target.startswith(f"{root}/"):
            source = os.path.realpath(one.source) if one.source.startswith("/") else one.source
            present[one.target[len(root) :] or "/"] = source
    return MountFacts(present, {entry.device: os.path.realpath(entry.device) for _, entry in to_mount(filesystems)})


def refuse_shadows(filesystems: tuple[Filesystem, ...], facts: MountFacts) -> None:
    """Raises Failure for a mount that would hide another one: files written there would not be visible to the machine."""
    wanted: dict[str, str] = {}
    for place, entry in to_mount(filesystems):
        path, where = entry.path or "", f"{place}.{'mountPath' if is_subvolume(place) else 'path'}"
        if path in wanted:
            raise Failure(
                f"{wanted[path]} is mounted on {path}, too: one would hide the other",
                where=where,
                fix="use a different path for each file system",
            )
        wanted[path] = place
        if facts.present.get(path) == facts.nodes[entry.device]:
            continue  # mounted already
        hidden = next((one for one in sorted(facts.present) if one == path or one.startswith(f"{path.rstrip('/')}/")), None)
        if hidden is not None:
            raise Failure(
                f"{facts.present[hidden]} is already mounted on {hidden}: this one on {path} would hide it",
                where=where,
                fix="use another path",
            )


class Mount(Operation):
    """Mount one file system below the new root; missing directories are created and added to `made`.

    `made` holds paths as the new root sees them.
    """

    kind = "mount"

    def __init__(self, wanted: Filesystem, where: str, made: list[str]) -> None:
        self._wanted, self.place, self._made = wanted, where, made
        self.path, self.device = wanted.path or "", wanted.device

    def describe(self) -> str:
        return f"mount {self._wanted.device} on {self.path} ({self.place})"

    def already_there(self, context: Context) -> bool:
        present = mount_at(context.root.outside(self.path))
        return present is not None and os.path.realpath(present.source) == os.path.realpath(self._wanted.device)

    def execute(self, context: Context) -> None:
        with at(self.place):
            for directory in missing_directories(context.root.path, self.path):
                os.mkdir(context.root.outside(directory), DIRECTORY_MODE)
                os.chmod(context.root.outside(directory), DIRECTORY_MODE)  # whatever the umask
                self._made.append(directory)
            target = context.root.outside(self.path)
            mount(self._wanted.device, target, self._wanted.format or "", self._wanted.mount_options)


class Unmount(Operation):
    """Undo one mount."""

    kind = "umount"

    def __init__(self, wanted: Filesystem, where: str) -> None:
        self.path, self.place = wanted.path or "", where

    def describe(self) -> str:
        return f"unmount {self.path} ({self.place})"

    def already_there(self, context: Context) -> bool:
        return mount_at(context.root.outside(self.path)) is None

    def execute(self, context: Context) -> None:
        target = context.root.outside(self.path)
        with at(self.place):
            run(["umount", target], why=f"unmounting {target}")


def mount_at(target: str) -> mounts.Mount | None:
    """The mount on a directory, as this process sees it; None if it is not a mount point. Symlinks are not followed."""
    normal = os.path.normpath(target)
    found = [mount for mount in mounts.current() if mount.target == normal]
    return found[-1] if found else None


def _mode(path: str) -> int | None:
    try:
        return os.lstat(path).st_mode
    except FileNotFoundError:
        return None


def missing_directories(root: str, inside: str, mode_of: Callable[[str], int | None] = _mode) -> list[str]:
    """The directories of `inside` (below `root`) that do not exist, outermost first, as the new root sees them.

    `mode_of`: type and mode of a node, None without one. Raises Failure if a component, the root included, is a symlink or not a
    directory: the mount would end up elsewhere.
    """
    missing, outside = [], ""
    for part in [part for part in f"{root}{inside}".split("/") if part]:
        outside = f"{outside}/{part}"
        mode = mode_of(outside)
        if mode is None:
            missing.append(outside[len(root) :])
        elif not stat.S_ISDIR(mode):
            kind = "a symlink" if stat.S_ISLNK(mode) else "not a directory"
            raise Failure(f"cannot mount on {inside}: {outside} is {kind}", fix="use a path of real directories")
    return missing


def mounted(
    device: str, format: str | None, options: tuple[str, ...] = (), *, base: str = paths.RUN
) -> AbstractContextManager[str]:
    """A file system on a temporary directory below `base`, which is returned to the block and unmounted after it.

    A file system of another format may have been kept (2.x, label OEM): after the config's own format, those of 2.x are tried in
    turn. Raises Failure if none fits or the file system stays busy.
    """
    formats = tuple(dict.fromkeys([format, *TRIED_FORMATS] if format else TRIED_FORMATS))
    return temporary_mount.mounted(device, formats, options, base=base)
