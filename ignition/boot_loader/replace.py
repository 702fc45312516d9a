"""Atomic replacement of a file: a power cut leaves the old or the new one, even on FAT, which has no journal.

Linux' vfat renames over a file (fs/fat/namei_vfat.c, vfat_rename) in this order: it writes the new file's first cluster and size
into the directory entry of the old one, which lies in one sector; it removes the entry of the other name; it frees the old
clusters. On a file system mounted with `dirsync` the steps reach the disk in this order. The name always exists, and never
names half a file.

A power cut between the first two steps leaves two names for the same clusters. Removing the other name, or writing to it, would
then free the clusters of the file: so a leftover name is never touched, and another one is used.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from itertools import count

from ignition.host import log
from ignition.host.dentry import Dentry


def replace(here: Dentry, content: bytes) -> None:
    """Replace a file with `content`, which is on the disk when this returns. After an OSError the old file is intact."""
    temporary, descriptor = _create(here)
    found = here.status()
    try:
        with suppress(PermissionError):  # FAT has no modes
            os.fchmod(descriptor, 0o644 if found is None else stat.S_IMODE(found.st_mode))
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
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
            log.warning(f"{temporary} is left over from an interrupted change: fsck.vfat tells whether it can be removed")
    raise AssertionError("count() has no end")


def _sync_directory(directory: int) -> None:
    descriptor = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=directory)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
