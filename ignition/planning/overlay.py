"""A root with the effects of the operations so far: later ones find new users, directories and links, as in a boot."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ignition.facts.document import Node
from ignition.host import changes
from ignition.host.reading import lines
from ignition.operation import Left
from ignition.planning.tree import UnknownContent

if TYPE_CHECKING:
    from ignition.planning.tree import Tree

_PASSWD, _GROUP = "/etc/passwd", "/etc/group"
_MOST_KEPT = 1 << 16  # bytes of a file
_DIRECTORY_MODE, _FILE_MODE = 0o755, 0o644


class Overlay:
    """A Tree over another one."""

    def __init__(self, below: Tree) -> None:
        self._below = below
        self._nodes: dict[str, Node | None] = {}
        self._contents: dict[str, bytes] = {}
        self._read: dict[str, bytes] = {}  # from below: the accounts are asked for at each file
        self._added: dict[str, set[str]] = {}
        self._covered: set[str] = set()  # where new file systems are mounted
        self.asked_in_vain = 0  # how often a content was not known

    def node(self, path: str) -> Node | None:
        """As Tree."""
        if path in self._nodes:
            return self._nodes[path]
        if any(self._nodes.get(above, self) is None for above in _above(path)):
            return None
        if any(above in self._covered for above in _above(path)):
            return None
        if any(above in self._nodes for above in _above(path)) and self._is_new(path):
            return None
        return self._below.node(path)

    def _is_new(self, path: str) -> bool:
        """Whether a directory above was made by the plan, so that there is nothing else in it."""
        return any(above in self._nodes and self._below.node(above) is None for above in _above(path))

    def read(self, path: str) -> bytes:
        """As Tree."""
        if path in self._contents:
            return self._contents[path]
        if path not in self._read:
            try:
                content = self._below.read(path)
            except UnknownContent:
                self.asked_in_vain += 1
                raise
            if len(content) > _MOST_KEPT:
                return content
            self._read[path] = content
        return self._read[path]

    def names(self, path: str) -> list[str]:
        """As Tree."""
        is_blank = any(one in self._covered for one in (path, *_above(path)))
        is_blank = is_blank or (path in self._nodes and self._below.node(path) is None)
        known = [] if is_blank else self._below.names(path)
        return sorted({*known, *self._added.get(path, ())})

    def put(self, path: str, node: Node | None, content: bytes | None = None) -> None:
        """A node from now on, and the directories above it; None: there is nothing any more."""
        for above in _above(path):
            if self.node(above) is None:
                self._set(above, Node("directory", _DIRECTORY_MODE))
        self._set(path, node)
        if content is not None:
            self._contents[path] = content
            changes.note()

    def cover(self, path: str) -> None:
        """A new file system is mounted on a directory: it hides everything below."""
        self._covered.add(path)
        changes.note()

    def _set(self, path: str, node: Node | None) -> None:
        self._nodes[path] = node
        changes.note()
        self._added.setdefault(os.path.dirname(path), set()).add(os.path.basename(path))

    def apply(self, left: Left, path: str, content: bytes | None, *, may_be_there: bool = False) -> None:
        """The effect of an operation. `path`: where it is, symlinks followed; `content` of a file.

        `may_be_there`: the file may be right already, and would then not be replaced: its hard links stay. Users and groups exist
        already: ignition.planning.accounts creates new ones.
        """
        members = left.members
        if left.kind == "user" and members is not None:
            self._change_user(left.name, members)
        elif left.kind == "group" and members is not None:
            self._change_group(left.name, members.get("gid"))
        elif left.kind in ("user", "group"):
            self._remove_line(_PASSWD if left.kind == "user" else _GROUP, left.name)
        elif left.kind == "SSH keys":
            self._put_left(Left("file", left.name, members), path, content)
        elif left.kind in ("file", "directory", "link"):
            self._put_left(left, path, content, may_be_there=may_be_there)

    def _put_left(self, left: Left, path: str, content: bytes | None, *, may_be_there: bool = False) -> None:
        members = left.members
        if members is None:
            return self.put(path, None)
        present = self.node(path)
        default = _DIRECTORY_MODE if left.kind == "directory" else _FILE_MODE
        mode = int(str(members["mode"]), 8) if "mode" in members else present.mode if present else default
        uid, gid = members.get("uid", present.uid if present else 0), members.get("gid", present.gid if present else 0)
        size = len(content) if content is not None else present.size if present else 0
        inode = present.inode if present and may_be_there else 0
        return self.put(path, Node(left.kind, mode, uid, gid, size, str(members.get("target", "")), inode=inode), content)

    def lines(self, path: str) -> list[str]:
        """The lines of a file of accounts; none if it does not exist."""
        return lines(self.read(path).decode("utf-8", "surrogateescape")) if self.node(path) else []

    def rewrite(self, path: str, found: list[str]) -> None:
        """Give a file of accounts these lines."""
        content = "".join(f"{line}\n" for line in found).encode("utf-8", "surrogateescape")
        self.put(path, Node("file", _FILE_MODE, size=len(content)), content)

    def _remove_line(self, path: str, name: str) -> None:
        self.rewrite(path, [line for line in self.lines(path) if line.partition(":")[0] != name])

    def _change_user(self, name: str, members: dict[str, Any]) -> None:
        found = []
        for line in self.lines(_PASSWD):
            fields = line.split(":")
            if fields[0] == name:
                for index, member in ((2, "uid"), (3, "gid"), (5, "home"), (6, "shell")):
                    fields[index] = str(members.get(member) or fields[index])
            found.append(":".join(fields))
        self.rewrite(_PASSWD, found)
        for group in members.get("groups") or ():
            self.join(name, str(group))

    def join(self, name: str, group: str) -> None:
        """Make a user a member of a group."""
        found = []
        for line in self.lines(_GROUP):
            fields = line.split(":")
            if fields[0] == group and len(fields) == 4 and name not in fields[3].split(","):
                fields[3] = ",".join([*filter(None, fields[3].split(",")), name])
            found.append(":".join(fields))
        self.rewrite(_GROUP, found)

    def _change_group(self, name: str, gid: object) -> None:
        rows = [line.split(":") for line in self.lines(_GROUP)]
        self.rewrite(_GROUP, [":".join([*row[:2], str(gid or row[2]), *row[3:]] if row[0] == name else row) for row in rows])


def _above(path: str) -> list[str]:
    """The directories above a path, the top first."""
    parts = path.strip("/").split("/")[:-1]
    return ["/" + "/".join(parts[: count + 1]) for count in range(len(parts))]
