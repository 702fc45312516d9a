"""Putting a file system's data on its disk."""

import os


def file_system(path: str) -> None:
    """syncfs(2) of the file system that holds `path`. Raises OSError.

    os.sync() would wait for every disk of the machine; Python has no syncfs, and ctypes costs less than starting sync(1).
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
