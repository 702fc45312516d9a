"""What no spec has: the members `x-coreos` of spec 3.x configs. Ignition warns about the unknown key and goes on without it.

docs/extensions.md describes them. Specs 1 and 2.x know none: there the key is unknown.
"""

from ignition.config.extension_checks import AttributeBit
from ignition.config.record import Record, spec

KEY = "x-coreos"


class Attributes(Record):
    """GPT attribute bits (spec path: storage.disks[].partitions[].x-coreos.attributes). What neither list names is kept."""

    set: tuple[str, ...] = spec("attribute bits that are to be 1", default=(), each=AttributeBit("E1"))
    clear: tuple[str, ...] = spec("attribute bits that are to be 0", default=(), each=AttributeBit("E1"))


class PartitionExtension(Record):
    """Spec path: storage.disks[].partitions[].x-coreos."""

    attributes: Attributes = spec("GPT attribute bits", default=Attributes())
