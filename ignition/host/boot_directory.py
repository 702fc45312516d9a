"""The place of the first-boot flag, of its notes and of the boot loader's files.

It is the top of EFI-SYSTEM, unless the kernel command line names another one by `ignition.boot=DEVICE[:DIRECTORY]`: /boot of a
stock distribution, in ROOT or on a partition of its own. The directory is relative to the top of the file system.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from ignition.errors import Failure
from ignition.host import cmdline, paths, root_device
from ignition.host.command import run

OPTION = "ignition.boot"
# dirsync: see ignition.boot_loader.replace. btrfs would mount its default subvolume otherwise, which may be any.
_VFAT, _OTHERS, _BTRFS = ("umask=0077", "dirsync"), ("dirsync",), ("dirsync", "subvolid=5")


class BootDirectory:
    """`link`: the device below /dev; `inside`: the directory on it, "" for its top; `name`: the device in messages.

    `is_given`: the kernel command line names it.
    """

    def __init__(self, link: str, inside: str = "", *, name: str = "EFI-SYSTEM", is_given: bool = False) -> None:
        self.link, self.inside, self.name, self.is_given = link, inside, name, is_given

    def node(self, real: Callable[[str], str] = os.path.realpath, exists: Callable[[str], bool] = os.path.exists) -> str:
        """The device, links followed by `real`; "" if it does not exist."""
        return real(self.link) if exists(self.link) else ""

    def how_to_mount(self, node: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(formats, options) with which its device is mounted to write. Raises CommandFailed."""
        if not self.is_given:
            return ("vfat",), _VFAT
        found = run(["blkid", "-o", "value", "-s", "TYPE", "--", node], why=f"looking for the file system of {node}").strip()
        return (found,), {"vfat": _VFAT, "btrfs": _BTRFS}.get(found, _OTHERS)


def find(line: str | None = None) -> BootDirectory:
    """That of this machine, or of the one with this kernel command line. Raises Failure for a malformed option."""
    text = cmdline.last(cmdline.read() if line is None else line, OPTION)
    if not text:
        return BootDirectory(paths.ESP)
    device, colon, inside = text.rpartition(":")
    if not colon or not inside.startswith("/"):
        device, inside = text, ""
    named = root_device.named(device)
    if named is None or ".." in inside.split("/"):
        raise Failure(
            f"{OPTION}={text} does not name a device and a directory",
            where="kernel command line",
            fix=f"write {OPTION}=UUID=…:/DIRECTORY, as `ignition arm` does",
        )
    return BootDirectory(named.link, inside.rstrip("/"), name=device, is_given=True)
