"""The machine's disks, as udev and the kernel describe them.

Sources: sysfs (Documentation/ABI in the kernel); 60-persistent-storage.rules of systemd for the names of udev's properties.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from ignition.host import boot_directory, devices, root_device
from ignition.patterns import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    Properties = Callable[[str], Mapping[str, str]]

# Not disks, although there is hardware behind them: optical and floppy drives, and the boot and key areas of a memory card.
_OTHER = lazy_pattern(r"sr\d+|fd\d+|mmcblk\d+(boot\d+|rpmb|gp\d+)")
_BY_NAME = {"nvme": "nvme", "vd": "virtio", "mmcblk": "mmc", "xvd": "xen", "dasd": "ccw"}  # where udev sets no ID_BUS
_SERIALS = ("ID_SCSI_SERIAL", "ID_SERIAL_SHORT", "ID_SERIAL")


class MachineDisk:
    """One disk: kernel name, bytes, all spellings of serial number and model (the shortest first), bus ("" if unknown).

    `user` describes the use of the disk or of one of its partitions; "" if it is unused.
    """

    def __init__(
        self,
        name: str,
        size: int,
        *,
        serials: tuple[str, ...] = (),
        models: tuple[str, ...] = (),
        transport: str = "",
        removable: bool = False,
        user: str = "",
    ) -> None:
        self.name, self.size, self.serials, self.models = name, size, serials, models
        self.transport, self.removable, self.user = transport, removable, user


def probe(properties: Properties | None = None) -> list[MachineDisk]:
    """All disks with a medium, by name. `properties` returns udev's properties for a kernel name."""
    properties = properties or _udev()
    users = devices.Users()
    system = _of_the_system()
    found = []
    for name in sorted(os.listdir(f"{devices.SYSFS}/block"), key=lambda name: (len(name), name)):  # sdz before sdaa
        size = devices.length_of(name)
        if _is_disk(name) and size:
            user = system.get(name) or users.of(name)
            # Unlike Users.of_any_part: the partition by its number, as configs name it.
            for number, (partition, _, _) in () if user else sorted(devices.partitions(name).items()):
                if used := users.of(partition):
                    user = f"partition {number} is {used}"
                    break
            found.append(_described(name, size, properties(name), user))
    return found


def _of_the_system() -> dict[str, str]:
    """Kernel name → the reason why the machine needs this disk. While ROOT is recreated, only the boot loader marks the disk."""
    root = root_device.read()
    found: dict[str, str] = {}
    place = boot_directory.find()
    for node, why in ((place.node(), f"it holds {place.name}"), (root.node() if root else "", "it holds ROOT")):
        if node and os.path.exists(node):
            found |= dict.fromkeys(_disks_below(devices.name_of(node)), why)
    return found


def _udev() -> Properties:
    # Imported here: only configs that select disks need it, and it costs 38 ms.
    import pyudev

    context = pyudev.Context()
    return lambda name: dict(pyudev.Devices.from_name(context, "block", name).properties)


def _is_disk(name: str) -> bool:
    """Whether a block device is hardware, and not one of several paths to it: only hardware has a `device` in sysfs."""
    base = f"{devices.SYSFS}/block/{name}"
    return os.path.exists(f"{base}/device") and not _OTHER.fullmatch(name) and _read(f"{base}/hidden") != "1"


def _described(name: str, size: int, properties: Mapping[str, str], user: str) -> MachineDisk:
    base = f"{devices.SYSFS}/block/{name}"
    # NVMe and virtio have the serial number of the disk itself, others that of the device behind it.
    serials = [_read(f"{base}/serial"), _read(f"{base}/device/serial"), *(properties.get(key, "") for key in _SERIALS)]
    models = [_read(f"{base}/device/model"), properties.get("ID_MODEL", "")]
    if name.startswith("mmcblk"):
        models.insert(0, _read(f"{base}/device/name"))
    return MachineDisk(
        name,
        size,
        serials=tuple(dict.fromkeys(filter(None, serials))),
        models=tuple(dict.fromkeys(filter(None, models))),
        transport=next((bus for prefix, bus in _BY_NAME.items() if name.startswith(prefix)), properties.get("ID_BUS", "")),
        removable=_read(f"{base}/removable") == "1",
        user=user,
    )


def _disks_below(name: str) -> set[str]:
    """The kernel names of the disks below a device, through arrays and mappings."""
    partition = devices.partition_of(name)
    if partition is not None:
        return {partition[0]}
    below = [one for component in devices.components(name) for one in _disks_below(component)]
    return set(below) or {name}


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip("\0 \t\n")  # drives pad their names
    except OSError:
        return ""
