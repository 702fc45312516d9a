"""openat2(2): a directory below another one, opened by the kernel in one call that cannot leave the upper one. Linux 5.6.

Neither Python nor glibc has a binding. Source: linux/openat2.h, asm-generic/unistd.h.
"""

from __future__ import annotations

import os
import struct
from errno import EAGAIN, ENOSYS
from functools import lru_cache
from itertools import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

RESOLVE_NO_MAGICLINKS, RESOLVE_BENEATH, RESOLVE_IN_ROOT = 0x02, 0x08, 0x10
_NR_OPENAT2 = 437  # on every architecture but alpha
_TRIES = 8  # EAGAIN: a rename raced with a `..` in the path, openat2(2)
FEW = 100  # directories: walking to them by hand takes as long as loading ctypes does
_FLAGS = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
# struct open_how: flags, mode, resolve.
_IN_ROOT, _BENEATH = (struct.pack("=3Q", _FLAGS, 0, RESOLVE_NO_MAGICLINKS | one) for one in (RESOLVE_IN_ROOT, RESOLVE_BENEATH))
_asked = count()


def is_worth_it() -> bool:
    """Whether this process opens so many directories that ctypes pays off: not at the first few calls."""
    return next(_asked) >= FEW


def directory(top: str, inside: str, *, beneath: bool = False) -> int:
    """An O_PATH descriptor of the directory `inside` (absolute as `top` sees it), symlinks followed as if `top` were `/`.

    `beneath`: absolute symlinks and those that climb above `top` are errors (EXDEV) instead. Raises OSError; ENOSYS where the
    kernel or a filter of system calls does not have it, ValueError for a NUL in the path.
    """
    call = _syscall()
    name = os.fsencode(inside.lstrip("/") or ".")
    if b"\0" in name:
        raise ValueError("embedded null byte")  # as os.open; C would use the part before it
    how = _BENEATH if beneath else _IN_ROOT
    anchor = os.open(top, _FLAGS)
    try:
        descriptor = call(_NR_OPENAT2, anchor, name, how, len(how))
        return descriptor if descriptor >= 0 else _again(anchor, name, how, inside)
    finally:
        os.close(anchor)


@lru_cache(1)
def _syscall() -> Callable[..., int]:
    import ctypes  # 3 ms

    function: Callable[..., int] = ctypes.CDLL(None, use_errno=True).syscall
    return function


def _again(anchor: int, name: bytes, how: bytes, inside: str) -> int:
    """After a failure: the call again while the kernel asks for that (EAGAIN), then the error. Raises OSError."""
    from ctypes import get_errno

    for _ in range(_TRIES):
        if get_errno() != EAGAIN:
            break
        descriptor = _syscall()(_NR_OPENAT2, anchor, name, how, len(how))
        if descriptor >= 0:
            return descriptor
    number = get_errno() or ENOSYS
    raise OSError(number, os.strerror(number), inside)
