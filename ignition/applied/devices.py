"""Storage of a config as things to be found on this machine: `ignition verify -config`. Reads tables, and changes nothing.

Only members that the config sets are compared. A partition without a number is known by the GUID that the disks stage derives for
it (storage/partitions.py), or by its label if somebody has changed the GUID. The links of selected disks exist in the first boot
only: later, their partitions and file systems cannot be looked at, except a file system with a UUID.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from ignition.config.known_values import SELECTED
from ignition.config.model import Config
from ignition.config.model.storage import Disk, Luks, Partition
from ignition.errors import Failure
from ignition.host import devices
from ignition.host.limits import MIB
from ignition.operation import Left
from ignition.storage import gpt, gpt_disk, guid, signatures
from ignition.storage.disk import opened
from ignition.storage.filesystems import NONE, OEM, to_make
from ignition.storage.partitions import derived_guid
from ignition.storage.raid import LEVELS, path_of
from ignition.sysroot import crypttab

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def expected(config: Config, *, is_here: bool) -> Iterator[Left]:
    """Partitions, arrays, encrypted volumes and file systems, from the disks up. `is_here`: the config is for this machine."""
    for left in _expected(config, is_here=is_here):
        members = left.members or {}
        device = str(members.get("disk") or members.get("device") or left.name)
        is_unknown = is_gone(device) and not members.get("uuid")
        yield Left("device of a selected disk", left.name, {}, place=left.place) if is_unknown else left


def is_gone(device: str) -> bool:
    """Whether a device is a link to a selected disk that does not exist any more."""
    return device.startswith(SELECTED) and not os.path.exists(device)


def present_uuid(device: str) -> str:
    """The UUID of the file system on a device now; "" without one."""
    node = os.path.realpath(device)
    return signatures.probe(node).uuid if os.path.exists(node) else ""


def present_volume(wanted: Luks, where: str) -> tuple[str, str]:
    """(node, UUID) of an encrypted volume now; without UUID if it is gone."""
    try:
        return crypttab.present_place(wanted, where)
    except Failure:
        return os.path.realpath(wanted.device or ""), ""


def _expected(config: Config, *, is_here: bool) -> Iterator[Left]:
    storage = config.storage
    for index, disk in enumerate(storage.disks):
        table = _table(disk.device) if is_here else None
        for number, partition in enumerate(disk.partitions):
            left = _partition(disk, number, table, is_translated=config.ignition.translated is True)
            left.place = f"$.storage.disks.{index}.partitions.{number}"
            # An entry that deletes a partition may stand before one that recreates it.
            if partition.should_exist is not False or not _is_recreated(partition, disk):
                yield left
    for index, array in enumerate(storage.raid):
        level, spares = array.level or "", array.spares or 0
        members: dict[str, Any] = {"level": LEVELS.get(level, level), "devices": len(array.devices) - spares}
        members["members"] = sorted(map(os.path.realpath, array.devices))
        yield Left("array", path_of(array), members, place=f"$.storage.raid.{index}")
    for index, volume in enumerate(storage.luks):
        wanted = {"uuid": (volume.uuid or "").lower(), "label": volume.label}
        members = {"device": volume.device, **{name: value for name, value in wanted.items() if value}}
        yield Left("encrypted volume", volume.name, members, place=f"$.storage.luks.{index}")
    for index, filesystem in to_make(storage.filesystems):
        if filesystem.format == NONE:
            continue
        wanted = {"uuid": (filesystem.uuid or "").lower(), "label": filesystem.label}
        members = {name: value for name, value in wanted.items() if value}
        if filesystem.name is None or filesystem.label != OEM:  # 2.x: right whatever its format
            members["format"] = filesystem.format
        yield Left("filesystem", filesystem.device, members, place=f"$.storage.filesystems.{index}")


def _is_recreated(partition: Partition, disk: Disk) -> bool:
    return any(one.number == partition.number and one.should_exist is not False for one in disk.partitions)


def _table(device: str) -> gpt.Table | None:
    """The table of a disk; None if there is none, or no such disk. Raises Failure if it is damaged."""
    node = os.path.realpath(device)
    try:
        with opened(node, os.O_RDONLY) as descriptor:
            return gpt_disk.read(descriptor, *devices.geometry(descriptor))
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise Failure(f"{device} cannot be read: {error.strerror}", where=device, fix="run this as root") from error


def _partition(disk: Disk, index: int, table: gpt.Table | None, *, is_translated: bool) -> Left:
    wanted = disk.partitions[index]
    own = (wanted.guid or "").lower()
    if not own and not wanted.number and table is not None:
        own = guid.to_text(derived_guid(table, disk, index))
    number = wanted.number or _number(table, own, wanted.label)
    node = devices.partition_node(os.path.realpath(disk.device), number) if number else wanted.label or disk.device
    if wanted.should_exist is False:
        return Left("partition", node, None)
    sector = table.sector_size if table else 512
    sizes = {
        "start": wanted.start_sectors * sector if wanted.start_sectors else 0 if is_translated else (wanted.start_mib or 0) * MIB,
        "size": wanted.size_sectors * sector if wanted.size_sectors else 0 if is_translated else (wanted.size_mib or 0) * MIB,
    }
    members: dict[str, Any] = {"disk": disk.device, "number": number, "guid": own, "typeGuid": (wanted.type_guid or "").lower()}
    members = {name: value for name, value in (members | sizes).items() if value or name == "number"}
    return Left("partition", node, members | ({"label": wanted.label} if wanted.label is not None else {}))


def _number(table: gpt.Table | None, own: str, label: str | None) -> int:
    """The number of the partition with this GUID, or else with this label; 0 without one."""
    entries = table.entries if table else {}
    by_guid = (number for number, entry in entries.items() if entry.unique_guid == own)
    by_label = (number for number, entry in entries.items() if label and entry.name == label)
    return next(by_guid, 0) or next(by_label, 0)
