"""The future size of a device of the config, and the future target of a path, before anything is changed.

Arithmetic on the config and the planned tables.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from ignition.config.stacking import volume_paths
from ignition.host.devices import partition_node
from ignition.host.root_device import encoded
from ignition.storage.raid import LEVELS, path_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model.storage import Raid, Storage
    from ignition.host.root_device import RootDevice
    from ignition.storage.gpt import Table

LUKS_HEADER = 16 << 20  # LUKS2's default data offset, cryptsetup-luksFormat(8)
_PARITY = {"raid4": 1, "raid5": 1, "raid6": 2}


class Planned:
    """The tables as they will be, and the lengths of devices as they are now (bytes, by path).

    `tables` by disk node; None for a disk that will not have one. `made` are the nodes of created and recreated partitions.
    `real` follows the links of devices.
    """

    def __init__(
        self,
        tables: Mapping[str, Table | None],
        length_now: Callable[[str], int | None],
        made: frozenset[str] = frozenset(),
        real: Callable[[str], str] | None = None,
    ) -> None:
        self._tables, self._length_now, self.made, self._follow = tables, length_now, made, real

    def _real(self, device: str) -> str:
        return self._follow(device) if self._follow else os.path.realpath(device)

    def of(self, device: str, storage: Storage) -> int | None:
        """Bytes that a device will have; None if they cannot be predicted."""
        for raid in storage.raid:
            if device == path_of(raid):
                return self._of_array(raid, storage)
        for volume in storage.luks:
            if device in volume_paths(volume.name) and volume.device:
                below = self.of(volume.device, storage)
                return None if below is None else max(0, below - LUKS_HEADER)
        planned = self._partition(device)
        return planned[1] if planned else self._length_now(device)

    def node(self, device: str, storage: Storage) -> str:
        """The future target of a path: the node of a partition, the path of an array or volume; "" if the target will be gone."""
        for raid in storage.raid:
            if device == path_of(raid):
                return device
        for volume in storage.luks:
            if device in volume_paths(volume.name):
                return volume_paths(volume.name)[0]
        planned = self._partition(device)
        node = planned[0] if planned else self._real(device)
        return "" if self._vanishes(node) else node

    def named(self, device: RootDevice, now: str) -> list[str]:
        """The partitions that will have the name or GUID that `root=` asks for; `now` is the one that has it now, or ""."""
        found = [
            partition_node(node, number)
            for node, table in self._tables.items()
            for number, entry in (table.entries.items() if table else ())
            if device.is_partition(entry.name, entry.unique_guid)
        ]
        is_planned = any(_number_of(now, disk) is not None for disk in self._tables)
        return found + ([now] if now and not is_planned else [])

    def _vanishes(self, node: str) -> bool:
        for disk, table in self._tables.items():
            number = _number_of(node, disk)
            if number is not None:
                return table is None or number not in table.entries
        return False

    def _of_array(self, raid: Raid, storage: Storage) -> int | None:
        known = [self.of(device, storage) for device in raid.devices]
        lengths = [length for length in known if length is not None]
        active = len(raid.devices) - (raid.spares or 0)
        if len(lengths) < len(raid.devices) or active < 1:
            return None
        level, least = LEVELS.get(raid.level or "", ""), min(lengths)
        if level in ("linear", "raid0"):
            return sum(lengths)
        if level == "raid10":
            return least * active // 2
        return least * (active - _PARITY[level]) if level in _PARITY else least

    def _partition(self, device: str) -> tuple[str, int] | None:
        """(node, bytes) of a planned partition, by its node or by a link."""
        disk, _, last = device.rpartition("-part")  # udev's links, and ours (selection.py)
        for node, table in self._tables.items():
            if table is None:
                continue
            for number, entry in table.entries.items():
                links = (f"by-partlabel/{encoded(entry.name)}", f"by-partuuid/{entry.unique_guid}")
                is_linked = last == str(number) and self._real(disk) == node
                if is_linked or device in (partition_node(node, number), *(f"/dev/disk/{link}" for link in links)):
                    return partition_node(node, number), entry.sectors * table.sector_size
        return None


def _number_of(node: str, disk: str) -> int | None:
    """The partition number of a node on that disk; None if it is not one of its partitions."""
    digits = node[len(node.rstrip("0123456789")) :]
    return int(digits) if digits and node == partition_node(disk, int(digits)) else None
