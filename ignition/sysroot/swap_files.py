"""Swap files (an extension, docs/extensions.md): allocated without holes, on a file system that supports them.

Source: swapon(8), "Files with holes", "Btrfs". storage_units.py writes the units.
"""

from __future__ import annotations

import fcntl
import os
import stat

from ignition.errors import Failure
from ignition.host import mounts
from ignition.host.command import run
from ignition.host.dentry import Dentry
from ignition.host.limits import MIB
from ignition.host.root import PARENTS
from ignition.operation import Context, Left, Operation
from ignition.sysroot.existing import attributes, has_attributes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.model.extensions import SwapFile

MODE = 0o600
FORMATS = ("ext4", "xfs", "btrfs")
NO_COW = ("btrfs",)  # a swap file there must not be copied on write
FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FS_NOCOW_FL = 0x80086601, 0x40086602, 0x00800000  # linux/fs.h
_MAGIC, _MAGIC_END = b"SWAPSPACE2", os.sysconf("SC_PAGE_SIZE")  # linux/swap.h: the last bytes of the first page
_ALLOCATED_UNIT = 512  # st_blocks, stat(2)


def plan(files: tuple[SwapFile, ...]) -> list[Operation]:
    """One operation per file."""
    return [PutSwapFile(file, f"$.storage.x-coreos.swapFiles.{index}") for index, file in enumerate(files)]


class PutSwapFile(Operation):
    """Creates a swap file, 0600 root. A correct one stays, one of another size is recreated; any other node is an error."""

    kind = "make-swap-file"

    def __init__(self, wanted: SwapFile, place: str) -> None:
        self.path, self.place, self._size = wanted.path, place, (wanted.size_mib or 0) * MIB

    def describe(self) -> str:
        return f"create swap file {self.path} of {self._size // MIB} MiB ({self.place})"

    def already_there(self, context: Context) -> bool:
        context.root.forget()  # accounts and nodes may have changed the way to it
        try:
            with context.root.at(self.path) as here:
                found = here.status()
                if found is None or not _is_swap(here, found) or found.st_size != self._size:
                    return False
                # The kernel does not swap to a file with holes, and swapon(8) fails for it.
                is_whole = found.st_blocks * _ALLOCATED_UNIT >= self._size
                uid, gid = context.root.creator
                is_ours = has_attributes(found, mode=MODE, uid=uid, gid=gid)
                return is_whole and is_ours and not _is_copied(here, found)
        except (FileNotFoundError, NotADirectoryError):
            return False  # its directory is missing

    def execute(self, context: Context) -> None:
        with context.root.at(self.path, parents=PARENTS) as here:
            found = here.status()
            if found is not None and not _is_swap(here, found):
                fix = "remove it from the image, or choose another path for the swap file"
                raise Failure(
                    f"{self.path} already exists and is not a swap file", where=f"{self.place}.path", fix=fix, lasting=True
                )
            format = format_of(here)
            if format not in FORMATS:
                fix = f"choose a path on {', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
                what = f"{self.path} would lie on {format}, which does not support swap files"
                raise Failure(what, where=f"{self.place}.path", fix=fix, lasting=True)
            if found is not None:
                here.unlink()  # its space may be needed
            uid, gid = context.root.creator
            with here.replacing(mode=MODE, uid=uid, gid=gid, sync=True) as file:
                descriptor = file.fileno()
                if format in NO_COW:  # the flag has an effect on empty files only
                    fcntl.ioctl(descriptor, FS_IOC_SETFLAGS, (_flags(descriptor) | FS_NOCOW_FL).to_bytes(8, "little"))
                os.posix_fallocate(descriptor, 0, self._size)
                run(["mkswap", f"/proc/{os.getpid()}/fd/{descriptor}"], why=f"making the swap file {self.path}")

    def leaves(self, context: Context) -> Iterator[Left]:
        members = {**attributes(MODE, *context.root.creator), "size": self._size}
        yield Left("file", self.path, members, place=self.place)


def format_of(here: Dentry) -> str:
    """The format of the file system that holds the directory of a name."""
    real = os.readlink(f"/proc/self/fd/{here.directory}")
    around = [one for one in mounts.current() if real == one.target or real.startswith(f"{one.target.rstrip('/')}/")]
    # The longest mount point; of two at one place the later one covers the earlier.
    return max(enumerate(around), key=lambda pair: (len(pair[1].target), pair[0]))[1].format


def _is_swap(here: Dentry, found: os.stat_result) -> bool:
    if not stat.S_ISREG(found.st_mode):
        return False
    with here.open_regular(found) as file:
        return os.pread(file.fileno(), len(_MAGIC), _MAGIC_END - len(_MAGIC)) == _MAGIC


def _is_copied(here: Dentry, found: os.stat_result) -> bool:
    """Whether the file is copied on write, to which the kernel cannot swap."""
    if format_of(here) not in NO_COW:
        return False
    with here.open_regular(found) as file:
        return not _flags(file.fileno()) & FS_NOCOW_FL


def _flags(descriptor: int) -> int:
    return int.from_bytes(fcntl.ioctl(descriptor, FS_IOC_GETFLAGS, bytes(8))[:4], "little")
