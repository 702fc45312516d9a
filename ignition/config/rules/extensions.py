"""Rules E2 and following, our own: what several members of our extensions decide (docs/extensions.md)."""

from ignition.config.extension_checks import attribute_bit
from ignition.config.model.extensions import KEY, Attributes
from ignition.config.model.storage import Partition
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
        yield error(f"{KEY}.attributes", "shouldExist is false, but attributes are given", "leave them out")
