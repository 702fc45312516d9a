"""File systems that 2.x knows by name, as those of 3.x, which have a path."""

from ignition.config import origins
from ignition.config.express.disks import clean
from ignition.config.express.mounts import ROOT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.express.mounts import Mounts
    from ignition.config.express.remarks import Remarks
    from ignition.config.model.storage import Filesystem, Node, Storage
    from ignition.config.report import Path

_OEM = "oem"
_NEVER_MOUNTED = ("swap", "none")


def expressed(storage: "Storage", mounts: "Mounts", remarks: "Remarks") -> "Storage":
    """Without names; what files are written to has its path."""
    nodes: list[Node] = [*storage.directories, *storage.files, *storage.links]
    used = {node.filesystem for node in nodes}
    found = []
    for index, filesystem in enumerate(storage.filesystems):
        if filesystem.in_place is not None and not filesystem.device:
            continue  # a place that exists: nothing is made there, and nodes have its path in theirs
        found.append(_filesystem(filesystem, ("storage", "filesystems", index), mounts, used, remarks))
    return storage.evolve(filesystems=tuple(found))


def _filesystem(
    filesystem: "Filesystem", path: "Path", mounts: "Mounts", used: "set[str | None]", remarks: "Remarks"
) -> "Filesystem":
    if filesystem.must_be_blank:
        remarks.unsaid(
            (*path, "mustBeBlank"),
            filesystem.must_be_blank,
            "spec 3.x cannot say create without force: it keeps a file system that fits instead of refusing any",
            "set force to make it anew whatever is there, or leave create out",
        )
    name = filesystem.name
    if name == _OEM and not filesystem.wipe_filesystem:
        remarks.assumed(
            (*path, "format"),
            filesystem.format or name,
            "spec 3.x refuses an OEM file system of another format; 2.x takes any",
            "give the format that the OEM partition of the image has",
        )
    place = mounts.place(name) if name and name != ROOT and mounts.is_last_of_its_name(filesystem) else None
    if place is not None and (name in used or name in mounts.given) and filesystem.format not in _NEVER_MOUNTED:
        filesystem = filesystem.evolve(path=origins.like(place, name))
    return filesystem.evolve(device=clean(filesystem.device), name=None, in_place=None, must_be_blank=None)
