"""The plan: which file systems grow, and why others do not. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ignition.errors import Failure
from ignition.operation import Operation
from ignition.storage.grow.facts import FORMATS, MIN_GAIN, ROOT_TYPE, GrowFacts, Partition
from ignition.storage.grow.layers import FULL, Limit, check_type, grown
from ignition.storage.grow.operations import KEEP_SIZE, GrowFilesystem, Growth, KeepSize, NotGrown
from ignition.storage.partitions import derived_guid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model import Config


def plan(
    facts: list[GrowFacts],
    config: Config | None,
    nodes: Mapping[str, str] | None = None,
    keep: Collection[str] = (),
) -> list[Operation]:
    """The steps for each file system, from the disk up, or the reason why it does not grow.

    `nodes`: the resolved nodes of the config's disks whose names are links; `keep`: the GUIDs of the partitions whose size
    the config of an earlier boot set.
    """
    sized = [_sized(one, config, nodes or {}) for one in facts]
    operations = [
        operation
        for one, places in zip(facts, sized, strict=True)
        for operation in _plan_one(one, places | _sized_before(one, keep))
    ]
    guids = {guid for places in sized for guid in places}
    can_note = any(one.is_root and not one.read_only for one in facts)
    return [*operations, KeepSize(list(guids))] if guids and can_note else operations


def is_candidate(facts: GrowFacts) -> bool:
    """Whether a file system is considered for growth: the root, and those on partitions of the type."""
    return facts.is_root or any(one.entry is not None and one.entry.type_guid == ROOT_TYPE for one in facts.partitions())


def _plan_one(facts: GrowFacts, sized: Mapping[str, Failure]) -> list[Operation]:
    operations: list[Growth] = []
    limits: list[Limit] = []
    try:
        _refuse(facts, sized)
        for part in facts.parts:
            outcome = grown(part.layer)
            operations += outcome.operations
            limits += outcome.limits
            if outcome.length - part.length >= MIN_GAIN:
                operations.append(GrowFilesystem(facts, part))
    except Failure as failure:
        return [NotGrown(facts, failure)]
    if any(operation.lengthens for operation in operations):
        return [*operations]
    return [*operations, NotGrown(facts, limits[0] if limits else Limit(FULL))]


def _refuse(facts: GrowFacts, sized: Mapping[str, Failure]) -> None:
    """Raises Failure for a file system that does not grow even if there is space."""
    if facts.problem:
        raise Failure(facts.problem, fix=facts.fix)
    for part in facts.parts if not facts.any_type else ():
        for partition in part.layer.partitions():
            check_type(partition, alone=partition is part.layer)
    if facts.format not in FORMATS:
        raise Failure(
            f"{facts.format} is not one of the file systems that grow while mounted ({', '.join(FORMATS)})",
            fix="use one of these formats for ROOT (storage.filesystems)",
        )
    if facts.read_only:
        raise Failure("it is mounted read-only", fix=f"`mount -o remount,rw {facts.target}`, then `ignition grow`")
    for failure in sized.values():
        raise failure


def _sized(facts: GrowFacts, config: Config | None, nodes: Mapping[str, str]) -> dict[str, Failure]:
    """By GUID, the partitions below a file system whose size the config sets."""
    found = {}
    for partition in facts.partitions() if config else ():
        place = _sized_at(config, partition, nodes) if config else ""
        if place and partition.entry:
            found[partition.entry.unique_guid] = Failure(
                f"the config sets its size ({place})", fix="omit sizeMiB, or set it to 0, to let it grow"
            )
    return found


def _sized_before(facts: GrowFacts, keep: Collection[str]) -> dict[str, Failure]:
    return {
        partition.entry.unique_guid: Failure(
            f"the config of the first boot set the size of {partition.node}",
            fix=f"remove its GUID from {KEEP_SIZE} to let it grow",
        )
        for partition in facts.partitions()
        if partition.entry and partition.entry.unique_guid in keep
    }


def _sized_at(config: Config, partition: Partition, nodes: Mapping[str, str]) -> str:
    """The place in the config that sets the size of the partition, or ""."""
    table, entry = partition.table, partition.entry
    if table is None or entry is None:
        return ""
    for disk_index, disk in enumerate(config.storage.disks):
        if nodes.get(disk.device, disk.device) != partition.disk_node:
            continue
        for index, wanted in enumerate(disk.partitions):
            named = wanted.number == partition.number or (
                wanted.number == 0 and entry.unique_raw == derived_guid(table, disk, index)
            )
            if named and wanted.should_exist is not False and (wanted.size_mib or wanted.size_sectors):
                return f"$.storage.disks.{disk_index}.partitions.{index}"
    return ""
