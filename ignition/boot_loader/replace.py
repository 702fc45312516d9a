"""A file that takes the place of another one so that a power cut leaves the old or the new one, also on FAT (no journal).

What Linux' vfat does for a rename over a file (fs/fat/namei_vfat.c, vfat_rename): it writes the new file's first cluster and
size into the old one's directory entry, which is in one sector; then it removes the entry of the other name; the old clusters
are freed last. On a file system mounted with `dirsync` they reach the disk in this order. There is no moment without the name
or with half a file.

A power cut between the first two leaves two names for the same clusters. Whoever then removes the other name, or writes to
it, frees what the file consists of: so a name that is left from an earlier time is never touched, and another one is taken.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from itertools import count

from ignition.host import log
from ignition.host.dentry import Dentry


def replace(here: Dentry, content: bytes) -> None:
    """Put `content` in the place of a file, on the disk when this returns. After an OSError the old one is there."""
    temporary, descriptor = _create(here)
    found = here.status()
    try:
        with suppress(PermissionError):  # FAT has no modes
            os.fchmod(descriptor, 0o644 if found is None else stat.S_IMODE(found.st_mode))
        _write(descriptor, content)
        os.fsync(descriptor)
        os.rename(temporary, here.name, src_dir_fd=here.directory, dst_dir_fd=here.directory)
        os.fsync(descriptor)  # without dirsync the entry waits here for its inode
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=here.directory)
        raise
    finally:
        os.close(descriptor)
    _sync_directory(here.directory)


def _create(here: Dentry) -> tuple[str, int]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    for number in count():
        temporary = f"{here.name}.new{number or ''}"
        try:
            return temporary, os.open(temporary, flags, 0o600, dir_fd=here.directory)
        except FileExistsError:
            log.warning(f"{temporary} is left from an interrupted change: fsck.vfat finds out whether it can go")
    raise AssertionError("count() has no end")


def _write(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sync_directory(directory: int) -> None:
    descriptor = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=directory)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
