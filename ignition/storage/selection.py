"""Disks that the config selects by properties (our own, docs/extensions.md): finding them, and their links.

The links lie below /dev/disk/by-ignition and exist until the machine is switched off; configuration for later boots (units,
crypttab) has UUIDs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from ignition.config.known_values import SELECTED
from ignition.config.model.extensions import Select
from ignition.errors import Failure, at, refusing
from ignition.host import devices, log, machine_disks
from ignition.operation import Context, Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model.storage import Disk, Storage
    from ignition.host.machine_disks import MachineDisk

GIB = 1 << 30
PARTITION = "-part"


def plan(disks: tuple[Disk, ...]) -> list[Operation]:
    """One operation per selected disk, before other devices are inspected."""
    return [
        SelectDisk(disk.device, disk.extension.select, f"$.storage.disks.{index}")
        for index, disk in enumerate(disks)
        if disk.extension.select != Select()
    ]


def plan_partitions(disk: Disk, node: str, where: str) -> list[Operation]:
    """The operation after the new table of a selected disk."""
    is_changed = disk.partitions or disk.wipe_table
    return [LinkPartitions(disk.device, node, where)] if disk.extension.select != Select() and is_changed else []


@refusing()
def check(storage: Storage) -> None:
    """Raises Failure for a device below /dev/disk/by-ignition without a disk in the config that has this name."""
    names = {disk.device for disk in storage.disks if disk.extension.select != Select()}
    for where, device in _devices(storage):
        if device.startswith(SELECTED) and device.rpartition(PARTITION)[0] not in names and device not in names:
            raise Failure(
                f"no disk of the config has the name {device}", where=where, fix="add it to storage.disks, with x-coreos.select"
            )


def _devices(storage: Storage) -> Iterator[tuple[str, str]]:
    for index, array in enumerate(storage.raid):
        yield from ((f"$.storage.raid.{index}.devices.{number}", device) for number, device in enumerate(array.devices))
    yield from ((f"$.storage.luks.{index}.device", volume.device or "") for index, volume in enumerate(storage.luks))
    yield from ((f"$.storage.filesystems.{index}.device", one.device) for index, one in enumerate(storage.filesystems))


def choose(wanted: Select, disks: Sequence[MachineDisk]) -> tuple[list[MachineDisk], list[tuple[MachineDisk, str]]]:
    """(matching disks, others with the reason). A disk in use is matched by its serial number only."""
    matching: list[MachineDisk] = []
    others: list[tuple[MachineDisk, str]] = []
    for disk in disks:
        reason = _why_not(wanted, disk)
        if reason:
            others.append((disk, reason))
        else:
            matching.append(disk)
    if wanted.size and matching:
        best = (min if wanted.size == "smallest" else max)(disk.size for disk in matching)
        others += [(disk, f"not the {wanted.size}") for disk in matching if disk.size != best]
        matching = [disk for disk in matching if disk.size == best]
    return matching, others


def _why_not(wanted: Select, disk: MachineDisk) -> str:
    """All mismatches of a disk apart from its size; "" if it matches."""
    reasons = []
    if wanted.serial and wanted.serial not in disk.serials:
        reasons.append(f"serial is not {wanted.serial}")
    if wanted.model and wanted.model not in disk.models:
        reasons.append(f"model is not {wanted.model}")
    if wanted.transport and wanted.transport != disk.transport:
        reasons.append(f"transport is not {wanted.transport}")
    if wanted.removable is not None and wanted.removable != disk.removable:
        reasons.append("removable" if disk.removable else "not removable")
    if disk.user and not wanted.serial:
        reasons.append(f"in use ({disk.user}): only a serial selects it")
    return ", ".join(reasons)


def problem(wanted: Select, matching: list[MachineDisk], others: list[tuple[MachineDisk, str]]) -> Failure:
    """The failure if not exactly one disk matches; it lists every disk of the machine."""
    asked = _words(wanted)
    if matching:
        what = f"{len(matching)} disks match {asked}: {'; '.join(map(_described, matching))}"
        fix = "add criteria, such as the serial, so that exactly one matches"
    else:
        what = f"no disk matches {asked}"
        fix = "correct the criteria"
    rest = [f"{_described(disk)}: {reason}" for disk, reason in others]
    listed = f"{'. Not these' if matching else ''}: {'; '.join(rest)}" if rest else ("" if matching else ": there are no disks")
    return Failure(what + listed, fix=fix)


def _words(wanted: Select) -> str:
    """`smallest, transport nvme, not removable`."""
    words = [wanted.size] if wanted.size else []
    words += [f"{name} {value}" for name in ("serial", "model", "transport") if (value := getattr(wanted, name))]
    if wanted.removable is not None:
        words.append("removable" if wanted.removable else "not removable")
    return ", ".join(words)


def _described(disk: MachineDisk) -> str:
    known = (
        f"{disk.size / GIB:.4g} GiB",
        f"serial {disk.serials[0]}" if disk.serials else "no serial",
        f"model {disk.models[0]}" if disk.models else "no model",
        disk.transport or "unknown transport",
        *(["removable"] if disk.removable else []),
    )
    return f"{devices.node_of(disk.name)} ({', '.join(known)})"


class SelectDisk(Operation):
    """Find the matching disk, and link it and its partitions by the names in the config."""

    kind = "select"

    def __init__(self, device: str, wanted: Select, where: str) -> None:
        self.path, self.wanted, self.place = device, wanted, where

    def describe(self) -> str:
        return f"select {self.path}: {_words(self.wanted)} ({self.place})"

    def execute(self, context: Context) -> None:
        with at(f"{self.place}.x-coreos.select"):
            disk = self._wait()
        log.info(f"{self.path} is {_described(disk)}")
        link(self.path, devices.node_of(disk.name))

    def _wait(self, timeout_s: float = devices.WAIT_S) -> MachineDisk:
        """The one that matches; a disk may appear late."""
        devices.settled()
        matching, others = choose(self.wanted, machine_disks.probe())
        if not matching:
            log.info(f"waiting up to {timeout_s:g} s for a disk that matches {_words(self.wanted)}")
            for _ in devices.moments(timeout_s, f"a disk that matches {_words(self.wanted)}"):
                matching, others = choose(self.wanted, machine_disks.probe())
                if matching:
                    break
        if len(matching) != 1:
            raise problem(self.wanted, matching, others)
        return matching[0]


class LinkPartitions(Operation):
    """Link the partitions of a selected disk, once its table is written."""

    kind = "link"

    def __init__(self, device: str, node: str, where: str) -> None:
        self.path, self._node, self.place = device, node, where

    def describe(self) -> str:
        return f"link the partitions of {self._node} as {self.path}{PARTITION}… ({self.place})"

    def execute(self, context: Context) -> None:
        link(self.path, self._node)


def link(device: str, node: str) -> None:
    """Create the links of a disk and of its present partitions; remove those of earlier ones."""
    directory, name = os.path.split(device)
    os.makedirs(directory, exist_ok=True)
    for present in os.listdir(directory):
        whole, _, tail = present.rpartition(PARTITION)
        if present == name or (whole == name and tail.isascii() and tail.isdigit()):
            os.unlink(os.path.join(directory, present))
    os.symlink(node, device)
    for number, (partition, _, _) in devices.partitions(devices.name_of(node)).items():
        os.symlink(devices.node_of(partition), f"{device}{PARTITION}{number}")
