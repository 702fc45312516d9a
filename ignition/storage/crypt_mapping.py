"""Open encrypted volumes, as the device mapper reports them. Source: sysfs, `dm/name` and cryptsetup's `dm/uuid`."""

from __future__ import annotations

import os

from ignition.host import devices

_BEGIN = "CRYPT-LUKS"


class Mapping:
    """One open volume. `device` is the kernel's name of the mapped device (dm-0), `below` those of the underlying devices.

    `uuid` is that of the LUKS header, "" for another kind of mapping.
    """

    __slots__ = ("below", "device", "name", "uuid")

    def __init__(self, name: str, device: str, uuid: str, below: tuple[str, ...]) -> None:
        self.name, self.device, self.uuid, self.below = name, device, uuid, below


def path_of(name: str) -> str:
    """The path of an open volume."""
    return f"/dev/mapper/{name}"


def mapping_named(name: str) -> Mapping | None:
    """The mapping with this name below /dev/mapper, encrypted or not."""
    return next((mapping for mapping in _every() if mapping.name == name), None)


def mapping_on_device(device: str) -> Mapping | None:
    """The open encrypted volume on a device, which is given by its kernel name."""
    return next((mapping for mapping in _every() if mapping.uuid and device in mapping.below), None)


def luks_uuid(dm_uuid: str) -> str:
    """`CRYPT-LUKS2-<32 hex digits>-<name>` → the UUID with its dashes; "" for anything else."""
    if not dm_uuid.startswith(_BEGIN):
        return ""
    digits = dm_uuid.split("-")[2]
    if len(digits) != 32:
        return ""
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _every() -> list[Mapping]:
    base = f"{devices.SYSFS}/class/block"
    found = []
    for device in sorted(os.listdir(base)):
        name = _read(f"{base}/{device}/dm/name")
        if name is not None:
            uuid = luks_uuid(_read(f"{base}/{device}/dm/uuid") or "")
            found.append(Mapping(name, device, uuid, _below(base, device, name)))
    return found


def _below(base: str, device: str, name: str) -> tuple[str, ...]:
    """The underlying devices. Integrity protection puts another mapping in between, which is skipped."""
    found: list[str] = []
    for below in devices.components(device):
        between = _read(f"{base}/{below}/dm/name") == f"{name}_dif"
        found += _below(base, below, name) if between else [below]
    return tuple(found)


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
