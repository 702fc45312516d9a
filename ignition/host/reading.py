"""Opening files that are not the agent's own: inside a root, or on a file system that is mounted only for that.

Every failure says at `where`, the caller's word for the file, what is wrong with it. No path leads out of the root or the file
system, neither by `..` nor by symlinks, and nothing but a regular file is opened.
"""

import os
import stat
import time

from ignition.errors import CommandFailed, Failure, NotFound
from ignition.host import devices
from ignition.host.root import Root
from ignition.host.temporary_mount import mounted_to_read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

_SHORTEST_MOUNT_S = 1.0


def open_inside(root: Root, inside: str, *, where: str) -> "BinaryIO":
    """Open a regular file of a root. Raises NotFound if there is none, Failure if it is something else or cannot be read."""
    try:
        path = root.outside(root.follow(inside))
        mode = os.lstat(path).st_mode
    except Failure as failure:
        failure.where = where
        raise
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFound(f"there is no file {inside}", where=where, fix="correct the path, or put the file there") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise Failure(f"{inside} cannot be read: {_reason(error)}", where=where) from error
    if not stat.S_ISREG(mode):
        kind = "a directory" if stat.S_ISDIR(mode) else "no regular file"
        raise Failure(f"{inside} is {kind}", where=where, fix="name a file")
    try:
        return open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")
    except OSError as error:
        raise Failure(f"{inside} cannot be read: {_reason(error)}", where=where) from error


def open_on_device(device: str, inside: str, *, where: str, timeout_s: float) -> "BinaryIO":
    """Wait for a device, mount it read-only on a directory of its own, open a file and unmount: the open file stays readable.

    `timeout_s` is for waiting and mounting together. Raises as `open_inside`, and Failure if there is no such device in time or
    it cannot be mounted.
    """
    end = time.monotonic() + timeout_s
    try:
        node = devices.resolve(device, timeout_s=timeout_s)
        with mounted_to_read(node, timeout_s=max(_SHORTEST_MOUNT_S, end - time.monotonic())) as directory:
            return open_inside(Root(directory, leaving_is_an_error=True), inside, where=where)
    except CommandFailed as error:
        raise Failure(
            f"{device} cannot be mounted: {error.what}", where=where, fix="the device needs a file system that this kernel knows"
        ) from error
    except Failure as failure:
        failure.where = where
        raise


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or str(error)
