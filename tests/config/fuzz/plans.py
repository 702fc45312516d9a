"""Whether the stages can plan for a config: on a new machine with all the disks that it names, blank and large."""

import re
from pathlib import Path

from ignition.config.model import Config
from ignition.errors import Failure
from ignition.host.root import Root
from ignition.stages import disks, files, grow, kargs, mount, umount
from ignition.storage import filesystems, gpt
from ignition.storage.disk import DiskFacts
from ignition.storage.filesystems import FilesystemFacts, to_make
from ignition.storage.mounting import MountFacts
from ignition.storage.signatures import Signature

SECTOR, SECTORS = 512, 2**41  # a disk of one PiB

# What no validator can know: it depends on the machine. And what a later version will do.
DEPENDS_ON_THE_MACHINE = {
    "arrays and encryption are not in this version yet": r"(arrays \(RAID\)|encrypted volumes \(LUKS\)) are not supported",
    "tables may have more than 128 entries": r"the table of .* has no place for partition (129|\d{4,}|1[3-9]\d|[2-9]\d\d)",
    "there are other disks, with other partitions": r"(does not fit|no room|not enough|no free|cannot begin at sector)",
}


def refusals(config: Config, directory: Path) -> list[Failure]:
    """Failures of planning, except those that depend on the machine. The directory is an empty root."""
    found = []
    for plan in (_kargs, _disks, _filesystems, _mount, _files):
        try:
            plan(config, directory)
        except Failure as failure:
            if not any(re.search(one, failure.what) for one in DEPENDS_ON_THE_MACHINE.values()):
                found.append(failure)
    return found


def _kargs(config: Config, _: Path) -> None:
    kargs.plan(config)


def _disks(config: Config, _: Path) -> None:
    table = gpt.empty(SECTOR, SECTORS).drawn()
    disks.plan(config, disks.Facts({disk.device: DiskFacts(disk.device, table, in_use={}) for disk in config.storage.disks}))


def _filesystems(config: Config, _: Path) -> None:
    wanted = [entry for _, entry in to_make(config.storage.filesystems)]
    filesystems.plan(config.storage.filesystems, {one.device: FilesystemFacts(one.device, Signature()) for one in wanted})


def _mount(config: Config, _: Path) -> None:
    nodes_of = {entry.device: entry.device for entry in config.storage.filesystems}
    mount.plan(config, MountFacts({}, nodes_of), [])
    umount.plan(config)
    grow.plan(config, [])


class _Uuids(dict[str, str]):
    """Every device has one."""

    def __missing__(self, device: str) -> str:
        return "00000000-0000-4000-8000-000000000000"


def _files(config: Config, directory: Path) -> None:
    root, state_file = Root(str(directory)), str(directory / "state")
    files.plan(config, files.probe(config, root, state_file, "file", uuids=_Uuids(), volumes=()))
