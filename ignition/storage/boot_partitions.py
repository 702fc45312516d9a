"""The partitions beside ROOT that the next boot needs: their content is not restored, so a config may not overwrite it.

Sources: UEFI 2.10, 13.3 (EFI system partition); the Discoverable Partitions Specification (XBOOTLDR); GRUB's manual (BIOS boot
partition); systemd-veritysetup-generator(8) and `mount.usr=` of systemd-fstab-generator(8).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ignition.errors import Failure, refusing
from ignition.host import boot_directory, cmdline, devices, log, root_device

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.storage.machine import Machine

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


@refusing()
def refuse_losing(lost: Mapping[str, str], machine: Machine) -> None:
    """Raises Failure if one of the nodes that lose their content (node → place in the config) is needed. Reads devices."""
    if not lost:
        return
    for node, what in (*_named(machine), *_of_boot_loader(machine)):
        place = next((lost[one] for one in (node, *machine.below(node)) if one in lost), "")
        if place:
            raise Failure(
                f"this overwrites {node}, which holds {what}: the machine would not boot any more",
                where=place,
                fix="keep that partition; to begin with an empty disk, write the machine image to another one",
            )
    boot = boot_directory.find(machine.command_line())
    node = machine.real(boot.link)
    if node in lost and not machine.boot_partition():
        log.warning(f"{lost[node]} overwrites {node}, the partition {boot.name}: this disk will not be bootable any more")


def _named(machine: Machine) -> Iterator[tuple[str, str]]:
    """(node, purpose) of the devices that the kernel command line names beside ROOT."""
    for option, value in cmdline.options(machine.command_line()):
        device = root_device.named(value) if option in _OPTIONS else None
        if device and (node := device.node(machine.real, machine.exists)):
            yield node, f"the target of {option}={value} on the kernel command line"


def _of_boot_loader(machine: Machine) -> Iterator[tuple[str, str]]:
    """(node, purpose) of the partitions of the boot loader, if it started this boot: it saw the first-boot flag there."""
    esp = machine.boot_partition()
    if not esp:
        return
    yield esp, f"the boot loader ({boot_directory.find(machine.command_line()).name})"
    around = machine.table_around(esp)
    if around is None:
        return
    node, table = around
    wanted = {XBOOTLDR: "kernels (XBOOTLDR)"} | ({} if machine.has_efi() else _OF_BIOS)
    for number, entry in table.entries.items() if table else ():
        if entry.type_guid in wanted:
            yield devices.partition_node(node, number), wanted[entry.type_guid]
