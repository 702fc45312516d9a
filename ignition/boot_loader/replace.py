"""A file that takes the place of another one so that a power cut leaves the old or the new one, also on FAT (no journal).

What Linux' vfat does for a rename over a file (fs/fat/namei_vfat.c, vfat_rename): it writes the new file's first cluster and
size into the old one's directory entry, which is in one sector; then it removes the entry of the other name; the old clusters
are freed last. On a file system mounted with `dirsync` they reach the disk in this order. There is no moment without the name
or with half a file.

A power cut between the first two leaves two names for the same clusters. Whoever then removes the other name, or writes to
it, frees what the file consists of: so a name that is left from an earlier time is never touched, and another one is taken.
"""

import os
from contextlib import suppress
from itertools import count

from ignition.host import log


def replace(path: str, content: bytes) -> None:
    """Put `content` in the place of the file `path`, on the disk when this returns. After an OSError the old one is there."""
    temporary, descriptor = _create(path)
    try:
        with suppress(PermissionError):  # FAT has no modes
            os.fchmod(descriptor, os.stat(path).st_mode & 0o7777 if os.path.exists(path) else 0o644)
        _write(descriptor, content)
        os.fsync(descriptor)
        os.rename(temporary, path)
        os.fsync(descriptor)  # without dirsync the entry waits here for its inode
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    finally:
        os.close(descriptor)
    _sync_directory(os.path.dirname(path))


def _create(path: str) -> tuple[str, int]:
    for number in count():
        temporary = f"{path}.new{number or ''}"
        try:
            return temporary, os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            log.warning(
                f"{os.path.basename(temporary)} is left from an interrupted change: fsck.vfat finds out whether it can go"
            )
    raise AssertionError("count() has no end")


def _write(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sync_directory(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
