"""Our own files in directories of ours (/run/ignition …): they appear complete. Below a root it is `Root.write`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedWriter

from ignition.host.dentry import Dentry


@contextmanager
def replacing(path: str, *, mode: int, uid: int = -1, gid: int = -1, sync: bool = False) -> Iterator[BufferedWriter]:
    """Open a file for writing that takes the place of `path` when the block ends well, as `Dentry.replacing`."""
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
