"""Sizes in sectors as MiB."""

from ignition.config import origins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.express.remarks import Remarks
    from ignition.config.model.storage import Partition, Storage
    from ignition.config.report import Path

_PER_MIB = 2048  # sectors of 512 bytes


def expressed(storage: "Storage", remarks: "Remarks") -> "Storage":
    """With `startMiB` and `sizeMiB` instead of sectors."""
    found = []
    for index, disk in enumerate(storage.disks):
        here: Path = ("storage", "disks", index, "partitions")
        partitions = tuple(_partition(each, (*here, number), remarks) for number, each in enumerate(disk.partitions))
        found.append(disk.evolve(partitions=partitions))
    return storage.evolve(disks=tuple(found))


def _partition(partition: "Partition", path: "Path", remarks: "Remarks") -> "Partition":
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
