"""Reading files that may be anything: inside a root, on a file system that is mounted for this purpose, or given by a person.

Every Failure has as its place `where`, the caller's name for the file. No path leads out of the root or the file system, neither
by `..` nor by symlinks, and only regular files are opened.
"""

from __future__ import annotations

import os
import stat
import time

from ignition.errors import CommandFailed, Failure, NotFound
from ignition.host.limits import IN_MEMORY, SYSTEM_FILE
from ignition.host.root import Root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO, TypeVar

    from ignition.host.dentry import Dentry

    Found = TypeVar("Found")

_SHORTEST_MOUNT_S = 1.0


def open_inside(root: Root, inside: str, *, where: str) -> BinaryIO:
    """Open a regular file of a root. Raises NotFound if it does not exist, Failure if it is of another kind or unreadable."""
    file: BinaryIO = _regular(root, inside, where, lambda here, found: here.open_regular(found))
    return file


def size_inside(root: Root, inside: str) -> int:
    """The bytes of a regular file of a root. Raises as `open_inside`."""
    return _regular(root, inside, inside, lambda _, found: found.st_size)


def _regular(root: Root, inside: str, where: str, act: Callable[[Dentry, os.stat_result], Found]) -> Found:
    it = "it" if where == inside else inside  # messages begin with the place
    try:
        with root.at(inside, follow=True) as here:
            found = here.status()
            if found is None:
                raise FileNotFoundError
            if not stat.S_ISREG(found.st_mode):  # checked before opening: opening a device may have effects
                kind = "a directory" if stat.S_ISDIR(found.st_mode) else "not a regular file"
                raise Failure(f"{it} is {kind}", where=where, fix="name a file")
            return act(here, found)
    except Failure as failure:
        failure.where = where
        raise
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFound(f"there is no file {inside}", where=where, fix="correct the path, or put the file there") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise Failure(f"{it} cannot be read: {_reason(error)}", where=where) from error


def read_inside(root: Root, inside: str, *, limit: int = SYSTEM_FILE) -> bytes | None:
    """The bytes of a file of a root; None if it does not exist. Raises Failure if it is not regular or exceeds `limit` bytes."""
    try:
        file = open_inside(root, inside, where=inside)
    except NotFound:
        return None
    with file:
        try:
            content = file.read(limit + 1)
        except OSError as error:
            raise Failure(f"it cannot be read: {_reason(error)}", where=inside) from error
    if len(content) > limit:
        raise Failure(f"it is larger than {limit >> 10} KiB", where=inside, fix="find out which program wrote it")
    return content


def read_text(root: Root, inside: str, *, limit: int = SYSTEM_FILE) -> str | None:
    """As `read_inside`, as text: UTF-8, other bytes as surrogates, line ends unchanged."""
    content = read_inside(root, inside, limit=limit)
    return None if content is None else content.decode("utf-8", "surrogateescape")


def regular(path: str) -> bytes:
    """The bytes of a regular file of this system, without blocking on a FIFO or reading a device. Raises OSError, ValueError."""
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        content = file.read(IN_MEMORY + 1) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None
    if content is None or len(content) > IN_MEMORY:
        raise ValueError("not a regular file, or a huge one")
    return content


def lines(text: str) -> list[str]:
    """The lines of a file of the system, without their ends.

    A line ends at a newline only: str.splitlines and universal newlines know eleven more characters, and users can put each of
    them into their own line of passwd(5).
    """
    found = text.split("\n")
    if found[-1] == "":
        found.pop()
    return found


def answer_lines(text: str) -> list[str]:
    """As `lines`, for the answer of a service: one carriage return before the newline belongs to the line end."""
    return [line.removesuffix("\r") for line in lines(text)]


def open_on_device(device: str, inside: str, *, where: str, timeout_s: float) -> BinaryIO:
    """Wait for a device, mount it read-only on a new directory, open a file and unmount: the open file stays readable.

    `timeout_s` covers waiting and mounting together. Raises as `open_inside`, and Failure if the device does not appear in time
    or cannot be mounted.
    """
    from ignition.host import devices  # most runs read nothing but files of a root
    from ignition.host.temporary_mount import mounted_to_read

    end = time.monotonic() + timeout_s
    try:
        node = devices.resolve(device, timeout_s=timeout_s)
        with mounted_to_read(node, timeout_s=max(_SHORTEST_MOUNT_S, end - time.monotonic())) as directory:
            return open_inside(Root(directory, leaving_is_an_error=True), inside, where=where)
    except CommandFailed as error:
        raise Failure(
            f"{device} cannot be mounted: {error.what}", where=where, fix="use a file system that this kernel supports"
        ) from error
    except Failure as failure:
        failure.where = where
        raise


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, ValueError):
        return "its path contains a NUL byte"  # Python's own words differ between its versions
    return error.strerror or str(error)
