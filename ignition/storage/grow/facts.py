"""Facts about a mounted file system and the layers below it. Data only; all lengths are in bytes."""

from __future__ import annotations

from collections.abc import Iterator

from ignition.host.limits import MIB

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.host.mounts import Mount
    from ignition.storage import gpt
    from ignition.storage.grow.keys import Way

ROOT_TYPE = "3884dd41-8582-4404-b9a8-e9b84f2df50e"  # coreos-resize
# Partitions below ROOT grow by these types, too (docs/reference/boot.md §7.1; Discoverable Partitions Specification for the
# other two).
MEMBER_TYPES = {
    "be9067b9-ea49-4f15-b4f6-f36f8c9e1818": "coreos-root-raid",
    "e6d6d379-f507-44c2-a23c-238f2a3df928": "Linux LVM",
    "ca7d7ccb-63ed-4c53-861c-1742536059cc": "Linux LUKS",
}
FORMATS = ("ext4", "xfs", "btrfs")
OPTION, OF_ROOT = "ignition.grow", "root"  # on the kernel command line: ROOT grows whatever the type of its partition
MIN_GAIN = 2 * MIB  # a table is not written for less
ALIGNMENT = 4096  # of an encrypted volume with sectors of 4 KiB, even on a disk with sectors of 512 bytes


class Layer:
    """A block device of the kernel, and its components. `shared`: other devices with this one as a component."""

    def __init__(self, node: str, length: int) -> None:
        self.node, self.length = node, length
        self.below: tuple[Layer, ...] = ()
        self.shared: tuple[str, ...] = ()

    def partitions(self) -> Iterator[Partition]:
        """The partitions at the bottom."""
        for layer in self.below:
            yield from layer.partitions()


class Disk(Layer):
    """A whole disk without partitions."""


class Partition(Layer):
    """`table` is None if the disk has no usable GPT; `problem` and `fix` then say more."""

    def __init__(self, node: str, length: int, disk_node: str, number: int) -> None:
        super().__init__(node, length)
        self.disk_node, self.number = disk_node, number
        self.table: gpt.Table | None = None
        self.problem = self.fix = ""

    @property
    def entry(self) -> gpt.Entry | None:
        """Its entry in the table."""
        return self.table.entries.get(self.number) if self.table else None

    def partitions(self) -> Iterator[Partition]:
        """Itself."""
        yield self


class Array(Layer):
    """An md array. `used`: bytes of each member; `offsets`: where those begin, in the order of `below`; `missing`: members."""

    def __init__(self, node: str, length: int, level: str) -> None:
        super().__init__(node, length)
        self.level = level
        self.used = self.missing = 0
        self.offsets: tuple[int, ...] = ()


class Crypt(Layer):
    """An open encrypted volume. `offset`: bytes before its content. `ways`: sources of its key, None if it is not needed."""

    def __init__(self, node: str, length: int, name: str, kind: str) -> None:
        super().__init__(node, length)
        self.name, self.kind = name, kind
        self.offset = 0
        self.ways: tuple[Way, ...] | None = None


class Physical:
    """A physical volume of LVM: bytes before the first extent, bytes in extents."""

    def __init__(self, start: int, size: int) -> None:
        self.start, self.size = start, size


class Logical(Layer):
    """A logical volume `vg/lv`. `physical` is in the order of `below`; `noted`: free extents before a broken-off growth."""

    def __init__(self, node: str, length: int, name: str) -> None:
        super().__init__(node, length)
        self.name = name
        self.segments: tuple[str, ...] = ()
        self.extent = self.free = 0  # bytes of an extent; free extents of the volume group
        self.noted: int | None = None
        self.physical: tuple[Physical, ...] = ()


class Other(Layer):
    """A layer that does not grow: a description, and the remedy."""

    def __init__(self, node: str, length: int, what: str, fix: str) -> None:
        super().__init__(node, length)
        self.what, self.fix = what, fix


class Part:
    """One device of a file system, how many bytes of it the file system takes (0: unknown), and btrfs' number of it."""

    def __init__(self, layer: Layer, length: int, device_id: int = 0) -> None:
        self.layer, self.length, self.device_id = layer, length, device_id


class GrowFacts:
    """One mounted file system and its devices: one, or several of btrfs. `problem` and `fix`: why it cannot be inspected.

    `any_type`: the kernel command line lets it grow on partitions of any type.
    """

    def __init__(self, mount: Mount, *, is_root: bool) -> None:
        self.target, self.format, self.read_only, self.is_root = mount.target, mount.format, mount.read_only, is_root
        self.parts: tuple[Part, ...] = ()
        self.problem = self.fix = ""
        self.any_type = False

    def partitions(self) -> list[Partition]:
        """The partitions at the bottom of all."""
        return [partition for part in self.parts for partition in part.layer.partitions()]
