"""The root in an ext4 file system of an image, read by debugfs(8) of e2fsprogs: without root, without mounting."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from typing import TYPE_CHECKING

from ignition.errors import CommandFailed, Failure
from ignition.facts.document import Node
from ignition.host.command import answering, output_and_errors
from ignition.host.reading import lines
from ignition.planning.tree import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack

    from ignition.facts.image import Place

_PROMPT = b"debugfs: "
_LONGEST = 4000  # debugfs reads lines of BUFSIZ bytes
_ENTRY = re.compile(rb"/\d*/(\d+)/(\d*)/(\d*)/(.*)/(\d*)/")
_FAST_LINK = re.compile(rb'^Fast link dest: "(.*)"$', re.MULTILINE)


class Ext4Tree:
    """A Tree. One debugfs answers all questions; a directory is listed once. Raises Failure for another file system."""

    def __init__(self, place: Place, stack: ExitStack) -> None:
        self._file = f"{place.image.raw}?offset={place.offset}"
        self._listed: dict[str, dict[str, Node]] = {}
        self._end = secrets.token_hex(16).encode()  # a request that debugfs does not know, and repeats
        self._ask = stack.enter_context(
            answering(["debugfs", "-f", "-", "--", self._file], why=f"reading the file system in {place.image.path}")
        )
        try:
            found = lines(self._answer("stats -h").decode("utf-8", "replace"))
        except CommandFailed:  # it has ended, since there is nothing that it knows
            found = []
        members = dict(line.split(":", 1) for line in found if ":" in line)
        if "Block count" not in members:
            raise Failure(
                "the root of the image is not an ext4 file system",
                where=place.image.path,
                fix="plan on the machine, or from its facts",
            )
        blocks, free, size = (int(members[name]) for name in ("Block count", "Free blocks", "Block size"))
        self._used = (blocks - free) * size

    def _answer(self, request: str, path: str = "") -> bytes:
        """The output of a request, without the prompt, which repeats it."""
        quoted = path.replace('"', '""')
        line = os.fsencode(f'{request} "{quoted}"' if path else request)
        if b"\n" in line or len(line) > _LONGEST:  # it would be two requests
            return output_and_errors(["debugfs", "-R", os.fsdecode(line), "--", self._file], why=f"reading {path}")[0]
        answer = self._ask(line + b"\n" + self._end + b"\n", _PROMPT + self._end + b"\n")
        return answer.partition(_PROMPT + line + b"\n")[2]

    def _directory(self, path: str) -> dict[str, Node]:
        if path not in self._listed:
            self._listed[path] = dict(self._entries(path))
        return self._listed[path]

    def _entries(self, path: str) -> Iterator[tuple[str, Node]]:
        for line in self._answer("ls -p", path).split(b"\n"):
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
        known = _FAST_LINK.search(self._answer("stat", path))
        target = os.fsdecode(known[1] if known else self._answer("cat", path))
        self._listed[above][name] = Node("link", found.mode, found.uid, found.gid, found.size, target)
        return self._listed[above][name]

    def read(self, path: str) -> bytes:
        """As Tree."""
        if self.node(path) is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return self._answer("cat", path)

    def names(self, path: str) -> list[str]:
        """As Tree."""
        return sorted(self._directory(path))

    def used_bytes(self) -> int:
        """Bytes of the files of the file system."""
        return self._used
