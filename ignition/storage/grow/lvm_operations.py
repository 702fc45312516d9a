"""The steps of growth through LVM. What a volume group had free before is noted first: only what it wins is given out."""

from ignition.host.command import run
from ignition.operation import Context
from ignition.storage.grow import lvm
from ignition.storage.grow.facts import Logical
from ignition.storage.grow.operations import GROW_TIMEOUT_S, Growth


class NoteFree(Growth):
    """Write into a volume's tags how many extents are free before: what is free was left so by somebody, and stays so."""

    kind, lengthens = "grow-lvm-note", False

    def __init__(self, volume: Logical) -> None:
        self.path, self._volume = volume.name, volume

    def describe(self) -> str:
        return f"note the {self._volume.free} free extents of the volume group of {self.path}"

    def execute(self, context: Context) -> None:
        tag = f"{lvm.TAG}{self._volume.free}"
        run(["lvm", "lvchange", "--addtag", tag, "--", self.path], why=f"noting the free extents of {self.path}")


class GrowPhysical(Growth):
    """Let LVM use all of a device."""

    kind = "grow-lvm-physical"

    def __init__(self, node: str) -> None:
        self.path = node

    def describe(self) -> str:
        return f"grow the LVM physical volume {self.path}"

    def execute(self, context: Context) -> None:
        run(["lvm", "pvresize", "--", self.path], why=f"growing {self.path}", timeout_s=GROW_TIMEOUT_S)


class GrowLogical(Growth):
    """Give a logical volume the extents that its volume group has won."""

    kind = "grow-lvm-logical"

    def __init__(self, volume: Logical, noted: int) -> None:
        self.path, self._volume, self._noted = volume.name, volume, noted

    def describe(self) -> str:
        return f"grow the logical volume {self.path} by what its volume group has won"

    def execute(self, context: Context) -> None:
        won = lvm.free(self.path) - self._noted
        if won > 0:
            run(["lvm", "lvextend", "-l", f"+{won}", "--", self.path], why=f"growing {self.path}", timeout_s=GROW_TIMEOUT_S)
        run(["lvm", "lvchange", "--deltag", f"{lvm.TAG}{self._noted}", "--", self.path], why=f"growing {self.path}")
