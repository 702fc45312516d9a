"""One disk: its content and users, and the operations that wipe or replace its partition table.

Also the config for a repeated attempt, which keeps everything that an earlier one has finished.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from ignition.errors import Failure, at
from ignition.host import blkpg, devices
from ignition.host.command import run
from ignition.operation import Context, Left, Operation
from ignition.storage import gpt, gpt_disk, partitions, signatures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.model import Config
    from ignition.config.model.storage import Disk
    from ignition.storage.machine import Machine


VERIFY_WAIT_S = 10.0
LOCK_WAIT_S, LOCK_PAUSE_S = 30.0, 0.02  # udevd holds its lock for the milliseconds of a probe


class DiskFacts:
    """One disk, as far as planning depends on it. `node` is the resolved device; `table` is an empty one if the disk has none.

    `in_use`: partition number → its user; `used_whole`: the user of the disk itself ("" if unused). `content`: signatures on the
    disk outside of its partitions.
    """

    def __init__(
        self,
        node: str,
        table: gpt.Table,
        *,
        in_use: Mapping[int, str],
        used_whole: str = "",
        content: Sequence[signatures.Signature] = (),
    ) -> None:
        self.node, self.table, self.in_use, self.used_whole, self.content = node, table, in_use, used_whole, content


@contextmanager
def opened(node: str, flags: int) -> Iterator[int]:
    """A device as a descriptor, for as long as the block lasts."""
    descriptor = os.open(node, flags | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def locked(node: str) -> Iterator[int]:
    """A disk opened for writing, and locked so that udevd does not read half a change (systemd.io/BLOCK_DEVICE_LOCKING)."""
    with opened(node, os.O_RDWR) as descriptor:
        _lock(descriptor, node)
        yield descriptor


def _lock(descriptor: int, node: str) -> None:
    from fcntl import LOCK_EX, LOCK_NB, flock

    deadline = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            return flock(descriptor, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Failure(
                    f"another program keeps {node} locked for {LOCK_WAIT_S:g} s", fix="stop the program that uses this disk"
                ) from None
        time.sleep(LOCK_PAUSE_S)


def probe(disk: Disk, node: str, users: devices.Users) -> DiskFacts:
    """Inspect a disk. Raises Failure for a table other than GPT, unless it will be wiped."""
    name = devices.name_of(node)
    in_use = {number: users.of(part) for number, (part, _, _) in devices.partitions(name).items()}
    with opened(node, os.O_RDONLY) as descriptor:
        sector_size, sectors = devices.geometry(descriptor)
        table = None if disk.wipe_table else gpt_disk.read(descriptor, sector_size, sectors)
    found = [] if disk.wipe_table else signatures.all_of(node)
    if table is None:
        signatures.refuse_other_tables(node, found)
        table = gpt.empty(sector_size, sectors).drawn()
    return DiskFacts(
        node,
        table,
        in_use={number: user for number, user in in_use.items() if user},
        used_whole=users.of(name),
        content=[one for one in found if one.format and not is_inside(one.offset, table)],
    )


def is_inside(offset: int, table: gpt.Table) -> bool:
    """Whether an offset on the disk, in bytes, lies in a partition: a signature there belongs to its content."""
    sector = offset // table.sector_size
    return any(entry.first <= sector <= entry.last for entry in table.entries.values())


def plan(disk: Disk, facts: DiskFacts, where: str, *, translated: bool = False) -> list[Operation]:
    """The operations for one disk; `where` is its place in the config, `translated`: the config was 2.x.

    Raises Failure if the disk cannot be partitioned as configured.
    """
    if facts.used_whole and not facts.in_use:
        raise Failure(
            f"{disk.device} is in use ({facts.used_whole})", where=where, fix="stop using it first, or name another disk"
        )
    operations: list[Operation] = []
    if disk.wipe_table:
        for number, user in facts.in_use.items():
            raise Failure(
                f"partition {number} of {disk.device} is in use ({user}): cannot wipe the table",
                where=f"{where}.wipeTable",
                fix="stop using it first, or name another disk",
            )
        operations.append(WipeTable(disk.device, facts.node, where))
    if disk.partitions:
        with at_disk(where):
            decision = partitions.decide(disk, facts.table, facts.in_use, where, translated=translated)
        _refuse_content(disk, facts, decision, where)
        operations.append(WriteTable(disk.device, facts.node, decision, where, facts.table))
    return operations


def _refuse_content(disk: Disk, facts: DiskFacts, decision: partitions.Decision, where: str) -> None:
    """Raises Failure if the table, or a partition, would overwrite content of the whole disk.

    This includes repairs: the backup of a table may have survived below a file system on the whole disk.
    """
    is_written = bool(decision.table.faults) or any(change.action in ("create", "resize") for change in decision.changes)
    if facts.content and is_written:
        held = signatures.described(facts.content)
        raise Failure(
            f"{disk.device} holds {held} as a whole, and this would write partitions over it",
            where=where,
            fix="set wipeTable to lose everything on the disk, or name another disk",
        )


@contextmanager
def at_disk(where: str) -> Iterator[None]:
    """Adds the place of the disk to failures without one."""
    try:
        yield
    except Failure as failure:
        failure.where = failure.where or where
        raise


class WipeTable(Operation):
    """Erase MBR and GPT of a disk, and every other signature of the whole disk, which later probes would find."""

    kind = "wipe-table"

    def __init__(self, device: str, node: str, where: str) -> None:
        self.path, self._node, self.place = device, node, where
        self._before: gpt.Table | None = None

    def describe(self) -> str:
        return f"wipe the partition table of {self.path} ({self.place})"

    def lost(self, machine: Machine) -> Iterator[tuple[str, str]]:
        """The nodes that lose their content, each with the place in the config; also the disk itself, which may hold ROOT."""
        for node in machine.partitions(self._node):
            yield node, f"{self.place}.wipeTable"
        yield self._node, f"{self.place}.wipeTable"

    @property
    def table(self) -> tuple[str, gpt.Table | None]:
        """The disk's node, and None: it will not have a table."""
        return self._node, None

    def execute(self, context: Context) -> None:
        with at(self.place), locked(self._node) as disk:
            sector_size, sectors = devices.geometry(disk)
            with suppress(Failure):  # a damaged table cannot be shown afterwards, and is to go
                self._before = gpt_disk.read(disk, sector_size, sectors)
            gpt_disk.wipe(disk, sector_size, sectors)
            run(["wipefs", "--all", self._node], why=f"erasing the signatures of {self.path}")
            blkpg.synchronise(disk, devices.name_of(self._node), {})

    def facts(self) -> dict[str, object]:
        before = self._before
        return table_facts(self._node, before, None, before.entries) if before else {}


class WriteTable(Operation):
    """Write the new table of a disk at once, inform the kernel, and check the partitions that the kernel then has."""

    kind = "partition"

    def __init__(
        self, device: str, node: str, decision: partitions.Decision, where: str, before: gpt.Table | None = None
    ) -> None:
        """`before`: the present table of the disk, for the report."""
        self.path, self._node, self._decision, self.place, self._before = device, node, decision, where, before
        self._table = decision.table

    def describe(self) -> str:
        changes = self._decision.changes
        what = ", ".join(f"{change.action} {change.number}" for change in changes) or self._mending() or "nothing to change"
        return f"partition {self.path}: {what} ({self.place})"

    def lost(self, _machine: Machine) -> Iterator[tuple[str, str]]:
        """The nodes that lose their content, each with the place in the config."""
        for change in self._decision.changes:
            if change.action in ("delete", "replace"):
                yield devices.partition_node(self._node, change.number), change.where

    def wiped(self, disk: Disk) -> Iterator[str]:
        """The nodes of the partitions whose content the config gives up, changed or not."""
        flagged = [one for one in disk.partitions if one.wipe_partition_entry]
        numbers, labels = {one.number for one in flagged}, {one.label for one in flagged if one.number == 0}
        for number, entry in self._decision.table.entries.items():
            if disk.wipe_table or number in numbers or (entry.name and entry.name in labels):
                yield devices.partition_node(self._node, number)

    def made(self) -> Iterator[str]:
        """The nodes of created and recreated partitions."""
        for change in self._decision.changes:
            if change.action in ("create", "replace"):
                yield devices.partition_node(self._node, change.number)

    @property
    def keeps(self) -> bool:
        """Whether the table is right already."""
        return not self._decision.changes and not self._mending()

    @property
    def changes(self) -> tuple[partitions.Change, ...]:
        """The changes of the table."""
        return self._decision.changes

    @property
    def table(self) -> tuple[str, gpt.Table | None]:
        """The disk's node, and the table that it will have."""
        return self._node, self._decision.table

    def _mending(self) -> str:
        faults = self._decision.table.faults
        return f"repair the table ({'; '.join(faults)})" if faults else ""

    def already_there(self, context: Context) -> bool:
        if self._decision.changes or self._mending():
            return False
        # The table is right, but the kernel may not know it: power was cut between the write and the call.
        name = devices.name_of(self._node)
        if self._known(name) != self._wanted():
            with at(self.place), opened(self._node, os.O_RDONLY) as disk:
                blkpg.synchronise(disk, name, self._wanted())
            devices.settle([self._node])
        return True

    def execute(self, context: Context) -> None:
        name = devices.name_of(self._node)
        with at(self.place), locked(self._node) as disk:
            self._table = self._table.drawn()
            gpt_disk.write(disk, self._table)
            blkpg.synchronise(disk, name, self._wanted())
        devices.settle([self._node])
        self._verify(name)

    def leaves(self, context: Context) -> Iterator[Left]:
        for number, where in self._decision.named.items():
            members = {"disk": self.path, "number": number, **described(self._table, number)}
            yield Left("partition", devices.partition_node(self._node, number), members, place=where)

    def _wanted(self) -> dict[int, tuple[int, int]]:
        table = self._decision.table
        size = table.sector_size
        return {number: (entry.first * size, entry.sectors * size) for number, entry in table.entries.items()}

    @staticmethod
    def _known(name: str) -> dict[int, tuple[int, int]]:
        return {number: (start, length) for number, (_, start, length) in devices.partitions(name).items()}

    def _verify(self, name: str) -> None:
        wanted, deadline = self._wanted(), time.monotonic() + VERIFY_WAIT_S
        # udevd may make the kernel reread the table, and all partitions are absent for a moment.
        while (known := self._known(name)) != wanted and time.monotonic() < deadline:
            time.sleep(LOCK_PAUSE_S)
        for change in self._decision.changes:
            if known.get(change.number) != wanted.get(change.number):
                raise Failure(
                    f"the kernel does not show partition {change.number} of {self.path} as it was written: "
                    f"{_place(known.get(change.number))} instead of {_place(wanted.get(change.number))}",
                    where=change.where,
                    fix="boot again: something else holds or rereads this disk",
                )
        present = [change.number for change in self._decision.changes if change.number in wanted]
        devices.wait_for([devices.partition_node(self._node, number) for number in present])

    def facts(self) -> dict[str, object]:
        lost = [change.number for change in self._decision.changes if change.action in ("delete", "replace")]
        return table_facts(self._node, self._before, self._table, lost)


KEPT, MADE, GROWN, SHRUNK, LOST = "kept", "made", "grown", "shrunk", "lost"  # the fates of partitions in records and reports


def table_facts(node: str, before: gpt.Table | None, after: gpt.Table | None, lost: Collection[int]) -> dict[str, object]:
    """A disk before and after, for the record of an operation. `lost`: numbers of the partitions whose content is lost."""
    table = after or before
    if table is None:
        return {}
    old = before.entries if before else {}
    earlier = [] if before is None else [_part(before, number, LOST if number in lost else KEPT) for number in old]
    later = [] if after is None else [
        _part(after, number, _fate(entry, None if number in lost else old.get(number))) for number, entry in after.entries.items()
    ]  # fmt: skip
    disk = {"device": node, "size": table.sectors * table.sector_size, "before": earlier, "after": later}
    return {"disk": disk}


def _part(table: gpt.Table, number: int, fate: str) -> dict[str, object]:
    return {"number": number, **described(table, number), "fate": fate}


def _fate(entry: gpt.Entry, earlier: gpt.Entry | None) -> str:
    if earlier is None:
        return MADE
    return GROWN if entry.sectors > earlier.sectors else SHRUNK if entry.sectors < earlier.sectors else KEPT


def described(table: gpt.Table, number: int) -> dict[str, Any]:
    """One partition of a table as members of an operation.Left; start and size in bytes."""
    entry = table.entries[number]
    return {
        "guid": entry.unique_guid,
        "typeGuid": entry.type_guid,
        "label": entry.name,
        "start": entry.first * table.sector_size,
        "size": entry.sectors * table.sector_size,
    }


def _place(place: tuple[int, int] | None) -> str:
    return f"{place[1]} bytes at {place[0]}" if place else "absent"


# The storage of this machine was finished by an earlier attempt: everything to be wiped has been wiped.


def without_wipes(config: Config) -> Config:
    """The same config without wiping: matching storage is kept instead of recreated."""
    storage = config.storage
    kept = storage.evolve(
        disks=tuple(_kept(disk) for disk in storage.disks),
        luks=tuple(volume.evolve(wipe_volume=False) for volume in storage.luks),
        filesystems=tuple(entry.evolve(wipe_filesystem=False, must_be_blank=False) for entry in storage.filesystems),
    )
    return config.evolve(storage=kept)


def _kept(disk: Disk) -> Disk:
    partitions = tuple(
        # The flag still applies to a partition that must not exist.
        part if part.should_exist is False else part.evolve(wipe_partition_entry=False)
        for part in disk.partitions
    )
    return disk.evolve(wipe_table=False, partitions=partitions)
