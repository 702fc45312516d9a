"""The new root, and paths inside it. Nothing escapes: a symlink met on the way is followed as if the root were `/`."""

import os

from ignition.errors import Failure

MAX_LINKS = 40  # as the kernel: linux/namei.h MAXSYMLINKS


class Root:
    """A directory that becomes `/` of the machine. `path` is absolute and without a trailing slash, `""` for `/` itself.

    `leaving_is_an_error`: a symlink on the way that is absolute or climbs above the top raises Failure instead of being followed
    as if the root were `/`: right for a file system that is not the root of the machine.
    """

    def __init__(self, path: str, *, leaving_is_an_error: bool = False) -> None:
        self.path = os.path.abspath(path).rstrip("/")
        self._strict = leaving_is_an_error
        self._directories: dict[str, str] = {"/": "/"}

    def __repr__(self) -> str:
        return f"Root({self.path or '/'!r})"

    def outside(self, inside: str) -> str:
        """The path as this process sees it, of a path as the new root will see it; no symlink is looked at."""
        return self.path + inside

    def resolve(self, inside: str) -> str:
        """`inside` with all symlinks but a last component's followed; still as the new root sees it.

        Missing components stay as they are. Raises Failure for a loop of symlinks. What was resolved is remembered: call
        `forget()` after replacing a directory or making a symlink.
        """
        parent, name = os.path.split(_normal(inside))
        return os.path.join(self._resolve_directory(parent), name) if name else "/"

    def follow(self, inside: str) -> str:
        """`inside` with all symlinks followed, the last component's, too; still as the new root sees it."""
        return self._resolve_directory(_normal(inside))

    def locate(self, inside: str) -> str:
        """`resolve`, then `outside`: where this process finds the node."""
        return self.path + self.resolve(inside)

    def forget(self) -> None:
        """Drop what was remembered of directories."""
        self._directories = {"/": "/"}

    def _resolve_directory(self, inside: str) -> str:
        known = self._directories.get(inside)
        if known is not None:
            return known
        resolved, links = "/", 0
        rest = [part for part in inside.split("/") if part]
        while rest:
            part = rest.pop(0)
            if part == "..":
                if resolved == "/":
                    self._leaving(inside)
                resolved = os.path.dirname(resolved)
                continue
            if part == ".":
                continue
            candidate = os.path.join(resolved, part)
            target = self._link_target(candidate)
            if target is None:
                resolved = candidate
                continue
            links += 1
            if links > MAX_LINKS:
                raise Failure(f"too many symlinks on the way to {inside}", where=inside, fix="remove the loop of symlinks")
            if target.startswith("/"):
                self._leaving(inside)
                resolved = "/"
            rest = [piece for piece in target.split("/") if piece] + rest
        self._directories[inside] = resolved
        return resolved

    def _leaving(self, inside: str) -> None:
        if self._strict:
            raise Failure("a symlink on the way leads out of the file system", where=inside, fix="name the place it leads to")

    def _link_target(self, inside: str) -> str | None:
        try:
            return os.readlink(self.path + inside)
        except OSError:
            return None  # not a symlink, or not there


def _normal(inside: str) -> str:
    """Absolute, and with no `..` that climbs above the top: a relative path counts from the root."""
    return os.path.normpath("/" + inside.lstrip("/"))
