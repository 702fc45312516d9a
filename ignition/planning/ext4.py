"""The root in an ext4 file system of an image, read by debugfs(8) of e2fsprogs: without root, without mounting."""

from __future__ import annotations

import errno
import os
import re
import stat
from typing import TYPE_CHECKING

from ignition.errors import Failure
from ignition.facts.document import Node
from ignition.host.command import output_and_errors, run
from ignition.host.reading import lines
from ignition.planning.tree import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENTRY = re.compile(rb"/\d*/(\d+)/(\d*)/(\d*)/(.*)/(\d*)/")
_FAST_LINK = re.compile(rb'^Fast link dest: "(.*)"$', re.MULTILINE)


class Ext4Tree:
    """A Tree. A directory is listed once; each file and each symlink that matters is a question of its own."""

    def __init__(self, path: str, offset: int) -> None:
        self._file = f"{path}?offset={offset}"
        self._path = path
        self._listed: dict[str, dict[str, Node]] = {}

    def _ask(self, request: str, path: str) -> bytes:
        quoted = path.replace('"', '""')
        output, errors = output_and_errors(["debugfs", "-R", f'{request} "{quoted}"', "--", self._file], why=f"reading {path}")
        if "File not found" in errors:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        if "Bad magic" in errors or "while trying to open" in errors:
            raise Failure(
                "the root of the image is not an ext4 file system",
                where=self._path,
                fix="plan on the machine, or from its facts",
            )
        return output

    def _directory(self, path: str) -> dict[str, Node]:
        if path not in self._listed:
            self._listed[path] = dict(self._entries(path))
        return self._listed[path]

    def _entries(self, path: str) -> Iterator[tuple[str, Node]]:
        for line in self._ask("ls -p", path).split(b"\n"):
            match = _ENTRY.fullmatch(line)
            if match and match[4] not in (b".", b".."):
                mode = int(match[1], 8)
                kind = KINDS.get(stat.S_IFMT(mode), "other")
                size = int(match[5] or 0)
                yield os.fsdecode(match[4]), Node(kind, stat.S_IMODE(mode), int(match[2] or 0), int(match[3] or 0), size)

    def node(self, path: str) -> Node | None:
        """As Tree."""
        if path == "/":
            return Node("directory", 0o755)
        above, name = os.path.split(path)
        directory = self.node(above)
        if directory is None or directory.kind != "directory":
            return None
        found = self._directory(above).get(name)
        if found is None or found.kind != "link" or found.target:
            return found
        known = _FAST_LINK.search(self._ask("stat", path))
        target = os.fsdecode(known[1] if known else self._ask("cat", path))
        self._listed[above][name] = Node("link", found.mode, found.uid, found.gid, found.size, target)
        return self._listed[above][name]

    def read(self, path: str) -> bytes:
        """As Tree."""
        return self._ask("cat", path)

    def names(self, path: str) -> list[str]:
        """As Tree."""
        return sorted(self._directory(path))

    def used_bytes(self) -> int:
        """Bytes of the files of the file system."""
        output = run(["debugfs", "-R", "stats -h", "--", self._file], why=f"reading the file system in {self._path}")
        members = dict(line.split(":", 1) for line in lines(output) if ":" in line)
        try:
            blocks, free, size = (int(members[name]) for name in ("Block count", "Free blocks", "Block size"))
        except (KeyError, ValueError):
            return 0
        return (blocks - free) * size
