"""How large a device of the config will be, before it is made. Arithmetic on the config and the planned tables."""

import os

from ignition.storage.guid import to_text
from ignition.storage.raid import LEVELS, path_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ignition.config.model.storage import Raid, Storage
    from ignition.storage.gpt import Table

LUKS_HEADER = 16 << 20  # LUKS2's default data offset, cryptsetup-luksFormat(8)
_PARITY = {"raid4": 1, "raid5": 1, "raid6": 2}


class Planned:
    """The tables as they will be (by disk node), and the lengths of devices as they are now (bytes, by path)."""

    def __init__(self, tables: "Mapping[str, Table]", length_now: "Callable[[str], int | None]") -> None:
        self._tables, self._length_now = tables, length_now

    def of(self, device: str, storage: "Storage") -> int | None:
        """Bytes that a device will have; None if that cannot be told beforehand."""
        for raid in storage.raid:
            if device == path_of(raid):
                return self._of_array(raid, storage)
        for volume in storage.luks:
            if device in volume_paths(volume.name) and volume.device:
                below = self.of(volume.device, storage)
                return None if below is None else max(0, below - LUKS_HEADER)
        planned = self._of_partition(device)
        return self._length_now(device) if planned is None else planned

    def _of_array(self, raid: "Raid", storage: "Storage") -> int | None:
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

    def _of_partition(self, device: str) -> int | None:
        from ignition.host.devices import partition_node

        disk, _, last = device.rpartition("-part")  # udev's links, and ours (selection.py)
        for node, table in self._tables.items():
            for number, entry in table.entries.items():
                links = (f"/dev/disk/by-partlabel/{entry.name}", f"/dev/disk/by-partuuid/{to_text(entry.unique_raw)}")
                is_linked = last == str(number) and os.path.realpath(disk) == node
                if is_linked or device in (partition_node(node, number), *links):
                    return entry.sectors * table.sector_size
        return None


def volume_paths(name: str) -> tuple[str, str]:
    """The two paths of an opened volume."""
    return f"/dev/mapper/{name}", f"/dev/disk/by-id/dm-name-{name}"
