"""Rules D3–D6, P1 and P2: disks and partitions; and our own O20: devices that are made too late for what needs them."""

from ignition.config import stacking
from ignition.config.model.storage import Disk, Partition, Storage
from ignition.config.rules import Context, error, rule

ZERO_BESIDE_ABSENT = "2.27.0"  # the first Ignition that takes number 0 on a disk with a partition that is to be absent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any, Protocol

    from ignition.config.rules import Finding

    class Numbered(Protocol):
        """A partition of any spec version."""

        @property
        def number(self) -> int: ...
        @property
        def should_exist(self) -> bool | None: ...

    class WithDisks(Protocol):
        """The storage section of any spec version."""

        @property
        def disks(self) -> "Sequence[Any]": ...
        @property
        def raid(self) -> "Sequence[stacking.Array]": ...


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


@rule(Disk, "D6", until="3.6.0")
def next_free_number_is_certain(disk: Disk, _: Context) -> "Iterator[Finding]":
    """Every Ignition before ZERO_BESIDE_ABSENT refuses it, whatever the spec: who writes a final spec may meet one of those."""
    yield from uncertain_numbers(disk.partitions if disk.device else ())


def uncertain_numbers(partitions: "Sequence[Numbered]") -> "Iterator[Finding]":
    """The rule itself: also V13 of 2.3 and later."""
    absent = next(
        (
            index
            for index, partition in enumerate(partitions)
            # Not "is False": values with an origin (config/origins.py) are like booleans, and cannot be one.
            if partition.should_exist is not None and not partition.should_exist
        ),
        None,
    )
    for index, partition in enumerate(partitions if absent is not None else ()):
        if not partition.number:
            message = f"number 0 beside partitions.{absent}, whose shouldExist is false: which number is free is not certain"
            yield error(f"partitions.{index}", message, "give the partition its number")


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


@rule(Storage, "O20")
def devices_are_made_in_time(storage: Storage, _: Context) -> "Iterator[Finding]":
    """Ignition waits for such a device until it gives up, when the partitions are made already."""
    volumes = {path: f"luks.{index}" for index, one in enumerate(storage.luks) for path in stacking.volume_paths(one.name)}
    yield from partitioned_arrays(storage, volumes)
    for index, array in enumerate(storage.raid):
        for number, device in enumerate(array.devices):
            if device in volumes:
                message = f"this is the encrypted volume {volumes[device]}: arrays are made before encrypted volumes"
                yield error(f"raid.{index}.devices.{number}", message, "encrypt the array instead")
    way = stacking.cycle(stacking.below_volumes(storage.luks))
    if way:
        yield error(
            f"luks.{way[0]}.device", _in_a_circle(way, storage.luks, "encrypted volume"), "name a device that exists before"
        )


def partitioned_arrays(storage: "WithDisks", volumes: "Mapping[str, str]") -> "Iterator[Finding]":
    """What specs 1 and 2.x can have of it, too. `volumes`: encrypted ones by path."""
    arrays = {stacking.array_path(one.name): f"raid.{index}" for index, one in enumerate(storage.raid)}
    for index, disk in enumerate(storage.disks):
        if made := arrays.get(disk.device) or volumes.get(disk.device):
            kind = "array" if disk.device in arrays else "encrypted volume"
            message = f"this is the {kind} {made}: partitions are made before {kind}s"
            yield error(f"disks.{index}.device", message, f"make a file system on the {kind} itself, without partitions")
    below = stacking.below_arrays(storage.raid)
    way = stacking.cycle(below)
    if way:
        second = stacking.array_path(storage.raid[way[1 % len(way)]].name)
        where = f"raid.{way[0]}.devices.{storage.raid[way[0]].devices.index(second)}"
        yield error(where, _in_a_circle(way, storage.raid, "array"), "name devices that exist before, or arrays made of such")


def _in_a_circle(way: list[int], made: "Sequence[Any]", kind: str) -> str:
    if len(way) == 1:
        return f"the {kind} {made[way[0]].name} is made of itself"
    return f"{kind}s are made of each other: {' → '.join(made[one].name for one in [*way, way[0]])}"
