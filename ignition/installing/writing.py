"""Bytes of an image on a disk: in order, in large blocks, with runs of zeros as holes.

Sources: fallocate(2); block/fops.c of the kernel (blkdev_fallocate): FALLOC_FL_PUNCH_HOLE of a block device is
`blkdev_issue_zeroout` without a fallback. So either the device has zeroed the range by itself and reads as zeros there, or it
says that it cannot (EOPNOTSUPP), and zeros are written. A mere discard would promise nothing about later reads.
"""

from __future__ import annotations

import ctypes
import errno
import os
from contextlib import suppress

BLOCK = 1 << 20
_ZEROS = bytes(BLOCK)
_KEEP_SIZE, _PUNCH_HOLE = 1, 2  # linux/falloc.h
_WRITE = 2  # SYNC_FILE_RANGE_WRITE, linux/fs.h
_BEGUN = 32 << 20  # bytes after which the disk is to begin


class Writer:
    """Writes to an open disk or file from `position` on, and nothing at or behind `end`. All in bytes."""

    def __init__(self, descriptor: int, position: int, end: int) -> None:
        self._descriptor, self.position, self._end = descriptor, position, end
        self._pending = bytearray()
        self._started = position  # up to here the disk is at work already
        self._hole = 0  # bytes of the run of zeros before `position`
        self._can_punch = True
        self.skipped = 0  # bytes that were not transferred

    def write(self, data: bytes) -> None:
        """The next bytes. Raises OSError."""
        begin = 0
        if self._pending:
            begin = min(BLOCK - len(self._pending), len(data))
            self._pending += memoryview(data)[:begin]
            if len(self._pending) < BLOCK:
                return
            self._put(self._pending)
            self._pending = bytearray()
        whole = begin + (len(data) - begin) // BLOCK * BLOCK
        for offset in range(begin, whole, BLOCK):
            self._put(data, offset)
        self._pending += memoryview(data)[whole:]

    @property
    def reached(self) -> int:
        """Where the next byte goes."""
        return self.position + len(self._pending)

    def put_all(self, data: bytes) -> None:
        """Write these last bytes, and wait until all is on the disk. Raises OSError."""
        self.write(data)
        self.finish()

    def finish(self) -> None:
        """Write all that is left, and wait until it is on the disk. Raises OSError."""
        self._put(self._pending)
        self._pending = bytearray()
        self._end_hole()
        os.fsync(self._descriptor)

    def _put(self, data: bytes | bytearray, offset: int = 0) -> None:
        """The block of `data` at this offset, or what there is of it."""
        length = min(BLOCK, len(data) - offset)
        size = max(0, min(length, self._end - self.position))
        # startswith() of bytes is one memcmp(3) without a copy; a comparison of memoryviews looks at each byte.
        if size == BLOCK and data.startswith(_ZEROS, offset):
            self._hole += size
        elif size:
            self._end_hole()
            _write_at(self._descriptor, memoryview(data)[offset : offset + size], self.position)
        self.position += length
        if self.position - self._started >= _BEGUN:
            _start_writing(self._descriptor, self._started, self.position - self._started)
            self._started = self.position

    def _end_hole(self) -> None:
        length, self._hole = self._hole, 0
        if not length:
            return
        begin = min(self.position, self._end) - length
        if self._can_punch and (error := punch(self._descriptor, begin, length)):
            if error not in (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL):
                raise OSError(error, os.strerror(error))
            self._can_punch = False
        if self._can_punch:
            self.skipped += length
            return
        for offset in range(begin, begin + length, BLOCK):
            _write_at(self._descriptor, _ZEROS, offset)


def punch(descriptor: int, offset: int, length: int) -> int:
    """Make a range of a disk or file read as zeros without writing them. Returns an errno; 0 if it was done."""
    libc = ctypes.CDLL(None, use_errno=True)
    fallocate = getattr(libc, "fallocate64", None) or libc.fallocate  # the first one also where off_t has 32 bits
    done = fallocate(descriptor, _PUNCH_HOLE | _KEEP_SIZE, ctypes.c_int64(offset), ctypes.c_int64(length))
    return ctypes.get_errno() if done else 0


def _start_writing(descriptor: int, offset: int, length: int) -> None:
    """Let the disk begin with the bytes so far: otherwise it idles until the end, and fsync(2) waits for all of it.

    sync_file_range(2) only starts it, and promises nothing; a failure is of no consequence.
    """
    with suppress(AttributeError):  # a C library without it
        ctypes.CDLL(None).sync_file_range(descriptor, ctypes.c_int64(offset), ctypes.c_int64(length), _WRITE)


def zero(descriptor: int, offset: int, length: int) -> None:
    """Write zeros. Raises OSError."""
    for begin in range(offset, offset + length, BLOCK):
        _write_at(descriptor, _ZEROS[: min(BLOCK, offset + length - begin)], begin)


def _write_at(descriptor: int, data: bytes | memoryview, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
