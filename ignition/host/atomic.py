"""Files that appear complete: temporary name beside the target, content, mode and owner, then rename."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedWriter
from itertools import count

_serial = count()


@contextmanager
def replacing(path: str, *, mode: int, uid: int = -1, gid: int = -1, sync: bool = False) -> Iterator[BufferedWriter]:
    """Open a file for writing that takes the place of `path` when the block ends well, and vanishes when it does not.

    `mode` is set exactly, whatever the umask; ids of -1 leave the owner alone. `sync` puts it on disk before the rename.
    The descriptor can be read, too (os.pread), to compare what was written.
    """
    temporary = os.path.join(os.path.dirname(path), f".ignition-{os.getpid()}-{next(_serial)}")
    descriptor = _create(temporary)
    try:
        with open(descriptor, "wb") as file:
            yield file
            if uid != -1 or gid != -1:
                os.fchown(file.fileno(), uid, gid)
            os.fchmod(file.fileno(), mode)  # after the owner: chown clears the set-id bits
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.rename(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _create(temporary: str) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(temporary, flags, 0o600)
    except FileExistsError:
        # Of a process with our number in a boot that was cut short: numbers repeat early in a boot.
        os.unlink(temporary)
        return os.open(temporary, flags, 0o600)


def write(path: str, content: bytes, *, mode: int, uid: int = -1, gid: int = -1, sync: bool = False) -> None:
    """Replace `path` by `content` in one step."""
    with replacing(path, mode=mode, uid=uid, gid=gid, sync=sync) as file:
        file.write(content)
