"""Where the boot loader's files are: the EFI system partition, and the extended boot loader partition on the same disk.

Sources: UAPI Discoverable Partitions Specification (types), systemd's Boot Loader Interface (LoaderDevicePartUUID), udev's
records of block devices. Nothing is mounted here.
"""

from __future__ import annotations

import os
from contextlib import suppress

from ignition.errors import Failure
from ignition.host import boot_directory, devices, log, paths
from ignition.host.command import run

ESP_TYPE = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
XBOOTLDR_TYPE = "bc13c2ff-59e6-4262-a352-b275fd6f7172"
ESP_LABEL = paths.ESP
LOADER_DEVICE = "/sys/firmware/efi/efivars/LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
BY_PARTUUID = "/dev/disk/by-partuuid"
RECORDS = "/run/udev/data"
_WAIT_S = 30.0


def find() -> tuple[str, str]:
    """Nodes of the EFI system partition and of the extended boot loader partition; "" for the second if it does not exist.

    The first is the one that the boot loader names, else the one labelled EFI-SYSTEM, else the only one. If the kernel command
    line names a boot directory, it is the device of that. Raises Failure.
    """
    place = boot_directory.find()
    if place.is_given:
        return devices.resolve(place.link, timeout_s=_WAIT_S), ""
    esp = _esp()
    disk = _disk(esp)
    beside = [node for node in of_type(XBOOTLDR_TYPE) if disk and _disk(node) == disk]
    return esp, beside[0] if beside else ""


def with_notes(esp: str) -> str:
    """Node of the partition with the first-boot flag and the notes beside it; usually the boot loader's own, `esp`."""
    return os.path.realpath(ESP_LABEL) if os.path.exists(ESP_LABEL) and not boot_directory.find().is_given else esp


def of_type(guid: str) -> list[str]:
    """Nodes of the partitions with this type in a GPT, as recorded by udev, sorted by name."""
    records = os.listdir(RECORDS) if os.path.isdir(RECORDS) else []
    blocks = [name for name in records if name.startswith("b") and _says(name, f"E:ID_PART_ENTRY_TYPE={guid}\n")]
    names = [devices.name_of_number(*map(int, block[1:].split(":"))) for block in blocks]
    return sorted(devices.node_of(name) for name in names if name)  # a device may have disappeared meanwhile


def _says(record: str, line: str) -> bool:
    with suppress(FileNotFoundError), open(f"{RECORDS}/{record}", encoding="utf-8", errors="replace", newline="\n") as file:
        return line in file
    return False


def _esp() -> str:
    named = loader_partition()
    expected = f"{BY_PARTUUID}/{named}" if named else ESP_LABEL
    # A boot loader that was started from it, or saw the flag on it, proves that it will appear: wait for it.
    if named or os.path.exists(paths.FLAGGED):
        return devices.resolve(expected, timeout_s=_WAIT_S)
    run(["udevadm", "settle", f"--timeout={_WAIT_S:g}"], why="waiting for udev", timeout_s=_WAIT_S + 5)
    if os.path.exists(ESP_LABEL):
        return os.path.realpath(ESP_LABEL)
    candidates = of_type(ESP_TYPE)
    if not candidates:
        fix = "if the kernel is not started by a boot loader of this machine (PXE), set its arguments on the server"
        raise Failure("no EFI system partition found", fix=fix)
    if len(candidates) > 1:
        fix = "set the file system label EFI-SYSTEM on the one with the boot loader"
        raise Failure(f"several EFI system partitions found: {', '.join(candidates)}", fix=fix)
    log.info(f"{candidates[0]} is the only EFI system partition: used although its label is not EFI-SYSTEM")
    return candidates[0]


def loader_partition() -> str:
    """The unique GUID of the partition that systemd-boot, or another loader with that interface, was started from; else ""."""
    try:
        with open(LOADER_DEVICE, "rb") as file:
            return file.read()[4:].decode("utf-16-le").rstrip("\0").lower()  # after four bytes of attributes
    except (OSError, UnicodeDecodeError):
        return ""


def _disk(node: str) -> str:
    place = devices.partition_of(os.path.basename(node))
    return place[0] if place else ""
