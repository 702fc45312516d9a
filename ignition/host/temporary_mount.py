"""File systems mounted on a new directory for the duration of a block; nothing stays mounted, whatever happens in the block."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from ignition.errors import CommandFailed, Failure
from ignition.host import mounts, paths
from ignition.host.command import run

# For reading: device nodes, programs and set-user-ID bits of a foreign file system have no effect.
_READING = "nodev,nosuid,noexec"
MOUNT_S = 120.0

_serial = count()


def mount(device: str, target: str, format: str, options: tuple[str, ...], *, timeout_s: float = MOUNT_S) -> None:
    """Run mount(8). Raises CommandFailed."""
    argv = ["mount", *(["-o", ",".join(options)] if options else []), "-t", format, device, target]
    run(argv, why=f"mounting {device} on {target}", timeout_s=timeout_s)


@contextmanager
def mounted(device: str, formats: tuple[str, ...], options: tuple[str, ...] = (), *, base: str = paths.RUN) -> Iterator[str]:
    """Mount a file system on a new directory below `base`, which is passed to the block, and unmount it after the block.

    The formats are tried in turn. Raises Failure if none matches, or if the file system stays busy.
    """
    with _directory(base) as directory:
        _mount_as_any(device, directory, formats, options)
        try:
            yield directory
        finally:
            run(["umount", directory], why=f"unmounting {device}")


@contextmanager
def mounted_to_read(node: str, *, timeout_s: float = MOUNT_S, base: str = paths.RUN) -> Iterator[str]:
    """Mount a file system of any format read-only on a new directory below `base`; `node` is a device, links resolved.

    A file that the block has opened stays readable after it: the file system is released when the last one is closed, or when the
    process ends. Raises CommandFailed.
    """
    with _directory(base) as directory:
        try:
            try:
                mount(node, directory, "auto", ("ro", _READING), timeout_s=timeout_s)
            except CommandFailed:
                if os.path.ismount(directory):  # mount(8) was killed because it timed out, after it had mounted
                    raise
                status = os.stat(node)
                number = (os.major(status.st_rdev), os.minor(status.st_rdev)) if stat.S_ISBLK(status.st_mode) else None
                # btrfs has device numbers of its own: there only the source matches.
                if not any(one.device == number or os.path.realpath(one.source) == node for one in mounts.current()):
                    raise
                # The kernel refuses a read-only mount beside a writable one of the same device: make only the second mount, not
                # its file system, read-only.
                mount(node, directory, "auto", (_READING,), timeout_s=timeout_s)
                run(["mount", "-o", f"remount,bind,ro,{_READING}", directory], why=f"making the mount of {node} read-only")
            yield directory
        finally:
            if os.path.ismount(directory):
                run(["umount", "--lazy", directory], why=f"unmounting {node}")


@contextmanager
def _directory(base: str) -> Iterator[str]:
    os.makedirs(base, exist_ok=True)
    directory = os.path.join(base, f"mount-{os.getpid()}-{next(_serial)}")
    os.mkdir(directory, 0o700)
    try:
        yield directory
    finally:
        os.rmdir(directory)


def _mount_as_any(device: str, directory: str, formats: tuple[str, ...], options: tuple[str, ...]) -> None:
    failures = []
    for format in formats:
        try:
            return mount(device, directory, format, options)
        except CommandFailed as error:
            failures.append(error)
    if len(formats) == 1:
        raise failures[0]
    # The first format is the expected one: its error is the most useful.
    why = failures[0].stderr.strip().partition("\n")[0]
    what = f"{device} cannot be mounted as any of {', '.join(formats)}; as {formats[0]}: {why}"
    raise Failure(what, fix="format it, or name another device") from failures[0]
