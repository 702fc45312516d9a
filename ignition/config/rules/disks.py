"""Rules D3–D5, P1 and P2: disks and partitions."""

from ignition.config.model.storage import Disk, Partition
from ignition.config.rules import Context, error, rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding


@rule(Disk, "D3")
def numbers_are_used_once(disk: Disk, _: Context) -> "Iterator[Finding]":
    seen: dict[int, int] = {}
    for index, partition in enumerate(disk.partitions if disk.device else ()):
        if partition.number:
            if partition.number in seen:
                message = f"number {partition.number} is that of partitions.{seen[partition.number]}, too"
                yield error(f"partitions.{index}", message, "give each partition its own number, or 0 for the next free one")
            seen.setdefault(partition.number, index)


@rule(Disk, "D4")
def partitions_do_not_overlap(disk: Disk, _: Context) -> "Iterator[Finding]":
    placed = [  # with their first and last MiB; negative sizes, which nothing forbids, are compared as Ignition does
        (index, partition.start_mib, partition.start_mib + (partition.size_mib or 1) - 1)
        for index, partition in enumerate(disk.partitions if disk.device else ())
        if partition.start_mib and partition.size_mib is not None
    ]
    for one, start, last in placed:
        for other, other_start, other_last in placed:
            touches = any(other_start <= edge <= other_last for edge in (start, last))
            if one != other and (touches or (start < other_start and other_last < last)):
                message = f"overlaps partitions.{one} (MiB {start} to {last + 1})"
                yield error(f"partitions.{other}", message, f"begin it at startMiB {last + 1} or later, or leave startMiB out")
                return


@rule(Disk, "D5")
def labels_are_used_once(disk: Disk, _: Context) -> "Iterator[Finding]":
    seen: dict[str, int] = {}
    for index, partition in enumerate(disk.partitions if disk.device else ()):
        if partition.label is not None:
            if partition.label in seen:
                message = f"label {partition.label} is that of partitions.{seen[partition.label]}, too"
                yield error(f"partitions.{index}", message, "give each partition its own label")
            seen.setdefault(partition.label, index)


@rule(Partition, "P1")
def absent_partition_has_only_a_number(partition: Partition, _: Context) -> "Iterator[Finding]":
    if partition.should_exist is not False:
        return
    given = [
        name
        for name, is_given in (
            ("label", partition.label is not None),
            ("guid", bool(partition.guid)),
            ("typeGuid", bool(partition.type_guid)),
            ("startMiB", partition.start_mib is not None),
            ("sizeMiB", partition.size_mib is not None),
        )
        if is_given
    ]
    if given:
        yield error("", f"shouldExist is false, but {', '.join(given)} describes the partition", "name it by its number alone")


@rule(Partition, "P2")
def partition_has_number_or_label(partition: Partition, _: Context) -> "Iterator[Finding]":
    if not partition.number and partition.label is None:
        yield error("", "partition has neither a number nor a label", "give one, so that the next boot finds it again")
