"""NVIDIA BlueField: a FIFO of the boot controller.

Source: docs/reference/platforms.md §3.5; linux/drivers/platform/mellanox/mlxbf-bootctl.c. In the originals a machine without a
config fails (reference 11.2); here it has none, as everywhere.
"""

from __future__ import annotations

from ignition.host.command import run
from ignition.metadata.config_source import ConfigSource
from ignition.platforms import Platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.engine import Fetcher

FIFO = "/sys/bus/platform/devices/MLNXBF04:00/bootfifo"


def fetch(_: Fetcher, *, path: str = FIFO) -> bytes:
    """What the host pushed, without the NUL bytes around it. Raises CommandFailed if the driver cannot be loaded."""
    run(["modprobe", "mlxbf_bootctl"], why="load the driver of BlueField's boot FIFO")
    try:
        with open(path, "rb") as file:
            return file.read().strip(b"\0")
    except FileNotFoundError:
        return b""


PLATFORM = Platform("NVIDIA BlueField", config=ConfigSource(f"the boot FIFO {FIFO}", fetch, needs_network=False))
