"""Growth of ROOT, and of whatever else has its partition type, to the end of its free space. Planning is pure.

Source: `boot.md` 8.1 and 8.2 of the reference (Container Linux). By partition type, never by label or number. Not grown yet:
partitions below RAID, LUKS or LVM. Whatever does not grow says why.
"""

import os
import struct

from ignition.errors import Failure, at
from ignition.host import blkpg, devices
from ignition.host.command import run
from ignition.operation import Context, Operation
from ignition.storage import gpt, gpt_disk
from ignition.storage.disk import locked, opened
from ignition.storage.layout import MIB
from ignition.storage.partitions import derived_guid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ignition.config.model import Config
    from ignition.host.mounts import Mount

ROOT_TYPE = "3884dd41-8582-4404-b9a8-e9b84f2df50e"  # coreos-resize
MIN_GAIN = 2 * MIB  # bytes; less is not worth a table write
GROW_TIMEOUT_S = 3600.0
FORMATS = ("ext4", "xfs", "btrfs")


class GrowFacts:
    """One mounted file system on a partition. Lengths are in bytes.

    `table` is None if the disk has no usable GPT, and then `problem` says why; `problem` alone means: not on a partition.
    """

    def __init__(self, mount: "Mount", *, is_root: bool) -> None:
        self.target, self.format, self.read_only, self.is_root = mount.target, mount.format, mount.read_only, is_root
        self.problem = ""
        self.node = self.disk_node = ""
        self.number = 0
        self.table: gpt.Table | None = None
        self.kernel_length = 0  # of the partition, as the kernel has it
        self.filesystem_length = 0  # 0 if the format is unknown


def probe(mount: "Mount", *, is_root: bool) -> GrowFacts:
    """Look at the device, the table and the file system below a mount. Changes nothing."""
    facts = GrowFacts(mount, is_root=is_root)
    name = devices.name_of_number(*mount.device) or _name_of_source(mount.source)
    place = devices.partition_of(name) if name else None
    if place is None:
        facts.problem = f"it is on {name or mount.source}, which is no partition of a disk"
        return facts
    disk, facts.number = place
    facts.node, facts.disk_node = devices.node_of(name), devices.node_of(disk)
    facts.kernel_length = devices.partitions(disk)[facts.number][2]
    try:
        with opened(facts.disk_node, os.O_RDONLY) as descriptor:
            facts.table = gpt_disk.read(descriptor, *devices.geometry(descriptor))
        with opened(facts.node, os.O_RDONLY) as descriptor:
            facts.filesystem_length = filesystem_length(descriptor, mount.format, mount.target)
    except Failure as failure:
        facts.problem = failure.what
    except OSError as error:
        facts.problem = f"{error.filename or facts.disk_node}: {error.strerror}"
    return facts


def _name_of_source(source: str) -> str:
    try:
        return devices.name_of(source)
    except Failure:
        return ""


def filesystem_length(descriptor: int, format: str, target: str) -> int:
    """Bytes of its device that a file system mounted on `target` takes for itself; 0 for an unknown format."""
    if format == "ext4":  # Documentation/filesystems/ext4/super.rst in the kernel
        block = os.pread(descriptor, 1024, 1024)
        low, log_size, high = (struct.unpack_from("<I", block, offset)[0] for offset in (0x4, 0x18, 0x150))
        return int((high << 32 | low) * (1024 << log_size)) if block[0x38:0x3A] == b"\x53\xef" else 0
    if format == "xfs":
        return _xfs_length(descriptor, target)
    if format == "btrfs":
        return _btrfs_device(descriptor)[1]
    return 0


def _xfs_length(descriptor: int, target: str) -> int:
    """From the live file system: after growth its superblock on disk stays old until the log is written back."""
    block = os.pread(descriptor, 512, 0)  # xfsprogs, xfs_format.h: struct xfs_dsb
    if block[:4] != b"XFSB":
        return 0
    log_start, log_blocks = struct.unpack_from(">Q", block, 48)[0], struct.unpack_from(">I", block, 96)[0]
    live = os.statvfs(target)  # f_blocks leaves out an internal log
    return live.f_frsize * (live.f_blocks + (log_blocks if log_start else 0))


def _btrfs_device(descriptor: int) -> tuple[int, int]:
    """(device id, bytes of this device that btrfs uses). linux/btrfs_tree.h: dev_item of the superblock at 64 KiB."""
    block = os.pread(descriptor, 4096, 0x10000)
    device_id, length = struct.unpack_from("<QQ", block, 0xC9)
    return (device_id, length) if block[0x40:0x48] == b"_BHRfS_M" else (0, 0)


def plan(facts: "list[GrowFacts]", config: "Config | None", nodes: "Mapping[str, str] | None" = None) -> list[Operation]:
    """What each of the file systems needs: a longer partition, a longer file system, or a word why not.

    `nodes` has the resolved nodes of the config's disks whose names are links.
    """
    return [operation for one in facts for operation in _plan_one(one, config, nodes or {})]


def is_candidate(facts: GrowFacts) -> bool:
    """Whether a file system is to be grown or to be told why not: the root, and every other partition of the type."""
    entry = facts.table.entries.get(facts.number) if facts.table else None
    return facts.is_root or (entry is not None and entry.type_guid == ROOT_TYPE)


def _plan_one(facts: GrowFacts, config: "Config | None", nodes: "Mapping[str, str]") -> list[Operation]:
    refusal = _refusal(facts, config, nodes)
    if refusal or facts.table is None:
        return [NotGrown(facts, refusal)]
    try:
        target, reason = grown_table(facts.table, facts.number)
    except Failure as failure:
        return [NotGrown(facts, failure.what)]
    length = target.entries[facts.number].sectors * target.sector_size
    operations: list[Operation] = []
    if target != facts.table or facts.table.faults or length != facts.kernel_length:
        operations.append(GrowPartition(facts, target))
    if length - facts.filesystem_length >= MIN_GAIN:
        operations.append(GrowFilesystem(facts))
    if not operations or (reason and len(operations) == 1 and isinstance(operations[0], GrowPartition)):
        operations.append(NotGrown(facts, reason))
    return operations


def _refusal(facts: GrowFacts, config: "Config | None", nodes: "Mapping[str, str]") -> str:
    """Why a file system is not to be grown whatever the space; "" if it may."""
    if facts.problem:
        return facts.problem
    entry = facts.table.entries.get(facts.number) if facts.table else None
    if facts.table is None or entry is None:
        return f"{facts.disk_node} has no GPT with this partition"
    if entry.type_guid != ROOT_TYPE:
        return f"the type of its partition is {entry.type_guid}, and {ROOT_TYPE} is what grows"
    if facts.format not in FORMATS:
        return f"{facts.format} is not one of the file systems that grow while mounted ({', '.join(FORMATS)})"
    if facts.read_only:
        return "it is mounted read-only"
    place = _sized_at(config, facts, facts.table, nodes) if config else ""
    return f"the config gives its size ({place})" if place else ""


def _sized_at(config: "Config", facts: GrowFacts, table: gpt.Table, nodes: "Mapping[str, str]") -> str:
    """The place in the config that gives the partition a size of its own; "" if none does."""
    unique = table.entries[facts.number].unique_raw
    for disk_index, disk in enumerate(config.storage.disks):
        if nodes.get(disk.device, disk.device) != facts.disk_node:
            continue
        for index, partition in enumerate(disk.partitions):
            named = partition.number == facts.number or (partition.number == 0 and unique == derived_guid(table, disk, index))
            if named and partition.should_exist is not False and (partition.size_mib or partition.size_sectors):
                return f"$.storage.disks.{disk_index}.partitions.{index}"
    return ""


def grown_table(table: gpt.Table, number: int) -> tuple[gpt.Table, str]:
    """(the table with the backup at the end of the disk and partition `number` as long as it can be, why it is no longer).

    The reason is "" if it grows. Nothing but that partition's end and the backup's place differs.
    """
    target = table.relocated()
    entry = target.entries[number]
    following = [(other.first, index) for index, other in target.entries.items() if other.first > entry.last]
    limit, next_number = min(following, default=(target.last_usable + 1, 0))
    if (limit - 1 - entry.last) * table.sector_size >= MIN_GAIN:
        return target.with_entries({number: entry.resized(limit - 1)}), ""
    if not next_number:
        return target, "it fills its disk already"
    name = target.entries[next_number].name
    return target, f"partition {next_number}" + (f" ({name})" if name else "") + " follows it on the disk"


class GrowPartition(Operation):
    """Lengthen a mounted partition, and mend the table. The kernel is told first.

    A table write makes udevd ask the kernel to read the table again, which a mounted disk refuses; when the kernel knows the
    new length already, nothing is lost by that. If power goes in between, the table and the file system are as before.
    """

    kind = "grow-partition"

    def __init__(self, facts: GrowFacts, table: gpt.Table) -> None:
        self.path, self._facts, self._table = facts.node, facts, table
        entry = table.entries[facts.number]
        self._start, self._length = entry.first * table.sector_size, entry.sectors * table.sector_size

    def describe(self) -> str:
        if self._length == self._facts.kernel_length:
            return f"mend the partition table of {self._facts.disk_node}"
        return f"grow {self.path} from {_mib(self._facts.kernel_length)} to {_mib(self._length)} MiB"

    def execute(self, context: Context) -> None:
        with at(self._facts.disk_node), locked(self._facts.disk_node) as disk:
            if self._length != self._facts.kernel_length:
                blkpg.resize(disk, self._facts.disk_node, self._facts.number, self._start, self._length)
            gpt_disk.write(disk, self._table)
        # No wait for udev: a mounted disk keeps its nodes and links, and every wait here is boot time.


class GrowFilesystem(Operation):
    """Grow a mounted file system to the end of its partition."""

    kind = "grow-filesystem"

    def __init__(self, facts: GrowFacts) -> None:
        self.path, self._facts = facts.target, facts

    def describe(self) -> str:
        return f"grow {self._facts.format} on {self._facts.target} to the end of {self._facts.node}"

    def execute(self, context: Context) -> None:
        run(self._command(), why=f"growing {self._facts.target}", timeout_s=GROW_TIMEOUT_S)

    def _command(self) -> list[str]:
        if self._facts.format == "ext4":
            return ["resize2fs", self._facts.node]
        if self._facts.format == "xfs":
            return ["xfs_growfs", self._facts.target]
        with opened(self._facts.node, os.O_RDONLY) as descriptor:
            device_id, _ = _btrfs_device(descriptor)
        return ["btrfs", "filesystem", "resize", f"{device_id}:max", self._facts.target]


class NotGrown(Operation):
    """Nothing to do, and the reason for the journal and the report."""

    kind = "grow"

    def __init__(self, facts: GrowFacts, reason: str) -> None:
        self.path, self._reason = facts.target, reason

    def describe(self) -> str:
        return f"{self.path} does not grow: {self._reason}"

    def already_there(self, context: Context) -> bool:
        return True


def _mib(length: int) -> str:
    return f"{length / MIB:.0f}"
