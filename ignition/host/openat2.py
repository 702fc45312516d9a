"""openat2(2): a directory below another one, opened by the kernel in one call that cannot leave the upper one. Linux 5.6.

Neither Python nor glibc has a binding. Source: linux/openat2.h, asm-generic/unistd.h.
"""

from __future__ import annotations

import os
import struct
from errno import EAGAIN, ENOSYS
from itertools import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ctypes import CDLL

RESOLVE_NO_MAGICLINKS, RESOLVE_BENEATH, RESOLVE_IN_ROOT = 0x02, 0x08, 0x10
_NR_OPENAT2 = 437  # on every architecture but alpha
_TRIES = 8  # EAGAIN: a rename raced with a `..` in the path, openat2(2)
FEW = 50  # directories: by hand, they are opened sooner than ctypes is loaded
_asked = count()
_libc: CDLL | None = None


def is_worth_it() -> bool:
    """Whether this process opens so many directories that ctypes pays off: not at the first few calls."""
    return next(_asked) >= FEW


def directory(top: str, inside: str, *, beneath: bool = False) -> int:
    """An O_PATH descriptor of the directory `inside` (absolute as `top` sees it), symlinks followed as if `top` were `/`.

    `beneath`: absolute symlinks and those that climb above `top` are errors (EXDEV) instead. Raises OSError; ENOSYS where the
    kernel or a filter of system calls does not have it, ValueError for a NUL in the path.
    """
    import ctypes  # 3 ms

    global _libc
    if _libc is None:
        _libc = ctypes.CDLL(None, use_errno=True)
    anchor = os.open(top, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        resolve = RESOLVE_NO_MAGICLINKS | (RESOLVE_BENEATH if beneath else RESOLVE_IN_ROOT)
        how = struct.pack("=3Q", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, 0, resolve)  # struct open_how
        name = os.fsencode(inside.lstrip("/") or ".")
        if b"\0" in name:
            raise ValueError("embedded null byte")  # as os.open; C would use the part before it
        for _ in range(_TRIES):
            descriptor = int(_libc.syscall(_NR_OPENAT2, anchor, name, how, len(how)))
            if descriptor >= 0:
                return descriptor
            number = ctypes.get_errno()
            if number != EAGAIN:
                break
        raise OSError(number or ENOSYS, os.strerror(number or ENOSYS), inside)
    finally:
        os.close(anchor)
