"""A user config in a file on a labelled device, named on the kernel command line: ignition.config.device= and .path=.

Source: docs/reference/ignition-config.md §4.5 (Ignition 2.27). The file system is mounted read-only, and only while the file is
opened. The label is that of udev's link, which encodes a blank as \\x20.
"""

from __future__ import annotations

from ignition.errors import Failure
from ignition.host import limits, log
from ignition.host.reading import open_on_device

DEVICES = "/dev/disk/by-label"
LIMIT_S = 30.0  # for waiting and mounting together
_WHERE = "kernel command line"


def read(label: str, path: str, *, devices: str = DEVICES, timeout_s: float = LIMIT_S) -> tuple[str, bytes]:
    """Name and content of the config. Raises Failure if an option, the device or the file is missing or wrong."""
    if not label or not path:
        given, missing = ("device", "path") if label else ("path", "device")
        raise Failure(
            f"ignition.config.{given}= is given without ignition.config.{missing}=", where=_WHERE, fix="set both or neither"
        )
    if "/" in label or label in (".", ".."):
        raise Failure(
            f"ignition.config.device={label} is not the label of a file system: it must be one component of a path",
            where=_WHERE,
            fix=f"write the name of a link in {DEVICES}",
        )
    place = f"{path} on the device labelled {label}"
    log.info(f"config of the kernel command line: {place}")
    with open_on_device(f"{devices}/{label}", path, where=f"{_WHERE}: {place}", timeout_s=timeout_s) as file:
        content = file.read(limits.IN_MEMORY + 1)
    if len(content) > limits.IN_MEMORY:
        raise Failure(f"more than {limits.IN_MEMORY >> 20} MiB where a config is expected", where=f"{_WHERE}: {place}")
    return place, content
