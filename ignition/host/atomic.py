"""Files of our own in our own directories (/run/ignition …): they appear complete, and their data reaches the disk when it must.

Not for files below a root: `Root.write`. The digest of a config, by which logs and marks identify it, is here as well.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from io import BufferedWriter

from ignition.host.dentry import Dentry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from hashlib import _Hash as Hash


@contextmanager
def replacing(path: str, *, mode: int, uid: int = -1, gid: int = -1, sync: bool = False) -> Iterator[BufferedWriter]:
    """Open a file for writing that replaces `path` when the block ends without an exception, as `Dentry.replacing`."""
    directory, name = os.path.split(path)
    descriptor = os.open(directory or ".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with Dentry(descriptor, name, path).replacing(mode=mode, uid=uid, gid=gid, sync=sync) as file:
            yield file
    finally:
        os.close(descriptor)


def write(path: str, content: bytes, *, mode: int, uid: int = -1, gid: int = -1, sync: bool = False) -> None:
    """Replace `path` by `content` in one step."""
    with replacing(path, mode=mode, uid=uid, gid=gid, sync=sync) as file:
        file.write(content)


def sha512(content: bytes) -> str:
    """Hexadecimal digest of a config, or of a file that a stage writes."""
    return hashing(content).hexdigest()


@lru_cache(1)
def _constructor() -> Callable[[bytes], Hash]:
    """hashlib loads OpenSSL, which costs 4 ms of every first boot; CPython's own implementation is built into the interpreter."""
    try:
        if sys.version_info >= (3, 12):
            from _sha2 import sha512 as function
        else:
            from _sha512 import sha512 as function  # type: ignore[import-not-found,unused-ignore]  # no stubs
    except ImportError:
        from hashlib import sha512 as function
    constructor: Callable[[bytes], Hash] = function
    return constructor


def hashing(content: bytes = b"") -> Hash:
    """A SHA-512 that begins with `content`."""
    return _constructor()(content)


def sync_file_system(path: str) -> None:
    """syncfs(2) of the file system that holds `path`. Raises OSError.

    os.sync() would wait for every disk of the machine; Python lacks syncfs, and ctypes is cheaper than starting sync(1).
    """
    import ctypes

    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), path)
    finally:
        os.close(descriptor)
