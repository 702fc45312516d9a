"""The existing devices whose content a config overwrites or discards; kept ones are not among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ignition.errors import Failure
from ignition.storage import disk, filesystems, raid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model import Config
    from ignition.operation import Operation
    from ignition.storage.machine import Machine

LUKS = "crypto_LUKS"


def find(config: Config, on_disks: Iterable[Operation], machine: Machine) -> dict[str, str]:
    """Node → place in the config by which it loses its content; `on_disks`: the plan for the disks. Reads devices."""
    found: dict[str, str] = {}
    for node, where in (
        *_partitions(on_disks, machine),
        *_members(config, machine),
        *_volumes(config, machine),
        *_filesystems(config, machine),
    ):
        found.setdefault(node, where)
    return found


def _partitions(operations: Iterable[Operation], machine: Machine) -> Iterator[tuple[str, str]]:
    for operation in operations:
        if isinstance(operation, disk.WipeTable | disk.WriteTable):
            yield from operation.lost(machine)


def _members(config: Config, machine: Machine) -> Iterator[tuple[str, str]]:
    users = machine.users()
    for index, array in enumerate(config.storage.raid):
        present = [(number, device) for number, device in enumerate(array.devices) if machine.exists(device)]
        members = [machine.member(device, users) for _, device in present]
        if len(present) == len(array.devices) and raid.is_right(array, members):
            continue
        for (number, _), member in zip(present, members, strict=True):
            yield member.node, f"$.storage.raid.{index}.devices.{number}"


def _volumes(config: Config, machine: Machine) -> Iterator[tuple[str, str]]:
    for index, volume in enumerate(config.storage.luks):
        if volume.device and machine.exists(volume.device):
            node = machine.real(volume.device)
            # An existing one is opened or refused, never recreated without a flag.
            if volume.wipe_volume or machine.signature(node).format != LUKS:
                yield node, f"$.storage.luks.{index}"


def _filesystems(config: Config, machine: Machine) -> Iterator[tuple[str, str]]:
    for index, wanted in filesystems.to_make(config.storage.filesystems):
        if machine.exists(wanted.device):
            node, where = machine.real(wanted.device), f"$.storage.filesystems.{index}"
            try:
                kept = filesystems.may_stay(wanted, filesystems.FilesystemFacts(node, machine.signature(node)), where)
            except Failure:
                continue  # refused later, when file systems are planned: nothing is lost by it
            if not kept:
                further = filesystems.further_devices(wanted)
                yield from ((one, where) for one in (node, *map(machine.real, further)))
