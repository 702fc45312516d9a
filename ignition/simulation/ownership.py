"""A root whose owners and modes are recorded: an ordinary user may neither change owners nor enter a directory of mode 0000.

`status` reports the recorded attributes, so that operations recognize the nodes that they wrote before. On disk each node belongs
to the person who runs the simulation and has the mode of the config, with two differences: its owner can always read and write
it, and set-id bits, which would be dangerous in a directory of somebody else, are left out.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from errno import EACCES

from ignition.host.dentry import PARENT_MODE, Dentry
from ignition.host.root import Root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import BufferedWriter
    from typing import Any, TypeVar

    Made = TypeVar("Made")

ROOT_ID = 0
_SPECIAL = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX
_LINK_MODE = 0o777


class Cause:
    """The operation that wrote a node: `kind` is that of `Operation`, `place` its place in the config, "" without one."""

    __slots__ = ("kind", "place")

    def __init__(self, kind: str, place: str) -> None:
        self.kind, self.place = kind, place


class _Node:
    __slots__ = ("cause", "gid", "mode", "uid")

    def __init__(self, mode: int, uid: int, gid: int, cause: Cause | None) -> None:
        self.mode, self.uid, self.gid, self.cause = mode, uid, gid, cause


class Owners:
    """The recorded attributes of the nodes of a directory tree, by inode: they follow renames and hard links.

    `actor`: the uid and gid on whose behalf nodes are created.
    """

    def __init__(self) -> None:
        self.actor = ROOT_ID, ROOT_ID
        self._nodes: dict[tuple[int, int], _Node] = {}
        self._running = threading.local()  # downloads run side by side

    @contextmanager
    def caused_by(self, cause: Cause) -> Iterator[None]:
        """For the block, this is the operation that writes, in this thread."""
        before = getattr(self._running, "cause", None)
        self._running.cause = cause
        try:
            yield
        finally:
            self._running.cause = before

    def cause_of(self, found: os.stat_result) -> Cause | None:
        """The operation that wrote the node last; None for nodes of the base."""
        node = self._nodes.get((found.st_dev, found.st_ino))
        return node.cause if node else None

    def created(self, found: os.stat_result, mode: int) -> None:
        """A new node: the record of an earlier one with its inode number is dropped."""
        self._nodes[found.st_dev, found.st_ino] = _Node(mode, *self.actor, getattr(self._running, "cause", None))

    def changed(self, found: os.stat_result, mode: int | None, uid: int, gid: int) -> None:
        """New attributes; None and -1 leave them unchanged."""
        node = self._nodes.setdefault((found.st_dev, found.st_ino), _Node(stat.S_IMODE(found.st_mode), ROOT_ID, ROOT_ID, None))
        node.mode = node.mode if mode is None else mode
        node.uid, node.gid = node.uid if uid == -1 else uid, node.gid if gid == -1 else gid
        node.cause = getattr(self._running, "cause", None) or node.cause

    def seen(self, found: os.stat_result) -> os.stat_result:
        """The status with the recorded attributes in place of those on disk."""
        node = self._nodes.get((found.st_dev, found.st_ino))
        mode, uid, gid = (node.mode, node.uid, node.gid) if node else (stat.S_IMODE(found.st_mode), ROOT_ID, ROOT_ID)
        reduced: Any = found.__reduce__()
        _, (visible, hidden) = reduced  # nanoseconds are among the hidden members
        return os.stat_result((stat.S_IFMT(found.st_mode) | mode, *visible[1:4], uid, gid, *visible[6:]), hidden)

    def may_write(self, directory: os.stat_result) -> bool:
        """Whether the actor may create names in a directory."""
        found, (uid, gid) = self.seen(directory), self.actor
        shift = 6 if uid == found.st_uid else 3 if gid == found.st_gid else 0
        return uid == ROOT_ID or (found.st_mode >> shift) & 0o3 == 0o3


def on_disk(mode: int, *, is_directory: bool) -> int:
    """The mode that a node gets for a recorded one."""
    return mode & ~_SPECIAL | (stat.S_IRWXU if is_directory else stat.S_IRUSR | stat.S_IWUSR)


class SimulatedDentry(Dentry):
    """Creates and changes nodes as a Dentry does, and records their attributes."""

    __slots__ = ("_owners",)

    def __init__(self, directory: int, name: str, inside: str, owners: Owners) -> None:
        super().__init__(directory, name, inside)
        self._owners = owners

    def status(self) -> os.stat_result | None:
        """lstat, with the recorded attributes; None if the name does not exist."""
        found = super().status()
        return None if found is None else self._owners.seen(found)

    def open(self, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
        """As Dentry; a file that is created by it is recorded."""
        is_new = bool(flags & os.O_CREAT) and super().status() is None
        descriptor = super().open(flags, mode)
        if is_new:
            self._owners.created(os.fstat(descriptor), mode)
        return descriptor

    def chown(self, uid: int, gid: int) -> None:
        """Record the owner of a node of any kind."""
        found = super().status()
        if found is not None:
            self._owners.changed(found, None, uid, gid)

    def mkdir(self, *, mode: int = PARENT_MODE, uid: int = -1, gid: int = -1) -> None:
        """Create a directory, and record its mode and owner."""
        self._refuse_strangers()
        with self._named():
            os.mkdir(self.name, 0o700, dir_fd=self.directory)
        self._record(self.name, mode)
        self.set_attributes(mode=mode, uid=uid, gid=gid)

    def symlink(self, target: str, *, uid: int = -1, gid: int = -1) -> None:
        """Create a symlink as Dentry does, and record its owner."""
        self._appear(lambda name: os.symlink(target, name, dir_fd=self.directory))
        self.chown(uid, gid)

    @contextmanager
    def replacing(self, *, mode: int, uid: int = -1, gid: int = -1, sync: bool = False) -> Iterator[BufferedWriter]:
        """As Dentry, without waiting for the disk."""
        with super().replacing(mode=mode, uid=uid, gid=gid, sync=False) as file:
            yield file

    def write(self, content: bytes, *, mode: int, uid: int = -1, gid: int = -1, sync: bool = False) -> None:
        """As Dentry, without waiting for the disk."""
        super().write(content, mode=mode, uid=uid, gid=gid, sync=False)

    def _temporary(self, make: Callable[[str], Made]) -> tuple[str, Made]:
        self._refuse_strangers()
        name, made = super()._temporary(make)
        self._record(name, _LINK_MODE)
        return name, made

    def _record(self, name: str, mode: int) -> None:
        found = os.stat(name, dir_fd=self.directory, follow_symlinks=False)
        if stat.S_ISDIR(found.st_mode) or found.st_nlink == 1:  # not a hard link to a known file
            self._owners.created(found, mode)

    def _set(self, descriptor: int, mode: int | None, uid: int, gid: int) -> None:
        found = os.fstat(descriptor)
        self._owners.changed(found, mode, uid, gid)
        if mode is not None:
            os.fchmod(descriptor, on_disk(mode, is_directory=stat.S_ISDIR(found.st_mode)))

    def _other(self, directory: int, name: str, inside: str) -> Dentry:
        return SimulatedDentry(directory, name, inside, self._owners)

    def _refuse_strangers(self) -> None:
        if not self._owners.may_write(os.fstat(self.directory)):
            raise PermissionError(EACCES, os.strerror(EACCES), self.inside)


class SimulatedRoot(Root):
    """A root that an ordinary user may fill. Symlinks are followed within it, as in every root that is provisioned."""

    def __init__(self, path: str, owners: Owners, *, leaving_is_an_error: bool = False) -> None:
        super().__init__(path, leaving_is_an_error=leaving_is_an_error)
        self.owners = owners

    @property
    def creator(self) -> tuple[int, int]:
        """As in a boot: root, or the user on whose behalf files are written."""
        return self.owners.actor

    @contextmanager
    def acting_as(self, uid: int, gid: int) -> Iterator[None]:
        """For the block, nodes are created by a user, who may do so in directories that are open to that user only."""
        before, self.owners.actor = self.owners.actor, (uid, gid)
        try:
            yield
        finally:
            self.owners.actor = before

    def sync(self, inside: str) -> None:
        """Nothing waits for the disk: a simulation that is interrupted begins again."""

    def status(self, inside: str) -> os.stat_result | None:
        """lstat of a path inside, with the recorded attributes; None if it, or a directory above it, does not exist."""
        try:
            with self.at(inside) as here:
                return here.status()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _dentry(self, directory: int, name: str, inside: str) -> Dentry:
        return SimulatedDentry(directory, name, inside, self.owners)
