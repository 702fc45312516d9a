"""The disks stage: partition tables, then file systems. Source: `ignition-config.md` 7.1 to 7.4 of the reference."""

import os

from ignition.config.model import Config
from ignition.errors import Failure, at
from ignition.host import devices
from ignition.operation import Operation
from ignition.storage import disk as disks
from ignition.storage import filesystems, signatures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ignition.stages.arguments import Arguments

NOT_YET = (("raid", "arrays (RAID)"), ("luks", "encrypted volumes (LUKS)"))


class Facts:
    """The machine's disks and file systems by the config's device names. What is absent is not planned for."""

    def __init__(
        self,
        *,
        disks: "Mapping[str, disks.DiskFacts] | None" = None,
        filesystems: "Mapping[str, filesystems.FilesystemFacts] | None" = None,
    ) -> None:
        self.disks, self.filesystems = disks or {}, filesystems


def plan(config: Config, facts: Facts) -> list[Operation]:
    """Partitions of the disks in `facts`, then file systems if `facts` has been taken for them (after partitioning)."""
    refuse_unsupported(config)
    operations: list[Operation] = []
    seen: dict[str, str] = {}
    for index, disk in enumerate(config.storage.disks):
        if disk.device in facts.disks:
            fact, where = facts.disks[disk.device], f"$.storage.disks.{index}"
            if seen.setdefault(fact.node, where) != where:
                raise Failure(f"{disk.device} is the same disk as {seen[fact.node]}", where=where, fix="describe each disk once")
            operations += disks.plan(disk, fact, where, translated=config.ignition.translated is True)
    if facts.filesystems is not None:
        operations += filesystems.plan(config.storage.filesystems, facts.filesystems)
    return operations


def refuse_unsupported(config: Config) -> None:
    """Raises Failure for what this version cannot make: ignoring it would put data on the wrong device."""
    for member, what in NOT_YET:
        if getattr(config.storage, member):
            raise Failure(
                f"{what} are not supported by this version", where=f"$.storage.{member}", fix=f"remove storage.{member}"
            )


def run(arguments: "Arguments") -> None:
    """Make the machine's disks as configured. A config without disks and file systems touches no device."""
    config, runner, context = arguments.config, arguments.runner, arguments.context
    refuse_unsupported(config)
    runner.run(plan(config, Facts(disks=_probe_disks(config))), context)
    runner.run(plan(config, Facts(filesystems=_probe_filesystems(config))), context)


def _probe_disks(config: Config) -> "dict[str, disks.DiskFacts]":
    wanted = config.storage.disks
    if not wanted:
        return {}
    with at("$.storage.disks"):
        devices.wait_for([disk.device for disk in wanted])
    users, found = devices.Users(), {}
    for index, disk in enumerate(wanted):
        with disks.at_disk(f"$.storage.disks.{index}"):
            found[disk.device] = disks.probe(disk, os.path.realpath(disk.device), users)
    return found


def _probe_filesystems(config: Config) -> "dict[str, filesystems.FilesystemFacts]":
    wanted = [entry for _, entry in filesystems.to_make(config.storage.filesystems)]
    if not wanted:
        return {}
    with at("$.storage.filesystems"):
        devices.wait_for([entry.device for entry in wanted])
    found = {}
    for entry in wanted:
        node = os.path.realpath(entry.device)
        found[entry.device] = filesystems.FilesystemFacts(node, signatures.probe(node))
    return found
