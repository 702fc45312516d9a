"""The devices that a plan of storage is about: those of this machine.

All that the disks stage learns about devices it asks here. `ignition plan` answers the same questions for a machine that it only
has facts about, and for the time after each operation (ignition/planning).
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from ignition.host import boot_directory, cmdline, devices, first_boot_mark, paths, root_device, temporary_mount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model.storage import Disk, Luks, Raid
    from ignition.host.root_device import RootDevice
    from ignition.operation import Context
    from ignition.storage.disk import DiskFacts
    from ignition.storage.gpt import Table
    from ignition.storage.luks import VolumeFacts
    from ignition.storage.luks_keys import Keys
    from ignition.storage.raid import Member
    from ignition.storage.signatures import Signature

EFI_FIRMWARE = "/sys/firmware/efi"


class Machine:
    """This machine. Nodes are resolved devices (`/dev/vda1`); paths may be links of udev. Nothing is changed."""

    def earlier_steps(self) -> frozenset[str]:
        """The steps that an earlier attempt completed (host/first_boot_mark.py)."""
        return first_boot_mark.earlier()

    def wait_for(self, devices_: Sequence[str]) -> None:
        """Return once all exist. Raises Failure for missing ones."""
        devices.wait_for(list(devices_))

    def exists(self, device: str) -> bool:
        """Whether there is such a device now."""
        return os.path.exists(device)

    def real(self, device: str) -> str:
        """The node of a device; the path itself if it does not exist."""
        return os.path.realpath(device)

    def length(self, device: str) -> int | None:
        """Bytes; None if there is no such device."""
        return devices.length(device)

    def below(self, node: str) -> list[str]:
        """The nodes that a device lies on, through all layers."""
        return devices.below(node)

    def partitions(self, node: str) -> list[str]:
        """The nodes of the kernel's partitions of a disk."""
        return [devices.node_of(name) for name, _, _ in devices.partitions(devices.name_of(node)).values()]

    def users(self) -> devices.Users:
        """The users of all devices, as of now."""
        return devices.Users()

    def user(self, node: str, users: devices.Users) -> str:
        """The users of a device or of one of its partitions, in words; "" if all of it is unused."""
        return users.of_any_part(devices.name_of(node))

    def signature(self, node: str) -> Signature:
        """The content of a device."""
        from ignition.storage import signatures

        return signatures.probe(node)

    def disk(self, wanted: Disk, users: devices.Users) -> DiskFacts:
        """One disk of the config. Raises Failure."""
        from ignition.storage import disk

        return disk.probe(wanted, os.path.realpath(wanted.device), users)

    def member(self, device: str, users: devices.Users) -> Member:
        """One device of an array."""
        from ignition.storage import raid

        return raid.member(os.path.realpath(device), users)

    def members(self, arrays: Sequence[Raid]) -> dict[str, list[Member]]:
        """The devices of each array, by its name in the config. They must exist."""
        from ignition.storage import raid

        return raid.probe(arrays, devices.Users())

    def volumes(self, volumes: tuple[Luks, ...], wave: Sequence[int], keys: Keys, context: Context) -> dict[str, VolumeFacts]:
        """The encrypted volumes of a wave, by name. Known keys are added to `keys`. Raises Failure."""
        from ignition.storage import luks

        return luks.probe(volumes, context, keys, wave)

    def root_device(self) -> RootDevice | None:
        """The device in `root=`; None if ROOT is not on a block device."""
        return root_device.read()

    def command_line(self) -> str:
        """The kernel command line."""
        return cmdline.read()

    def boot_partition(self) -> str:
        """The node of the device with the boot directory if the boot loader saw the first-boot flag there, else ""."""
        return boot_directory.find(self.command_line()).node() if os.path.exists(paths.FLAGGED) else ""

    def has_efi(self) -> bool:
        """Whether the firmware is UEFI."""
        return os.path.exists(EFI_FIRMWARE)

    def table_around(self, node: str) -> tuple[str, Table | None] | None:
        """(node, table) of the disk of a partition; None for a whole device."""
        from ignition.storage import disk, gpt_disk

        whole = devices.partition_of(devices.name_of(node))
        if whole is None:
            return None
        around = devices.node_of(whole[0])
        with disk.opened(around, os.O_RDONLY) as descriptor:
            return around, gpt_disk.read(descriptor, *devices.geometry(descriptor))

    def used_bytes(self, node: str) -> int:
        """Bytes of the files of a file system, which is mounted read-only meanwhile."""
        with temporary_mount.mounted(node, ("auto",), ("ro",)) as directory:
            status = os.statvfs(directory)
        return (status.f_blocks - status.f_bfree) * status.f_frsize

    def memory(self) -> tuple[int, int]:
        """Bytes of memory: all, and available."""
        from ignition.storage.root_contents import available_memory

        return available_memory()
