"""V9–V21: disks, partitions and arrays."""

from ignition.config.rules import Context, error, rule, warning
from ignition.config.rules.disks import GUID, GUID_FIX, LABEL_BYTES
from ignition.config.rules.raid import LEVEL_FIX, LEVELS, WITHOUT_SPARES
from ignition.config.v2.model import Disk, Partition, Raid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding

_ALIGNMENT = 2048  # sectors


@rule(Disk, "V9")
def device_is_an_absolute_path(disk: Disk, _: Context) -> "Iterator[Finding]":
    if not disk.device:
        yield error("device", "device is not given", "give the absolute path of the disk, such as /dev/vdb")
    elif not disk.device.startswith("/"):
        yield error("device", "path is not absolute", f"write /{disk.device}")


@rule(Disk, "V10")
def numbers_are_used_once(disk: Disk, _: Context) -> "Iterator[Finding]":
    seen: dict[int, int] = {}
    for index, partition in enumerate(disk.partitions):
        if partition.number:
            if partition.number in seen:
                yield error(
                    f"partitions.{index}", f"number {partition.number} is that of partitions.{seen[partition.number]}, too"
                )
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
                yield error(f"partitions.{second}", f"overlaps partitions.{first} (sectors {start} to {end})")


@rule(Disk, "V13", since="2.3.0")
def next_free_number_is_certain(disk: Disk, _: Context) -> "Iterator[Finding]":
    if any(partition.should_exist is False for partition in disk.partitions):
        for index, partition in enumerate(disk.partitions):
            if not partition.number:
                fix = "give the partition its number"
                yield error(
                    f"partitions.{index}", "number 0 beside a partition that must not exist: which is free is unsure", fix
                )


@rule(Disk, "V14", since="2.3.0")
def units_are_not_mixed(disk: Disk, _: Context) -> "Iterator[Finding]":
    """Within a disk, and so within each partition."""
    sectors = [index for index, each in enumerate(disk.partitions) if each.size is not None or each.start is not None]
    mib = [index for index, each in enumerate(disk.partitions) if each.size_mib is not None or each.start_mib is not None]
    if sectors and mib:
        yield error(f"partitions.{sectors[0]}", "sectors (size, start) and MiB are mixed on one disk", "use sizeMiB and startMiB")


@rule(Partition, "V12")
def start_is_aligned(partition: Partition, _: Context) -> "Iterator[Finding]":
    if partition.start and partition.start % _ALIGNMENT:
        aligned = (partition.start // _ALIGNMENT + 1) * _ALIGNMENT
        yield error("start", f"start is not a multiple of {_ALIGNMENT} sectors", f"the next one is {aligned}")


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


@rule(Partition, "V16", since="2.3.0")
def sectors_are_deprecated(partition: Partition, _: Context) -> "Iterator[Finding]":
    for name, value in (("size", partition.size), ("start", partition.start)):
        if value is not None:
            yield warning(name, f"{name} in sectors is deprecated", f"use {name}MiB")


@rule(Partition, "V17")
def label_fits(partition: Partition, _: Context) -> "Iterator[Finding]":
    """V17 length, V18 colon."""
    label = partition.label or ""
    if len(label.encode()) > LABEL_BYTES:
        yield error("label", f"label is longer than {LABEL_BYTES} bytes")
    if ":" in label:
        yield warning("label", "label has a colon, at which sgdisk would cut it off", "use another character", "V18")


@rule(Partition, "V19")
def guids_are_guids(partition: Partition, _: Context) -> "Iterator[Finding]":
    for where, value in (("guid", partition.guid), ("typeGuid", partition.type_guid)):
        if value and not GUID.fullmatch(value):
            yield error(where, "not a GUID", GUID_FIX)


@rule(Raid, "V20")
def level_is_known(raid: Raid, _: Context) -> "Iterator[Finding]":
    if raid.level not in LEVELS:
        yield error("level", "unknown level", LEVEL_FIX)
    elif raid.level in WITHOUT_SPARES and raid.spares:
        yield error("level", f"{raid.level} cannot have spares", "leave spares out, or choose a level with redundancy")


@rule(Raid, "V21")
def devices_are_absolute_paths(raid: Raid, _: Context) -> "Iterator[Finding]":
    for index, device in enumerate(raid.devices):
        if not device.startswith("/"):
            yield error(f"devices.{index}", "path is not absolute")
