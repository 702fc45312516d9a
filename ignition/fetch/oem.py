"""The `oem` scheme of 2.x: a file that the image's vendor put into a directory or on the partition OEM.

Source: docs/reference/ignition-config.md §2.2, §4.8, §5.8. The first place that has the file: the look-aside directory of this
system (PXE images have it in their initramfs), the same directory of the new root once that is mounted, the OEM partition. The
partition is mounted read-only, and only while the file is opened. A host in the URL is ignored, as in Ignition.

Unlike Ignition: every file system that the kernel supports, not only ext4 and btrfs; and the wait for the partition has a limit.
"""

from __future__ import annotations

import os
from collections.abc import Generator

from ignition.errors import Failure, NotFound
from ignition.fetch.urls import shown
from ignition.host import devices, log, paths
from ignition.host.reading import open_inside, open_on_device
from ignition.host.root import Root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

_CHUNK = 256 * 1024
_HEX = frozenset("0123456789abcdefABCDEF")


def stream(url: str, root: str, *, timeout_s: float = devices.WAIT_S) -> Generator[bytes, None, None]:
    """The content of the file. `root` is the path of the new root, mounted or not; `timeout_s` limits the wait for the partition.

    Raises NotFound if no place has the file, Failure for a malformed path or an unreadable file.
    """
    with _opened(file_path(url), root, shown(url), timeout_s) as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def file_path(url: str) -> str:
    """The absolute path that a URL names, without escapes and `..`. Raises Failure if it is not absolute."""
    rest = url.partition(":")[2].partition("#")[0].partition("?")[0]
    if rest.startswith("//"):
        _, slash, rest = rest[2:].partition("/")
        rest = slash + rest
    if not rest.startswith("/"):
        raise Failure("the path of an oem URL must be absolute", where=shown(url), fix="write oem:///path")
    return os.path.normpath(f"/{_unescaped(rest, url).lstrip('/')}")


def _unescaped(text: str, url: str) -> str:
    first, *parts = text.split("%")
    if any(len(part) < 2 or not _HEX.issuperset(part[:2]) for part in parts):
        raise Failure("a % is not followed by two hex digits", where=shown(url), fix="write %25 for a % in a path")
    return os.fsdecode(first.encode() + b"".join(bytes.fromhex(part[:2]) + part[2:].encode() for part in parts))


def _opened(inside: str, root: str, where: str, timeout_s: float) -> BinaryIO:
    aside = paths.oem_lookaside()
    for place in dict.fromkeys(("/", root)):
        try:
            file = open_inside(Root(place), f"{aside}{inside}", where=where)
        except NotFound:
            continue
        log.info(f"{where} read from {Root(place).outside(aside)}")
        return file
    device = paths.oem_device()
    try:
        file = open_on_device(device, inside, where=where, timeout_s=timeout_s)
    except NotFound as missing:
        raise NotFound(
            f"there is no file {inside}, neither in {aside} nor on {device}",
            where=where,
            fix="correct the path, or put the file there",
        ) from missing
    log.info(f"{where} read from {device}")
    return file
