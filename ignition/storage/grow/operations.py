"""The steps of growth, each for one layer, in the order from the disk up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ignition.errors import CommandFailed, Failure, at
from ignition.host import blkpg, devices, log
from ignition.host.command import run
from ignition.host.limits import MIB
from ignition.host.reading import lines, read_text
from ignition.operation import Context, Operation
from ignition.storage import gpt_disk
from ignition.storage.disk import locked, table_facts
from ignition.storage.grow.facts import Array, Crypt, GrowFacts, Part, Partition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.host.root import Root
    from ignition.storage import gpt


GROW_TIMEOUT_S = 3600.0
FROZEN, IDLE = "frozen", "idle"  # Documentation/admin-guide/md.rst in the kernel: sync_action


class Growth(Operation):
    """A step. `lengthens` is False for one that only repairs or notes something."""

    lengthens = True


class GrowPartition(Growth):
    """Extend a partition in use, and repair the table. The kernel is informed first.

    After a write, udevd asks the kernel to reread the table, which fails for a mounted disk; this does not matter, since the
    kernel knows the new length already. A power cut in between leaves table and file system unchanged.
    """

    kind = "grow-partition"

    def __init__(self, partition: Partition, table: gpt.Table) -> None:
        self.path, self._partition, self._table = partition.node, partition, table
        entry = table.entries[partition.number]
        self._start, self.length = entry.first * table.sector_size, entry.sectors * table.sector_size
        self.lengthens = self.length != partition.length

    def describe(self) -> str:
        if not self.lengthens:
            return f"repair the partition table of {self._partition.disk_node}"
        return f"grow {self.path} from {_mib(self._partition.length)} to {_mib(self.length)} MiB"

    def execute(self, context: Context) -> None:
        node = self._partition.disk_node
        with at(node), locked(node) as disk:
            if self.lengthens:
                blkpg.resize(disk, node, self._partition.number, self._start, self.length)
            gpt_disk.write(disk, self._table)
        # No wait for udev: a mounted disk keeps its nodes and links, and waiting would slow down every boot.

    def facts(self) -> dict[str, object]:
        return table_facts(self._partition.disk_node, self._partition.table, self._table, ())


class GrowArray(Growth):
    """Extend an array to the size of its members. A running synchronisation is paused meanwhile, and then continues."""

    kind = "grow-array"

    def __init__(self, array: Array) -> None:
        self.path = array.node

    def describe(self) -> str:
        return f"grow the array {self.path} to its smallest member's size"

    def execute(self, context: Context) -> None:
        with _held(devices.name_of(self.path)):
            run(["mdadm", "--grow", self.path, "--size=max"], why=f"growing {self.path}", timeout_s=GROW_TIMEOUT_S)


@contextmanager
def _held(name: str) -> Iterator[None]:
    """The kernel refuses a new size (EBUSY) during a synchronisation, which takes minutes for a new mirror."""
    path = f"{devices.SYSFS}/class/block/{name}/md/sync_action"
    if devices.attribute(name, "md/sync_action") == IDLE:
        yield
        return
    _write(path, FROZEN)
    try:
        yield
    finally:
        _write(path, IDLE)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


class GrowCrypt(Growth):
    """Resize an open encrypted volume to the length of its device."""

    kind = "grow-luks"

    def __init__(self, volume: Crypt) -> None:
        self.path, self._volume = volume.name, volume

    def describe(self) -> str:
        ways = self._volume.ways
        how = f" (key: {', else '.join(way.what for way in ways)})" if ways else ""
        return f"grow the encrypted volume {self.path}{how}"

    def execute(self, context: Context) -> None:
        argv = ["cryptsetup", "resize"]
        if self._volume.ways is None:
            run([*argv, "--", self.path], why=f"growing {self.path}", timeout_s=GROW_TIMEOUT_S)
            return
        failures = []
        for way in self._volume.ways:
            try:
                run(
                    [*argv, "--key-file=-", "--", self.path],
                    why=f"growing {self.path}",
                    stdin=way.key(),
                    timeout_s=GROW_TIMEOUT_S,
                )
                return
            except (CommandFailed, Failure) as failure:
                failures.append(f"{way.what}: {failure.what}")
                log.warning(f"{self.path} does not grow with {failures[-1]}")
        raise Failure(f"no key opens {self.path}: {'; '.join(failures)}", where=self.path, fix=by_hand(self.path))


def by_hand(name: str) -> str:
    """The manual remedy for an encrypted volume."""
    return f"`cryptsetup resize {name}` asks for the passphrase; then `ignition grow`"


class GrowFilesystem(Growth):
    """Grow a mounted file system to the end of its device."""

    kind = "grow-filesystem"

    def __init__(self, facts: GrowFacts, part: Part) -> None:
        self.path, self._format, self._part = facts.target, facts.format, part

    def describe(self) -> str:
        return f"grow {self._format} on {self.path} to the end of {self._part.layer.node}"

    def execute(self, context: Context) -> None:
        run(self._command(), why=f"growing {self.path}", timeout_s=GROW_TIMEOUT_S)

    def _command(self) -> list[str]:
        if self._format == "ext4":
            return ["resize2fs", self._part.layer.node]
        if self._format == "xfs":
            return ["xfs_growfs", self.path]
        return ["btrfs", "filesystem", "resize", f"{self._part.device_id}:max", self.path]


class NotGrown(Operation):
    """Does nothing: puts the reason into the journal and the report."""

    kind = "grow"

    def __init__(self, facts: GrowFacts, why: Failure) -> None:
        self.path, self._why = facts.target, why

    def describe(self) -> str:
        return f"{self.path} does not grow: {self._why}"

    def already_there(self, context: Context) -> bool:
        return True


def _mib(length: int) -> str:
    return f"{length / MIB:.0f}"


# The GUIDs of partitions whose size a config sets, in a file of ROOT, one per line, so that later boots keep the size.

KEEP_SIZE = "/etc/.ignition-keep-size"


def kept_sizes(root: Root) -> set[str]:
    """The GUIDs, in lower case; empty without the file."""
    try:
        return {line.strip().lower() for line in lines(read_text(root, KEEP_SIZE) or "") if line.strip()}
    except Failure:
        return set()


class KeepSize(Operation):
    """Note for later boots, which do not have the config, that it sets the size of these partitions."""

    kind, path = "grow-keep-size", KEEP_SIZE

    def __init__(self, guids: Sequence[str]) -> None:
        self._guids = sorted(guids)

    def describe(self) -> str:
        return f"note in {self.path} that the config sets the size of {', '.join(self._guids)}"

    def already_there(self, context: Context) -> bool:
        return set(self._guids) <= kept_sizes(context.root)

    def execute(self, context: Context) -> None:
        guids = sorted(kept_sizes(context.root) | set(self._guids))
        context.root.write(
            self.path, "".join(f"{guid}\n" for guid in guids).encode("utf-8", "surrogateescape"), mode=0o644, sync=True
        )
