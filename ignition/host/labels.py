"""Block devices by the label or the type of their file system."""

from __future__ import annotations

import os

from ignition.errors import CommandFailed
from ignition.host import devices, log
from ignition.host.command import run, status_and_output

LINKS = "/dev/disk/by-label"  # udev's
_NOTHING_FOUND = 2  # blkid(8)


def find(label: str) -> str:
    """The device with that label; "" if there is none. Without udevd (early in the initramfs) blkid probes every device."""
    link = f"{LINKS}/{label}"
    if os.path.exists(link):
        return os.path.realpath(link)
    if os.path.exists(devices.UDEV_CONTROL):
        return ""
    try:
        # udevd, which normally loads drivers, is not running yet: disks of virtual machines, and optical drives.
        run(["modprobe", "-a", "virtio_blk", "sr_mod"], why="load the drivers of drives")
    except CommandFailed as error:
        log.debug(str(error))
    return next(iter(probed(f"LABEL={label}")), "")


def probed(token: str) -> list[str]:
    """The devices that blkid(8) finds by `LABEL=` or `TYPE=`, without its cache."""
    sizes = {devices.node_of(name): devices.length_of(name) for name in sorted(os.listdir(f"{devices.SYSFS}/class/block"))}
    nodes = [node for node, size in sizes.items() if size]
    if not nodes:
        return []
    # Each node by name: otherwise blkid reads /proc/partitions, which need not list optical drives.
    argv = ["blkid", "-c", "/dev/null", "-o", "device", "-t", token, *nodes]
    status, output = status_and_output(argv, why="looking for drives", ok=(0, _NOTHING_FOUND))
    return output.split() if status == 0 else []
