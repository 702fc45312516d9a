"""VirtualBox: a guest property, or the partition of Container Linux' Vagrant images.

Source: docs/reference/platforms.md §2.5, §3.5, §3.10.
"""

from __future__ import annotations

import os

from ignition.errors import Failure
from ignition.host.command import run
from ignition.platforms import Platform
from ignition.platforms.parts.config_source import ConfigSource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.engine import Fetcher

PROPERTY = "/Ignition/Config"
ENCODING = f"{PROPERTY}/Encoding"
PARTITION = "/dev/disk/by-partuuid/99570a8a-f826-4eb0-ba4e-9dd72d55ea13"
_MOST = 16 << 20  # bytes


def fetch(_: Fetcher, *, partition: str = PARTITION) -> bytes:
    """The property's value, else the partition's content. Raises Failure for an encoding, and without the device."""
    return _property() or partition_content(partition)


def _property() -> bytes:
    from ignition.platforms.parts.vbox_guest import DEVICE, Properties

    if not os.path.exists(DEVICE):
        run(["modprobe", "vboxguest"], why="load VirtualBox' guest driver")
        run(["udevadm", "settle"], why="wait for VirtualBox' guest device")
    with Properties() as properties:
        encoding = properties.get(ENCODING)
        if encoding:
            raise Failure(f"unknown encoding {encoding!r}", where=f"guest property {ENCODING}", fix="remove that property")
        return properties.get(PROPERTY).encode()


def partition_content(partition: str) -> bytes:
    """What a raw partition holds, without the NUL bytes behind it; `b""` if there is no such partition."""
    try:
        with open(partition, "rb") as file:
            return file.read(_MOST).rstrip(b"\0")
    except FileNotFoundError:
        return b""


def remove() -> None:
    """Delete the property. Raises Failure if the guest must not."""
    from ignition.platforms.parts.vbox_guest import Properties

    with Properties() as properties:
        for name in (ENCODING, PROPERTY):
            properties.delete(name)


PLATFORM = Platform(
    "VirtualBox",
    config=ConfigSource(f"guest property {PROPERTY}", fetch, needs_network=False, remove=remove),
)
