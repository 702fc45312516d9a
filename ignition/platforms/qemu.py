"""QEMU: the firmware config device, or a block device on machines without one. Source: docs/reference/platforms.md §3.5;
linux/drivers/firmware/qemu_fw_cfg.c.

Both names are read: opt/com.coreos/config (Container Linux, Fedora CoreOS), then opt/org.flatcar-linux/config.
"""

from __future__ import annotations

import os
import time

from ignition.errors import Failure
from ignition.host import command, log
from ignition.metadata.config_source import ConfigSource
from ignition.platforms import Platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ignition.fetch.engine import Fetcher

    class Run(Protocol):
        """The signature of `command.run`."""

        def __call__(self, argv: list[str], *, why: str) -> str: ...


SYSFS = "/sys/firmware/qemu_fw_cfg"
KEYS = ("opt/com.coreos/config", "opt/org.flatcar-linux/config")
_SLOW_S = 10.0
BLOCK = "/dev/disk/by-id/virtio-ignition"  # a drive with the serial `ignition`
BLOCK_MACHINES = ("s390x", "ppc64", "ppc64le")  # of uname(2): machines without firmware config
BLOCK_WAIT_S = 300.0


def fetch(_: Fetcher) -> bytes:
    """The config of this machine. Raises Failure if its device does not work."""
    return from_block_device() if os.uname().machine in BLOCK_MACHINES else from_firmware()


def from_block_device(*, device: str = BLOCK, run: Run = command.run) -> bytes:
    """The content of the drive, without trailing NUL bytes. Raises Failure if the drive does not appear."""
    from ignition.host import devices

    if not os.path.isdir("/sys/bus/virtio/drivers/virtio_blk"):
        run(["modprobe", "virtio_blk"], why="load the driver of virtio's block devices")
    devices.wait_for([device], timeout_s=BLOCK_WAIT_S)
    with open(device, "rb") as file:
        return file.read().rstrip(b"\0")


def from_firmware(*, sysfs: str = SYSFS, run: Run = command.run) -> bytes:
    """The content of the first non-empty key. Raises Failure if the driver cannot be loaded, or content and size disagree."""
    if not os.path.isdir(sysfs):
        run(["modprobe", "qemu_fw_cfg"], why="load the driver of QEMU's firmware config device")
    for key in KEYS:
        content = _read(f"{sysfs}/by_name/{key}")
        if content:
            return content
    return b""


def _read(entry: str) -> bytes:
    """The content of one entry; `b""` if it does not exist."""
    try:
        with open(f"{entry}/size", encoding="ascii") as file:
            size = int(file.read())
    except FileNotFoundError:
        return b""
    begin = time.monotonic()
    with open(f"{entry}/raw", "rb") as raw:
        content = raw.read()
    seconds = time.monotonic() - begin
    if seconds > _SLOW_S:
        log.warning(f"reading the config took {seconds:.0f} s: firmware config is slow, fetch large configs from a URL")
    if len(content) != size:
        raise Failure(f"read {len(content)} bytes, but the size file says {size}", where=entry)
    return content


PLATFORM = Platform(
    "QEMU",
    closing=(
        "only root can read the firmware config (`/sys/firmware/qemu_fw_cfg`, mode 0400); a drive: root and the group"
        " of its device"
    ),
    config=ConfigSource(
        f"firmware config {' or '.join(KEYS)}; on {', '.join(BLOCK_MACHINES)} {BLOCK}", fetch, needs_network=False
    ),
)
