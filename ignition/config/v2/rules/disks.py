"""V10, V11, V13–V15, V20 and O20: disks, partitions and arrays."""

from ignition.config.known_values import RAID_WITHOUT_SPARES
from ignition.config.rules import Context, error, rule
from ignition.config.rules.disks import partitioned_arrays, uncertain_numbers
from ignition.config.v2.model import Disk, Partition, Raid, Storage2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding


@rule(Disk, "V10")
def numbers_are_used_once(disk: Disk, _: Context) -> "Iterator[Finding]":
    seen: dict[int, int] = {}
    for index, partition in enumerate(disk.partitions):
        if partition.number:
            if partition.number in seen:
                message = f"number {partition.number} is that of partitions.{seen[partition.number]}, too"
                yield error(f"partitions.{index}", message, "give each partition its own number, or 0 for the next free one")
            seen.setdefault(partition.number, index)


@rule(Disk, "V11")
def partitions_do_not_overlap(disk: Disk, context: Context) -> "Iterator[Finding]":
    always = context.before("2.3.0")
    placed = [
        (index, partition.start, partition.start + max(partition.size or 0, 1))
        for index, partition in enumerate(disk.partitions)
        if partition.start and (always or partition.size is not None)
    ]
    for first, start, end in placed:
        for second, other_start, other_end in placed:
            if first < second and start < other_end and other_start < end:
                message = f"overlaps partitions.{first} (sectors {start} to {end})"
                yield error(f"partitions.{second}", message, f"begin it at sector {end} or later, or leave start out")


@rule(Disk, "V13", since="2.3.0")
def next_free_number_is_certain(disk: Disk, _: Context) -> "Iterator[Finding]":
    yield from uncertain_numbers(disk.partitions)


@rule(Disk, "V14", since="2.3.0")
def units_are_not_mixed(disk: Disk, _: Context) -> "Iterator[Finding]":
    """Within a disk, and so within each partition."""
    sectors = [index for index, each in enumerate(disk.partitions) if each.size is not None or each.start is not None]
    mib = [index for index, each in enumerate(disk.partitions) if each.size_mib is not None or each.start_mib is not None]
    if sectors and mib:
        yield error(f"partitions.{sectors[0]}", "sectors (size, start) and MiB are mixed on one disk", "use sizeMiB and startMiB")


@rule(Partition, "V15", since="2.3.0")
def absent_partition_has_only_a_number(partition: Partition, _: Context) -> "Iterator[Finding]":
    if partition.should_exist is not False:
        return
    described = (
        ("label", partition.label is not None),
        ("guid", bool(partition.guid)),
        ("typeGuid", bool(partition.type_guid)),
        ("start", partition.start is not None),
        ("size", partition.size is not None),
    )
    given = [name for name, is_given in described if is_given]
    if given:
        yield error("", f"shouldExist is false, but {', '.join(given)} describes the partition", "name it by its number alone")


@rule(Raid, "V20")
def level_has_room_for_spares(raid: Raid, _: Context) -> "Iterator[Finding]":
    if raid.level in RAID_WITHOUT_SPARES and raid.spares:
        yield error("level", f"{raid.level} cannot have spares", "leave spares out, or choose a level with redundancy")


@rule(Storage2, "O20")
def devices_are_made_in_time(storage: Storage2, _: Context) -> "Iterator[Finding]":
    yield from partitioned_arrays(storage, {})
