"""NVIDIA BlueField: a FIFO of the boot controller.

Source: docs/reference/platforms.md §3.5; linux/drivers/platform/mellanox/mlxbf-bootctl.c. In the originals a machine without a
config fails to boot; here it boots without one, as on every platform.
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
    """The data that the host pushed, without surrounding NUL bytes. Raises CommandFailed if the driver cannot be loaded."""
    run(["modprobe", "mlxbf_bootctl"], why="load the driver of BlueField's boot FIFO")
    try:
        with open(path, "rb") as file:
            return file.read().strip(b"\0")
    except FileNotFoundError:
        return b""


PLATFORM = Platform(
    "NVIDIA BlueField",
    closing="depends on the driver of the FIFO, which does not document whether it can be read twice",
    config=ConfigSource(f"the boot FIFO {FIFO}", fetch, needs_network=False),
)
