"""Partitions with sizes in sectors, and devices of disks and arrays in the spelling that 3.x wants."""

from ignition.config import origins
from ignition.config.rules.paths import simplest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.express.remarks import Remarks
    from ignition.config.model.storage import Partition, Storage
    from ignition.config.report import Path

_PER_MIB = 2048  # sectors of 512 bytes


def expressed(storage: "Storage", remarks: "Remarks") -> "Storage":
    """With `startMiB` and `sizeMiB` instead of sectors, and clean paths."""
    found = []
    for index, disk in enumerate(storage.disks):
        here: Path = ("storage", "disks", index, "partitions")
        partitions = tuple(_partition(each, (*here, number), remarks) for number, each in enumerate(disk.partitions))
        found.append(disk.evolve(device=clean(disk.device), partitions=_without_empty_labels(partitions, here, remarks)))
    raid = tuple(array.evolve(devices=tuple(map(clean, array.devices))) for array in storage.raid)
    return storage.evolve(disks=tuple(found), raid=raid)


def clean(path: str) -> str:
    """The simplest form of an absolute path, with the origin of the path."""
    simple: str = origins.like(simplest(path), path) if path.startswith("/") else path
    return simple


def _without_empty_labels(partitions: "tuple[Partition, ...]", path: "Path", remarks: "Remarks") -> "tuple[Partition, ...]":
    """Before 2.3 a partition always has a label, if only an empty one; in 3.x no two have the same."""
    if sum(partition.label == "" for partition in partitions) < 2:
        return partitions
    found = []
    for number, partition in enumerate(partitions):
        if partition.label == "":
            message = "spec 3.x cannot want several partitions without a label: it takes one that exists whatever its label"
            remarks.assumed((*path, number, "label"), partition.label, message, "give each a label")
        found.append(partition.evolve(label=partition.label or None))
    return tuple(found)


def _partition(partition: "Partition", path: "Path", remarks: "Remarks") -> "Partition":
    if partition.should_exist is not None and not partition.should_exist:  # a marked False is not `False`
        return partition.evolve(  # 2.x ignores what describes it, 3.x refuses that
            size_sectors=None, start_sectors=None, size_mib=None, start_mib=None, label=partition.label or None
        )
    members: dict[str, int | None] = {"size_sectors": None, "start_sectors": None}
    for name, mib in (("size", partition.size_mib), ("start", partition.start_mib)):
        sectors = partition.__dict__[f"{name}_sectors"]
        if sectors is not None and mib is None:  # of both, MiB count
            members[f"{name}_mib"] = _mib(sectors, name, path, remarks)
    return partition.evolve(**members)


def _mib(sectors: int, name: str, path: "Path", remarks: "Remarks") -> int | None:
    where = (*path, f"{name}Sectors")
    if sectors % _PER_MIB:
        remarks.unsaid(where, sectors, f"spec 3.x cannot say a {name} that is no whole number of MiB", f"give {name}MiB")
        return None
    if sectors:
        fix = f"give {name}MiB if the disk has others"
        remarks.assumed(where, sectors, f"the {name} is taken as in sectors of 512 bytes", fix)
    mib: int = origins.like(sectors // _PER_MIB, sectors)
    return mib
