"""The partitions beside ROOT that the next boot needs: their content is not restored, so a config may not overwrite it.

Sources: UEFI 2.10, 13.3 (EFI system partition); the Discoverable Partitions Specification (XBOOTLDR); GRUB's manual (BIOS boot
partition); systemd-veritysetup-generator(8) and `mount.usr=` of systemd-fstab-generator(8).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from ignition.errors import Failure
from ignition.host import cmdline, devices, log, paths, root_device
from ignition.storage import disk, gpt_disk

EFI_FIRMWARE = "/sys/firmware/efi"
XBOOTLDR = "bc13c2ff-59e6-4262-a352-b275fd6f7172"
_OF_BIOS = {  # type → what it is for
    "21686148-6449-6e6f-744e-656564454649": "the boot loader (BIOS boot partition)",
    "9e1a2d38-c612-4316-aa26-8b49521e5a8b": "the boot loader (PReP)",
}
_OPTIONS = (
    "mount.usr",
    "usr",
    "verity.usr",
    "systemd.verity_usr_data",
    "systemd.verity_usr_hash",
    "systemd.verity_root_data",
    "systemd.verity_root_hash",
)


def refuse_losing(lost: Mapping[str, str]) -> None:
    """Raises Failure if one of the nodes that lose their content (node → place in the config) is needed. Reads devices."""
    if not lost:
        return
    for node, what in (*_named(cmdline.read()), *_of_boot_loader()):
        place = next((lost[one] for one in (node, *devices.below(node)) if one in lost), "")
        if place:
            raise Failure(
                f"this overwrites {node}, which holds {what}: the machine would not boot any more",
                where=place,
                fix="keep that partition; to begin with an empty disk, write the machine image to another one",
            )
    esp = os.path.realpath(paths.ESP)
    if esp in lost and not os.path.exists(paths.FLAGGED):
        log.warning(f"{lost[esp]} overwrites {esp}, the partition EFI-SYSTEM: this disk will not be bootable any more")


def _named(text: str) -> Iterator[tuple[str, str]]:
    """(node, purpose) of the devices that the kernel command line names beside ROOT."""
    for option, value in cmdline.options(text):
        device = root_device.named(value) if option in _OPTIONS else None
        if device and (node := device.node()):
            yield node, f"the target of {option}={value} on the kernel command line"


def _of_boot_loader() -> Iterator[tuple[str, str]]:
    """(node, purpose) of the partitions of the boot loader, if it started this boot: it saw the first-boot flag there."""
    if not os.path.exists(paths.FLAGGED) or not os.path.exists(paths.ESP):
        return
    esp = os.path.realpath(paths.ESP)
    yield esp, "the boot loader (EFI-SYSTEM)"
    whole = devices.partition_of(devices.name_of(esp))
    if whole is None:
        return
    node = devices.node_of(whole[0])
    with disk.opened(node, os.O_RDONLY) as descriptor:
        table = gpt_disk.read(descriptor, *devices.geometry(descriptor))
    wanted = {XBOOTLDR: "kernels (XBOOTLDR)"} | ({} if os.path.exists(EFI_FIRMWARE) else _OF_BIOS)
    for number, entry in table.entries.items() if table else ():
        if entry.type_guid in wanted:
            yield devices.partition_node(node, number), wanted[entry.type_guid]
