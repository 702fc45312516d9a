"""A FAT file system in an image, read by mtools(1): the partition EFI-SYSTEM, without root, without mounting."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from ignition.errors import CommandFailed, Failure
from ignition.facts.document import Node
from ignition.host.command import run, status_and_output

if TYPE_CHECKING:
    from ignition.facts.image import Place

_NOT_FOUND = 1
_MODE = 0o755  # of everything, as Linux shows it


class FatTree:
    """A Tree. FAT has neither owners nor symlinks; sizes are not read."""

    def __init__(self, place: Place) -> None:
        self._image = f"{place.image.raw}@@{place.offset}"
        self._listed: dict[str, dict[str, Node]] = {}

    def node(self, path: str) -> Node | None:
        """As Tree."""
        if path == "/":
            return Node("directory", _MODE)
        above, name = os.path.split(path)
        return self._directory(above).get(name.lower())

    def read(self, path: str) -> bytes:
        """As Tree."""
        return run(["mtype", "-i", self._image, f"::{path}"], why=f"reading {path}").encode("utf-8", "surrogateescape")

    def names(self, path: str) -> list[str]:
        """As Tree."""
        found = self._directory(path)
        if not found and self.node(path) is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return sorted(found)

    def copy(self, path: str, target: str) -> None:
        """Write a file of any size to a file of this system. Raises Failure."""
        run(["mcopy", "-n", "-i", self._image, f"::{path}", target], why=f"reading {path}")

    def _directory(self, path: str) -> dict[str, Node]:
        if path not in self._listed:
            self._listed[path] = self._entries(path)
        return self._listed[path]

    def _entries(self, path: str) -> dict[str, Node]:
        argv = ["mdir", "-b", "-a", "-i", self._image, f"::{path}"]
        try:
            status, output = status_and_output(argv, why=f"listing {path}", ok=(0, _NOT_FOUND))
        except CommandFailed as failure:
            if failure.status is None:
                raise Failure("mtools is missing", fix="install mtools") from failure
            raise
        found = {}
        for line in output.split("\n") if status == 0 else ():
            name = line.rstrip("/").rpartition("/")[2]
            if name and name not in (".", ".."):
                found[name.lower()] = Node("directory" if line.endswith("/") else "file", _MODE)
        return found
