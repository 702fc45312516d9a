"""QEMU: the firmware config device. Source: platforms reference 3.5; linux/drivers/firmware/qemu_fw_cfg.c.

Both names are read: opt/com.coreos/config (Container Linux, Fedora CoreOS), then opt/org.flatcar-linux/config. Not here: the
block device that s390x and ppc64le use instead.
"""

from __future__ import annotations

import os
import time

from ignition.errors import Failure
from ignition.host import command, log
from ignition.platforms import Platform
from ignition.platforms.parts.config_source import ConfigSource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ignition.fetch.engine import Fetcher

    class Run(Protocol):
        """As `command.run`."""

        def __call__(self, argv: list[str], *, why: str) -> str: ...


SYSFS = "/sys/firmware/qemu_fw_cfg"
KEYS = ("opt/com.coreos/config", "opt/org.flatcar-linux/config")
_SLOW_S = 10.0


def fetch(_: Fetcher, *, sysfs: str = SYSFS, run: Run = command.run) -> bytes:
    """The first of the keys that has content. Raises Failure when the driver cannot be loaded or gives other than the size."""
    if not os.path.isdir(sysfs):
        run(["modprobe", "qemu_fw_cfg"], why="load the driver of QEMU's firmware config device")
    for key in KEYS:
        content = _read(f"{sysfs}/by_name/{key}")
        if content:
            return content
    return b""


def _read(entry: str) -> bytes:
    """One entry; `b""` if it does not exist."""
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
        raise Failure(f"the device gave {len(content)} bytes, its size file says {size}", where=entry)
    return content


PLATFORM = Platform("QEMU", config=ConfigSource(f"firmware config {' or '.join(KEYS)}", fetch, needs_network=False))
