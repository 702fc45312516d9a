"""The layers below ROOT, as the grow stage will find them on a planned machine: the facts for storage/grow, without sysfs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ignition.facts import document
from ignition.host import cmdline
from ignition.host.mounts import Mount
from ignition.storage import luks_header
from ignition.storage.capacity import LUKS_HEADER
from ignition.storage.grow import facts as growth

if TYPE_CHECKING:
    from ignition.facts.document import Device
    from ignition.planning.machine import PlannedMachine
    from ignition.storage.grow.facts import GrowFacts, Layer
    from ignition.storage.grow.keys import KeyFinder


def of_root(machine: PlannedMachine, target: str, keys: KeyFinder) -> GrowFacts | None:
    """The facts about ROOT, which will be mounted on `target`; None if it is not on a device of the machine."""
    device = machine.devices.get(machine.root_node())
    if device is None:
        return None
    found = growth.GrowFacts(Mount((0, 0), target, device.node, device.content.format or "ext4", read_only=False), is_root=True)
    found.any_type = cmdline.last(machine.command_line(), growth.OPTION) == growth.OF_ROOT
    found.parts = (growth.Part(_layer(machine, device, keys), machine.filled(device.node)),)
    return found


def _layer(machine: PlannedMachine, device: Device, keys: KeyFinder) -> Layer:
    """A device and all below it."""
    layer = _alone(machine, device, keys)
    if isinstance(layer, growth.Array | growth.Crypt):
        layer.below = tuple(_layer(machine, machine.devices[one], keys) for one in device.below)
        for one, lower in zip(device.below, layer.below, strict=True):
            lower.shared = tuple(other.node for other in machine.devices.values() if one in other.below and other is not device)
    return layer


def _alone(machine: PlannedMachine, device: Device, keys: KeyFinder) -> Layer:
    below = [machine.devices[one] for one in device.below if one in machine.devices]
    if device.kind == document.PARTITION:
        return _partition(machine, device)
    if device.kind == document.DISK:
        return growth.Disk(device.node, device.size)
    if device.kind == document.ARRAY and below and all(one.member for one in below):
        return _array(machine, device, below)
    if device.kind == document.MAPPING and len(below) == 1 and below[0].luks:
        return _volume(machine, device, below[0], keys)
    return growth.Other(device.node, device.size, f"it is on {device.node}: how far its layers grow is known at the boot", "")


def _partition(machine: PlannedMachine, device: Device) -> growth.Partition:
    [disk] = device.below
    partition = growth.Partition(device.node, device.size, disk, device.number)
    partition.table = machine.table(disk)
    if partition.table is None:
        partition.problem, partition.fix = f"{disk} has no GPT", "use a GPT"
    return partition


def _array(machine: PlannedMachine, device: Device, below: list[Device]) -> growth.Array:
    blocks = [one.member for one in below if one.member]
    array = growth.Array(device.node, device.size, blocks[0].level)
    array.missing = max(0, blocks[0].devices - len(below))
    if all(block.used for block in blocks):
        array.used, array.offsets = blocks[0].used, tuple(block.offset for block in blocks)
    else:  # made by the plan: mdadm takes the same from the beginning of each, so that only differences of sizes count
        array.used, array.offsets = min(one.size for one in below), tuple(0 for _ in below)
    return array


def _volume(machine: PlannedMachine, device: Device, below: Device, keys: KeyFinder) -> growth.Crypt:
    known = below.luks or document.Luks(2)
    volume = growth.Crypt(device.node, device.size, device.name, f"LUKS{known.version}")
    volume.offset = known.offset or LUKS_HEADER
    if known.version == 2:  # its key is in a keyring of the kernel, and cryptsetup asks for it again
        tokens = tuple(luks_header.Token(tuple(slots), header) for slots, header in known.tokens)
        volume.ways = keys.known_ways(device.name, below.node, tokens)
    return volume
