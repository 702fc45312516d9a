"""Where the nodes of a root are looked up: this machine's root, the root in a disk image, or the facts of another machine."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING, Protocol

from ignition.errors import Failure
from ignition.facts.document import Node, replace
from ignition.host import paths

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}
FORMATS = {kind: format for format, kind in KINDS.items()} | {"other": stat.S_IFIFO}
MOST_TEXT = 1 << 20  # bytes of a file that the facts hold
READABLE = 0o004
OPEN_RECORDS = (paths.ATTEMPT,)  # of the agent itself, without secrets; a plan depends on them


class UnknownContent(Failure):
    """A file is known, and its content is not in the facts."""


class Tree(Protocol):
    """The nodes of a root by canonical path: no component of a path is a symlink."""

    def node(self, path: str) -> Node | None:
        """A node, a symlink itself; None if there is none. Raises Failure where that is not known."""

    def read(self, path: str) -> bytes:
        """The bytes of a file. Raises OSError, Failure."""

    def names(self, path: str) -> list[str]:
        """The names in a directory. Raises OSError, Failure."""


class LiveTree:
    """A root of this machine, by its directory."""

    def __init__(self, top: str = "/") -> None:
        self._top = top.rstrip("/")

    def node(self, path: str) -> Node | None:
        try:
            found = os.lstat(self._top + path)
            target = os.readlink(self._top + path) if stat.S_ISLNK(found.st_mode) else ""
        except (FileNotFoundError, NotADirectoryError):
            return None
        kind = KINDS.get(stat.S_IFMT(found.st_mode), "other")
        return Node(kind, stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid, found.st_size, target, inode=found.st_ino)

    def read(self, path: str) -> bytes:
        with open(self._top + path, "rb") as file:
            return file.read()

    def names(self, path: str) -> list[str]:
        return sorted(os.listdir(self._top + path))


class KnownTree:
    """The root of a machine that only the facts know."""

    def __init__(self, nodes: Mapping[str, Node | None]) -> None:
        self._nodes = nodes

    def node(self, path: str) -> Node | None:
        if path in self._nodes:
            return self._nodes[path]
        above = path
        while above != "/":
            above = os.path.dirname(above)
            if above in self._nodes:
                found = self._nodes[above]
                if found is None or (found.names is not None and path[len(above) :].strip("/").split("/")[0] not in found.names):
                    return None
                break
        if not self._nodes:
            return Node("directory", 0o755) if path == "/" else None
        raise Failure(
            f"the facts do not say what is at {path}",
            where="$.nodes",
            fix="collect them again for this config: ignition facts CONFIG",
        )

    def read(self, path: str) -> bytes:
        found = self.node(path)
        if found is None or found.text is None:
            raise UnknownContent(
                f"the facts do not have the content of {path}", where="$.nodes", fix="it may be secret: plan on the machine"
            )
        return found.text.encode("utf-8", "surrogateescape")

    def names(self, path: str) -> list[str]:
        found = self.node(path)
        return list(found.names or ()) if found else []


class Below:
    """A directory of another tree."""

    def __init__(self, tree: Tree, top: str) -> None:
        self._tree, self._top = tree, top.rstrip("/")

    def node(self, path: str) -> Node | None:
        return self._tree.node(self._inside(path))

    def read(self, path: str) -> bytes:
        return self._tree.read(self._inside(path))

    def names(self, path: str) -> list[str]:
        return self._tree.names(self._inside(path))

    def _inside(self, path: str) -> str:
        return f"{self._top}{path}".rstrip("/") or "/"


class Recorder:
    """Passes on the answers of another tree, and keeps them: the facts must have all that a plan asks for."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.nodes: dict[str, Node | None] = {}

    def node(self, path: str) -> Node | None:
        if path not in self.nodes:
            self.nodes[path] = self._tree.node(path)
        return self.nodes[path]

    def read(self, path: str) -> bytes:
        content, found = self._tree.read(path), self.node(path)
        if found is not None and found.text is None:
            is_shown, is_public = len(content) <= MOST_TEXT, bool(found.mode & READABLE) or path in OPEN_RECORDS
            text = content.decode("utf-8", "surrogateescape") if is_shown and is_public else None
            # Not of files that few may read: guessable content can be found by its digest.
            digest = hashlib.sha512(content).hexdigest() if is_public and not is_shown else ""
            self.nodes[path] = replace(found, text=text, sha512=digest)
        return content

    def names(self, path: str) -> list[str]:
        names, found = self._tree.names(path), self.node(path)
        if found is not None:
            self.nodes[path] = replace(found, names=tuple(names))
        return names
