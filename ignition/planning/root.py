"""The root that a plan is for: what `Root` says about a directory, said from a Tree. Nothing in it can be changed."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from ignition.errors import Failure
from ignition.host.dentry import Dentry
from ignition.host.root import MAX_LINKS, Parents, Root, unsafe
from ignition.planning.tree import FORMATS, Tree

if TYPE_CHECKING:
    from io import BufferedReader

    from ignition.facts.document import Node

_INODES = (1 << 31) - 1
_NOWHERE = "/proc/self/fd/ignition-plan"  # does not exist: methods that are not overridden fail instead of touching this machine


class PlannedRoot(Root):
    """A root in memory. `live`: with the rule for symlinks of a running system (`Root.live`)."""

    def __init__(self, tree: Tree, *, live: bool = False, leaving_is_an_error: bool = False) -> None:
        super().__init__(_NOWHERE, live=live, leaving_is_an_error=leaving_is_an_error)
        self._tree = tree

    @property
    def creator(self) -> tuple[int, int]:
        return 0, 0  # stages run as root, whoever plans

    def acting_as(self, uid: int, gid: int) -> AbstractContextManager[None]:
        return nullcontext()  # what a user may read is not shown, but compared

    @contextmanager
    def at(self, inside: str, *, parents: Parents | None = None, follow: bool = False) -> Iterator[Dentry]:
        if parents is not None:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), inside)
        path = self.follow(inside) if follow else self.resolve(inside)
        above = os.path.dirname(path)
        found = self._tree.node(above)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        if found.kind != "directory":
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), above)
        yield PlannedDentry(self._tree, path)

    def status(self, inside: str) -> os.stat_result | None:
        path = self.resolve(inside)
        found = self._tree.node(path)
        return _status(found, path) if found else None

    def open(self, inside: str, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), inside)

    def makedirs(self, inside: str) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), inside)

    def _resolve_directory(self, inside: str) -> str:
        known = self._directories.get(inside)
        if known is None:
            known = self._directories[inside] = self._walked(inside)
        return known

    def _walked(self, inside: str) -> str:
        # Components still to walk; the owner of a symlink stands behind the components of its target, as in Root.
        rest: list[str | int] = [part for part in reversed(inside.split("/")) if part]
        done, links = "", 0
        while rest:
            part = rest.pop()
            if isinstance(part, int):
                if self._owner(done) != part:
                    raise unsafe(part, inside)
                continue
            if part == "..":
                if not done:
                    self._leaving(inside)
                done = os.path.dirname(done).rstrip("/")
                continue
            here = f"{done}/{part}"
            found = self._tree.node(here)
            if found is None or found.kind != "link":
                done = here
                continue
            links += 1
            if links > MAX_LINKS:
                raise Failure(f"too many symlinks on the way to {inside}", where=inside, fix="remove the loop of symlinks")
            if found.target.startswith("/"):
                self._leaving(inside)
                done = ""
            if self.is_live and found.uid != 0:
                rest.append(found.uid)
            rest += [piece for piece in reversed(found.target.split("/")) if piece not in ("", ".")]
        return done or "/"

    def _owner(self, path: str) -> int:
        """The owner of the deepest node on the way to a path."""
        while (found := self._tree.node(path or "/")) is None:
            path = os.path.dirname(path).rstrip("/")
        return found.uid


class PlannedDentry(Dentry):
    """One node of it."""

    def __init__(self, tree: Tree, path: str) -> None:
        super().__init__(-1, os.path.basename(path) or ".", path)
        self._tree = tree

    def status(self) -> os.stat_result | None:
        found = self._tree.node(self.inside)
        return _status(found, self.inside) if found else None

    def open(self, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), self.inside)

    def open_regular(self, seen: os.stat_result | None = None) -> BufferedReader:
        # Callers want a descriptor: a file in memory, which no path leads to.
        descriptor = os.memfd_create("ignition-plan", os.MFD_CLOEXEC)
        with open(descriptor, "wb", closefd=False) as file:
            file.write(self._tree.read(self.inside))
        os.lseek(descriptor, 0, os.SEEK_SET)
        return open(descriptor, "rb")

    def readlink(self) -> str:
        found = self._tree.node(self.inside)
        if found is None or found.kind != "link":
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), self.inside)
        return found.target

    def names(self) -> list[str]:
        return self._tree.names(self.inside)

    def links_and_directories(self) -> tuple[dict[str, str], list[str]]:
        links: dict[str, str] = {}
        directories: list[str] = []
        for name in self._tree.names(self.inside):
            found = self._tree.node(f"{self.inside.rstrip('/')}/{name}")
            if found is not None and found.kind == "link":
                links[name] = found.target
            elif found is not None and found.kind == "directory":
                directories.append(name)
        return links, directories

    @contextmanager
    def entered(self) -> Iterator[list[Dentry]]:
        above = self.inside.rstrip("/")
        yield [PlannedDentry(self._tree, f"{above}/{name}") for name in self._tree.names(self.inside)]


def _status(node: Node, path: str) -> os.stat_result:
    inode = node.inode or -(hash(path) & _INODES)  # a file that the plan has written has no other hard links
    return os.stat_result((FORMATS[node.kind] | node.mode, inode, 1, 1, node.uid, node.gid, node.size, 0, 0, 0))
