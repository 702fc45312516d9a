"""btrfs subvolumes (our own, docs/extensions.md): missing ones are created; one may become the default.

Source: btrfs-subvolume(8). Existing subvolumes are neither deleted nor changed.
"""

from __future__ import annotations

import os
import stat

from ignition.errors import Failure, at
from ignition.host import temporary_mount
from ignition.host.command import run
from ignition.host.root import Root
from ignition.operation import Context, Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ignition.config.model.extensions import Subvolume
    from ignition.config.model.storage import Filesystem

BTRFS = "btrfs"
TOP = ("subvolid=5",)  # regardless of the default subvolume
TOP_INODE = 256  # of every subvolume's own directory: BTRFS_FIRST_FREE_OBJECTID, linux/btrfs_tree.h


def plan(filesystems: tuple[Filesystem, ...]) -> list[Operation]:
    """One operation per file system with subvolumes."""
    return [
        MakeSubvolumes(entry, f"$.storage.filesystems.{index}")
        for index, entry in enumerate(filesystems)
        if entry.format == BTRFS and entry.extension.subvolumes
    ]


class MakeSubvolumes(Operation):
    """Create the subvolumes of one file system, parents before children, and set the default one."""

    kind = "make-subvolumes"

    def __init__(self, wanted: Filesystem, where: str) -> None:
        self.path, self.place = wanted.device, f"{where}.x-coreos.subvolumes"
        pairs = enumerate(wanted.extension.subvolumes)
        self._subvolumes = sorted(pairs, key=lambda pair: pair[1].path.count("/"))

    def describe(self) -> str:
        return f"make the subvolumes {', '.join(one.path for _, one in self._subvolumes)} of {self.path} ({self.place})"

    def already_there(self, context: Context) -> bool:
        with self._mounted() as top:
            there = all(_is_subvolume(Root(top).locate(one.path)) for _, one in self._subvolumes)
            return there and all(_is_default(top, Root(top).locate(one.path)) for _, one in self._subvolumes if one.default)

    def execute(self, context: Context) -> None:
        with self._mounted() as top:
            for index, one in self._subvolumes:
                with at(f"{self.place}.{index}.path"):
                    _make(Root(top), one)
            for index, one in self._subvolumes:
                if one.default:
                    with at(f"{self.place}.{index}.default"):
                        argv = ["btrfs", "subvolume", "set-default", Root(top).locate(one.path)]
                        run(argv, why=f"making {one.path} the default subvolume of {self.path}")

    def _mounted(self) -> AbstractContextManager[str]:
        return temporary_mount.mounted(self.path, (BTRFS,), TOP)


def _make(top: Root, wanted: Subvolume) -> None:
    outside = top.locate(wanted.path)
    if _is_subvolume(outside):
        return
    if os.path.lexists(outside):
        raise Failure(f"{wanted.path} already exists and is not a subvolume", fix="use another path for the subvolume")
    top.makedirs(os.path.dirname(top.resolve(wanted.path)))
    run(["btrfs", "subvolume", "create", outside], why=f"making the subvolume {wanted.path}")


def _is_subvolume(outside: str) -> bool:
    try:
        status = os.lstat(outside)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_ino == TOP_INODE


def _is_default(top: str, outside: str) -> bool:
    """By number: `ID 256 gen 7 top level 5 path @` against `256`."""
    default = run(["btrfs", "subvolume", "get-default", top], why="asking for the default subvolume").split()
    own = run(["btrfs", "inspect-internal", "rootid", outside], why=f"asking for the number of {outside}")
    return default[1:2] == [own.strip()]
