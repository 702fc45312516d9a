"""Rules D1–D5 and P1–P6: disks and partitions."""

import re

from ignition.config.model.storage import Disk, Partition
from ignition.config.rules import Context, error, paths, rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding

LABEL_BYTES = 36  # as Ignition counts; UEFI 2.10 5.3.3 has 36 UTF-16 units
GUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)
GUID_FIX = "write it as 8-4-4-4-12 hex digits: 4f68bce3-e8cd-4db1-96e7-fbcaf984b709"


@rule(Disk, "D1")
def device_is_given(disk: Disk, _: Context) -> "Iterator[Finding]":
    if not disk.device:
        yield error("device", "device is not given", "give the absolute path of the disk, such as /dev/vdb")


@rule(Disk, "D2")
def device_is_an_absolute_path(disk: Disk, _: Context) -> "Iterator[Finding]":
    if disk.device and (wrong := paths.problem(disk.device)):
        yield error("device", wrong, paths.fix(disk.device))


@rule(Disk, "D3")
def numbers_are_used_once(disk: Disk, _: Context) -> "Iterator[Finding]":
    seen: dict[int, int] = {}
    for index, partition in enumerate(disk.partitions if disk.device else ()):
        if partition.number:
            if partition.number in seen:
                yield error(
                    f"partitions.{index}", f"number {partition.number} is that of partitions.{seen[partition.number]}, too"
                )
            seen.setdefault(partition.number, index)


@rule(Disk, "D4")
def partitions_do_not_overlap(disk: Disk, _: Context) -> "Iterator[Finding]":
    placed = [
        (index, partition.start_mib, partition.start_mib + max(partition.size_mib, 1))
        for index, partition in enumerate(disk.partitions if disk.device else ())
        if partition.start_mib and partition.size_mib is not None
    ]
    for first, start, end in placed:
        for second, other_start, other_end in placed:
            if first != second and start < other_end and other_start < end:
                yield error(f"partitions.{second}", f"overlaps partitions.{first} (MiB {start} to {end})")
                return


@rule(Disk, "D5")
def labels_are_used_once(disk: Disk, _: Context) -> "Iterator[Finding]":
    seen: dict[str, int] = {}
    for index, partition in enumerate(disk.partitions if disk.device else ()):
        if partition.label is not None:
            if partition.label in seen:
                yield error(f"partitions.{index}", f"label {partition.label} is that of partitions.{seen[partition.label]}, too")
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


@rule(Partition, "P3")
def label_is_short(partition: Partition, _: Context) -> "Iterator[Finding]":
    if partition.label and len(partition.label.encode()) > LABEL_BYTES:
        yield error("label", f"label is longer than {LABEL_BYTES} bytes")


@rule(Partition, "P4")
def label_has_no_colon(partition: Partition, _: Context) -> "Iterator[Finding]":
    if partition.label and ":" in partition.label:
        yield error("label", "label has a colon, at which sgdisk would cut it off", "use another character")


@rule(Partition, "P5")
def guids_are_guids(partition: Partition, _: Context) -> "Iterator[Finding]":
    """P5 guid, P6 typeGuid."""
    for identity, where, value in (("P5", "guid", partition.guid), ("P6", "typeGuid", partition.type_guid)):
        if value and not GUID.fullmatch(value):
            yield error(where, "not a GUID", GUID_FIX, identity)
