"""The validation rules of spec 1: rows "1" and "1+" of ignition-config.md 3.6 of the reference, by the numbers of v2/rules.

What 2.0 checks in the same way is checked by its functions. Unit contents, colons in labels and the like are 2.0's matter.
"""

from ignition.config.rules import Context, error, rule, warning
from ignition.config.rules.disks import GUID, GUID_FIX, LABEL_BYTES
from ignition.config.v1.model import (
    Config1,
    Disk,
    Dropin,
    File,
    Filesystem,
    Group,
    NetworkdUnit,
    Partition,
    Raid,
    Unit,
    UserCreate,
)
from ignition.config.v2.rules import disks, filesystems, nodes, units

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding

for _cls, _identity, _check in (
    (Disk, "V9", disks.device_is_an_absolute_path),
    (Disk, "V11", disks.partitions_do_not_overlap),
    (Partition, "V12", disks.start_is_aligned),
    (Raid, "V20", disks.level_is_known),
    (Raid, "V21", disks.devices_are_absolute_paths),
    (Filesystem, "V25", filesystems.device_is_an_absolute_path),
    (Filesystem, "V26", filesystems.format_is_known),
    (File, "V29", nodes.path_is_absolute),
    (File, "V31", nodes.mode_is_possible),
    (Unit, "V36", units.name_has_type),
    (Dropin, "V39", units.dropin_name_ends_in_conf),
    (NetworkdUnit, "V40", units.networkd_name_has_type),
):
    rule(_cls, _identity)(_check)


@rule(Config1, "V1")
def spec_is_deprecated(_: Config1, __: Context) -> "Iterator[Finding]":
    yield warning("ignitionVersion", "spec 1 is deprecated", "write the config in spec 3, which Ignition 2 and later read")


@rule(Disk, "V10")
def numbers_are_used_once(disk: Disk, _: Context) -> "Iterator[Finding]":
    """Number 0 counts, too: only one partition may take the next free number."""
    seen: dict[int, int] = {}
    for index, partition in enumerate(disk.partitions):
        if partition.number in seen:
            yield error(f"partitions.{index}", f"number {partition.number} is that of partitions.{seen[partition.number]}, too")
        seen.setdefault(partition.number, index)


@rule(Partition, "V17")
def label_fits(partition: Partition, _: Context) -> "Iterator[Finding]":
    if len(partition.label.encode()) > LABEL_BYTES:
        yield error("label", f"label is longer than {LABEL_BYTES} bytes")


@rule(Partition, "V19")
def type_is_a_guid(partition: Partition, _: Context) -> "Iterator[Finding]":
    if partition.type_guid and not GUID.fullmatch(partition.type_guid):
        yield error("typeGuid", "not a GUID", GUID_FIX)


@rule(Partition, "J1")
@rule(UserCreate, "J1")
@rule(Group, "J1")
def unsigned_numbers_are_not_negative(record: Partition | UserCreate | Group, _: Context) -> "Iterator[Finding]":
    """The integers of these members are unsigned, so that a negative one is of the wrong type."""
    for name in ("start", "size", "uid", "gid"):
        if (getattr(record, name, None) or 0) < 0:
            yield error(name, f"{name} is negative")
