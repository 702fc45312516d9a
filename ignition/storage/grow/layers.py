"""The growth of each layer, from the disk up, computed with the future lengths of the layers below. Pure."""

from __future__ import annotations

from ignition.errors import Failure
from ignition.storage import gpt
from ignition.storage.grow import lvm
from ignition.storage.grow.facts import (
    ALIGNMENT,
    MEMBER_TYPES,
    MIN_GAIN,
    ROOT_TYPE,
    Array,
    Crypt,
    Disk,
    Layer,
    Logical,
    Other,
    Partition,
)
from ignition.storage.grow.lvm import GrowLogical, GrowPhysical, NoteFree
from ignition.storage.grow.operations import GrowArray, GrowCrypt, GrowPartition, Growth, by_hand

# A partition's new end in its table. Pure. Source: docs/reference/boot.md §8.2.


class Limit(Failure):
    """The reason for the length of a layer; not a failure."""


def grown_table(table: gpt.Table, number: int, alignment: int = 1) -> tuple[gpt.Table, Limit | None]:
    """(the table with its backup at the end of the disk and partition `number` of the maximal length, the limit of that).

    Only that partition's end and the place of the backup change. A new end is at a multiple of `alignment` bytes.
    """
    target = table.relocated()
    entry = target.entries[number]
    following = [(other.first, index) for index, other in target.entries.items() if other.first > entry.last]
    limit, next_number = min(following, default=(target.last_usable + 1, 0))
    end = limit - limit % max(1, alignment // table.sector_size)
    if (end - 1 - entry.last) * table.sector_size >= MIN_GAIN:
        return target.with_entries({number: entry.resized(end - 1)}), None
    if not next_number:
        return target, Limit("it already fills its disk")
    name = target.entries[next_number].name
    return target, Limit(
        f"partition {next_number}" + (f" ({name})" if name else "") + " follows it on the disk",
        fix="to let it grow, move that partition before it, or to another disk",
    )


FULL = "it already fills its disk"


class Outcome:
    """Steps, the length in bytes after them, and its limits (empty if it grows to the end of its disk)."""

    def __init__(self, operations: list[Growth], length: int, limits: list[Limit]) -> None:
        self.operations, self.length, self.limits = operations, length, limits


def grown(layer: Layer, *, aligned: bool = False) -> Outcome:
    """The growth of a layer and those below it. `aligned`: to whole blocks of 4 KiB. Raises Failure if it must not grow."""
    if layer.shared:
        raise Failure(
            f"{layer.node} also carries {', '.join(layer.shared)}",
            fix="growth requires a single path from the disk to ROOT: grow it by hand",
        )
    if isinstance(layer, Disk):
        return Outcome([], layer.length, [Limit(FULL)])
    if isinstance(layer, Partition):
        return _partition(layer, aligned=aligned)
    if isinstance(layer, Array):
        return _array(layer, aligned=aligned)
    if isinstance(layer, Crypt):
        return _crypt(layer)
    if isinstance(layer, Logical):
        return _logical(layer)
    what, fix = (layer.what, layer.fix) if isinstance(layer, Other) else (f"{layer.node} is of an unknown kind", "")
    raise Failure(what, fix=fix)


def _partition(layer: Partition, *, aligned: bool) -> Outcome:
    table, entry = layer.table, layer.entry
    if table is None or entry is None:
        raise Failure(
            layer.problem or f"{layer.disk_node} does not have a GPT with partition {layer.number}",
            fix=layer.fix or "use an image whose disk has a GPT; an MBR is left alone",
        )
    target, limit = grown_table(table, layer.number, ALIGNMENT if aligned else 1)
    length = target.entries[layer.number].sectors * target.sector_size
    changed = target != table or table.faults or length != layer.length
    operations: list[Growth] = [GrowPartition(layer, target)] if changed else []
    return Outcome(operations, length, [limit] if limit else [])


def check_type(partition: Partition, *, alone: bool) -> None:
    """Raises Failure if the type of a partition excludes growth. `alone`: it has a file system, not another layer."""
    entry = partition.entry
    if entry is None or entry.type_guid == ROOT_TYPE or (entry.type_guid in MEMBER_TYPES and not alone):
        return
    raise Failure(
        f"the type of its partition is {entry.type_guid}, and only {ROOT_TYPE} grows"
        if alone
        else f"the type of {partition.node} is {entry.type_guid}, and only these grow: {', '.join((ROOT_TYPE, *MEMBER_TYPES))}",
        fix=f"`sfdisk --part-type {partition.disk_node} {partition.number} {ROOT_TYPE}` sets the type",
    )


def _array(layer: Array, *, aligned: bool) -> Outcome:
    if layer.level != "raid1":
        raise Failure(
            f"{layer.node} is a {layer.level} array, and only raid1 grows automatically",
            fix=f"grow its members, then `mdadm --grow {layer.node} --size=max` where the level allows it, then `ignition grow`",
        )
    if layer.missing:
        raise Failure(
            f"the array {layer.node} lacks {layer.missing} of its members: one that comes back could be too small for more",
            fix=f"add the missing ones (`mdadm {layer.node} --add DEVICE`), then `ignition grow`",
        )
    below = [grown(one, aligned=aligned) for one in layer.below]
    operations = [operation for one in below for operation in one.operations]
    gains = [one.length - offset - layer.used for one, offset in zip(below, layer.offsets, strict=True)]
    gain = min(gains, default=0)
    if gain < MIN_GAIN:
        return Outcome(operations, layer.length, _limits_of_array(layer, below, gains))
    return Outcome([*operations, GrowArray(layer)], layer.length + gain, [])


def _limits_of_array(layer: Array, below: list[Outcome], gains: list[int]) -> list[Limit]:
    smallest = [one for one, gain in zip(below, gains, strict=True) if gain < MIN_GAIN]
    if len(smallest) == len(below):
        return below[0].limits
    nodes = [lower.node for lower, gain in zip(layer.below, gains, strict=True) if gain < MIN_GAIN]
    return [Limit(f"{', '.join(nodes)} keeps the array {layer.node} from growing", fix="enlarge the disks of all members")]


def _crypt(layer: Crypt) -> Outcome:
    below = grown(layer.below[0], aligned=True)
    gain = below.length - layer.offset - layer.length
    if gain < MIN_GAIN:
        return Outcome(below.operations, layer.length, below.limits)
    if layer.ways is not None and not layer.ways:
        raise Failure(
            f"only a person can open {layer.name} ({layer.kind}): not bound by clevis, and without a key file in crypttab",
            fix=by_hand(layer.name),
        )
    return Outcome([*below.operations, GrowCrypt(layer)], layer.length + gain, [])


def _logical(layer: Logical) -> Outcome:
    if layer.segments != lvm.LINEAR:
        raise Failure(
            f"the logical volume {layer.name} is {' and '.join(layer.segments)}, and only linear ones grow automatically",
            fix=f"`pvresize` its devices and `lvextend -r -l +100%FREE {layer.name}`",
        )
    below = [grown(one) for one in layer.below]
    operations = [operation for one in below for operation in one.operations]
    won, physical = 0, list[Growth]()
    for one, lower, volume in zip(below, layer.below, layer.physical, strict=True):
        gain = (one.length - volume.start) // layer.extent - volume.size // layer.extent
        if gain * layer.extent >= MIN_GAIN:
            won += gain
            physical.append(GrowPhysical(lower.node))
    if not physical and layer.noted is None:
        return Outcome(operations, layer.length, [limit for one in below for limit in one.limits])
    # Noted: an earlier growth was interrupted between the physical volume and this one.
    noted = layer.free if layer.noted is None else layer.noted
    note: list[Growth] = [NoteFree(layer)] if layer.noted is None else []
    length = layer.length + (won + layer.free - noted) * layer.extent
    return Outcome([*operations, *note, *physical, GrowLogical(layer, noted)], length, [])
