"""Adding, deleting and resizing single partitions in the kernel. Source: linux/blkpg.h.

Not through libparted's commitToOS(): it opens the disk and each partition for writing and closes them again (seen with inotify
on 3.5), and each such close makes udevd reread the table, which removes all partition nodes for a moment. It also reads the table
from the disk, so it cannot announce a new length before the table is written, which a mounted disk needs.
"""

from __future__ import annotations

import errno
import fcntl
import struct
import time
from array import array
from collections.abc import Mapping

from ignition.errors import Failure
from ignition.host import devices

BLKPG = 0x1269
ADD, DELETE, RESIZE = 1, 2, 3
PARTITION = struct.Struct("@qqi64s64sxxxx")  # struct blkpg_partition: start, length, number, two unused names, padding
ARGUMENT = struct.Struct("@iiiP")  # struct blkpg_ioctl_arg: action, flags, size and address of the partition
BUSY_TRIES, BUSY_PAUSE_S = 40, 0.05  # udevd opens new partitions for a moment


def _call(descriptor: int, action: int, number: int, start: int, length: int) -> None:
    # The ioctl's argument has a pointer: an array keeps its bytes at a fixed address.
    partition = array("b", PARTITION.pack(start, length, number, b"", b""))
    address, size = partition.buffer_info()
    for attempt in range(BUSY_TRIES):
        try:
            fcntl.ioctl(descriptor, BLKPG, ARGUMENT.pack(action, 0, size, address))
            return
        except OSError as error:
            if error.errno == errno.ENXIO and action == DELETE:
                return  # already gone
            if error.errno != errno.EBUSY or attempt == BUSY_TRIES - 1:
                raise
        time.sleep(BUSY_PAUSE_S)


def resize(descriptor: int, disk: str, number: int, start: int, length: int) -> None:
    """Set the length in bytes of a partition of an open disk; it may be mounted. Raises Failure."""
    with _saying(f"the kernel refused the new length of partition {number} of {disk}"):
        _call(descriptor, RESIZE, number, start, length)


def synchronise(descriptor: int, disk: str, wanted: Mapping[int, tuple[int, int]]) -> None:
    """Set the kernel's partitions of an open disk (kernel name `disk`) to `wanted`: number → (start, length) in bytes.

    Partitions that are already correct are left alone, so they may be in use. Raises Failure naming a busy partition.
    """
    present = {number: (start, length) for number, (_, start, length) in devices.partitions(disk).items()}
    for number, place in present.items():
        if place != wanted.get(number):
            with _saying(f"the kernel did not release partition {number} of {disk}"):
                _call(descriptor, DELETE, number, 0, 0)
    for number, (start, length) in sorted(wanted.items()):
        if (start, length) != present.get(number):
            with _saying(f"the kernel refused partition {number} of {disk}"):
                _call(descriptor, ADD, number, start, length)


class _saying:
    """Turn an OSError into a Failure that begins with `what`."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, OSError):
            raise Failure(f"{self._what}: {error.strerror}", fix="stop the program that uses it, or reboot") from error
