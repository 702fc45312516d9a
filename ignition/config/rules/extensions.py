"""Rules E2 and following, our own: what several members of our extensions decide (docs/extensions.md)."""

from ignition.config.extension_checks import attribute_bit
from ignition.config.known_values import SELECTED
from ignition.config.model.extensions import MEMBER, Attributes, Select
from ignition.config.model.storage import Disk, Partition
from ignition.config.rules import Context, error, rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding


@rule(Attributes, "E2")
def bits_are_set_or_cleared(attributes: Attributes, _: Context) -> "Iterator[Finding]":
    to_set = {attribute_bit(name): index for index, name in enumerate(attributes.set)}
    for index, name in enumerate(attributes.clear):
        other = to_set.get(attribute_bit(name))
        if other is not None and attribute_bit(name) is not None:
            yield error(f"clear.{index}", f"bit {name} is set by set.{other}, too", "remove one of the two")


@rule(Partition, "E3")
def absent_partition_has_no_attributes(partition: Partition, _: Context) -> "Iterator[Finding]":
    if partition.should_exist is False and partition.extension.attributes != Attributes():
        yield error(f"{MEMBER}.attributes", "shouldExist is false, but attributes are given", "leave them out")


@rule(Disk, "E4")
def selected_disk_has_a_name_of_its_own(disk: Disk, _: Context) -> "Iterator[Finding]":
    """E4, and E5 for such a name without anything that selects the disk."""
    name = disk.device.removeprefix(SELECTED) if disk.device.startswith(SELECTED) else None
    if disk.extension.select != Select():
        if name is None or not is_own_name(name):
            fix = f"call it {SELECTED}NAME, of letters, digits, - . and _, and not ending in -part and a number"
            yield error("device", "a disk that is selected has no device of another name", fix)
    elif name is not None:
        yield error("device", f"nothing selects the disk that is called {name}", f"add {MEMBER}.select, or name a device", "E5")


def is_own_name(name: str) -> bool:
    """Whether a selected disk can be called so; partitions get `-part1` behind its name."""
    import re

    return bool(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name, re.ASCII)) and not re.search(r"-part\d+$", name, re.ASCII)
