"""A file system that lives in compressed memory. Source: Documentation/admin-guide/blockdev/zram.rst in the kernel.

zram and not tmpfs: tmpfs of Linux before 6.6 keeps no user extended attributes, and compression is room to spare.
"""

import os

from ignition.errors import Failure
from ignition.host import devices
from ignition.host.command import run

CONTROL = "/sys/class/zram-control"
MIB = 1 << 20


def memory(path: str = "/proc/meminfo") -> tuple[int, int]:
    """(all of the memory, what programs can have without swapping) in bytes: MemTotal and MemAvailable, proc(5)."""
    with open(path, encoding="ascii") as file:
        rows = dict(line.split(":", 1) for line in file if ":" in line)
    total, available = (int(rows[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    return total, available


class MemoryDisk:
    """An ext4 file system in memory, mounted at `directory` between `open` and `close`."""

    def __init__(self, directory: str) -> None:
        self.directory, self._number = directory, ""

    def open(self, size: int) -> None:
        """Make and mount it for contents of so many bytes. Raises Failure."""
        run(["modprobe", "zram", "num_devices=0"], why="loading zram, which holds ROOT in memory")
        try:
            with open(f"{CONTROL}/hot_add", encoding="ascii") as file:
                self._number = file.read().strip()
            self._set("disksize", str(size))
        except OSError as error:
            raise Failure(f"no disk in memory: {error.strerror}", fix="use a kernel with zram") from error
        node = f"/dev/zram{self._number}"
        devices.wait_for([node])
        # No journal: nothing of it survives a power cut. Many inodes: it holds a whole root.
        run(["mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-m", "0", "-i", "4096", node], why="making a file system in memory")
        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        run(["mount", "-t", "ext4", node, self.directory], why="mounting the file system in memory")

    def close(self) -> None:
        """Give the memory back. Raises Failure."""
        run(["umount", self.directory], why="unmounting the file system in memory")
        os.rmdir(self.directory)
        self._set("reset", "1")
        with open(f"{CONTROL}/hot_remove", "w", encoding="ascii") as file:
            file.write(self._number)

    def _set(self, name: str, value: str) -> None:
        with open(f"/sys/block/zram{self._number}/{name}", "w", encoding="ascii") as file:
            file.write(value)
