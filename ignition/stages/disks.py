"""The disks stage: tables, arrays, encrypted volumes, file systems, one on the other.

Source: docs/reference/ignition-config.md §7.1 to §7.4.

Each layer is looked at when the one below is made; so are arrays of arrays, and encrypted volumes in encrypted volumes. ROOT may
be made anew, too: then its contents wait in memory meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping

from ignition.config.model import Config
from ignition.errors import Failure, RootInMemory, at, refusing
from ignition.host import devices, first_boot_mark, root_device
from ignition.operation import Operation
from ignition.storage import disk as disks
from ignition.storage import filesystems, selection, signatures, subvolumes
from ignition.storage.disk import without_wipes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model.storage import Raid
    from ignition.stages.arguments import Arguments
    from ignition.storage.raid import Member
    from ignition.storage.root_contents import RootPlan


class Facts:
    """The machine's devices by the config's names, a layer at a time. What is absent is not planned for.

    `may_lose`: nodes whose content was given up, or is in memory.
    """

    def __init__(
        self,
        *,
        disks: Mapping[str, disks.DiskFacts] | None = None,
        arrays: Mapping[str, list[Member]] | None = None,
        filesystems: Mapping[str, filesystems.FilesystemFacts] | None = None,
        may_lose: Collection[str] = (),
    ) -> None:
        self.disks, self.arrays, self.filesystems, self.may_lose = disks or {}, arrays, filesystems, may_lose


@refusing()
def plan(config: Config, facts: Facts) -> list[Operation]:
    """Operations for the layers that `facts` has been taken of. Raises Failure for what cannot be had."""
    operations: list[Operation] = []
    seen: dict[str, str] = {}
    for index, disk in enumerate(config.storage.disks):
        if disk.device in facts.disks:
            fact, where = facts.disks[disk.device], f"$.storage.disks.{index}"
            if seen.setdefault(fact.node, where) != where:
                raise Failure(f"{disk.device} is the same disk as {seen[fact.node]}", where=where, fix="describe each disk once")
            operations += disks.plan(disk, fact, where, translated=config.ignition.translated is True)
            operations += selection.plan_partitions(disk, fact.node, where)
    if facts.arrays is not None:
        from ignition.storage import raid

        flagged = raid.flagged(config.storage)
        operations += raid.plan(
            config.storage.raid, facts.arrays, lambda array, node: raid.path_of(array) in flagged or node in facts.may_lose
        )
    if facts.filesystems is not None:
        operations += filesystems.plan(config.storage.filesystems, facts.filesystems)
    return operations


def run(arguments: Arguments) -> None:
    """Make the machine's storage as configured. A config without any touches no device."""
    config, runner, context = arguments.config, arguments.runner, arguments.context
    _check_luks(config)
    selection.check(config.storage)
    if first_boot_mark.DISKS_DONE in first_boot_mark.earlier():
        config = without_wipes(config)
    runner.run(selection.plan(config.storage.disks), context)
    users = devices.Users()
    on_disks = plan(config, Facts(disks=_probe_disks(config, users)))
    root = _plan_root(config, on_disks, users)
    config = config.evolve(storage=root.storage)
    may_lose = {root.held, *_given_up(config, on_disks)}
    try:
        runner.run([*root.before, *on_disks], context)
        for arrays in _waves_of_arrays(config):
            runner.run(plan(config, Facts(arrays=_probe_arrays(arrays), may_lose=may_lose)), context)
        if config.storage.luks:
            _run_luks(arguments, config, root.volume)
        runner.run(plan(config, Facts(filesystems=_probe_filesystems(config))), context)
        runner.run(subvolumes.plan(config.storage.filesystems), context)
        runner.run(root.after, context)
    except Failure as failure:
        raise _with_place_of_root(failure) from failure
    os.sync()
    first_boot_mark.note(first_boot_mark.DISKS_DONE)


def _probe_disks(config: Config, users: devices.Users) -> dict[str, disks.DiskFacts]:
    wanted = config.storage.disks
    if not wanted:
        return {}
    with at("$.storage.disks"):
        devices.wait_for([disk.device for disk in wanted])
    found = {}
    for index, disk in enumerate(wanted):
        with disks.at_disk(f"$.storage.disks.{index}"):
            found[disk.device] = disks.probe(disk, os.path.realpath(disk.device), users)
    return found


def _given_up(config: Config, on_disks: list[Operation]) -> Iterator[str]:
    """The nodes of disks and partitions that the config wipes."""
    by_place = {f"$.storage.disks.{index}": disk for index, disk in enumerate(config.storage.disks)}
    for operation in on_disks:
        if isinstance(operation, disks.WipeTable):
            yield operation.table[0]
        elif isinstance(operation, disks.WriteTable):
            yield from operation.wiped(by_place[operation.place])


def _plan_root(config: Config, on_disks: list[Operation], users: devices.Users) -> RootPlan:
    from ignition.storage import boot_partitions, losses, root_contents
    from ignition.storage.capacity import Planned

    device, lost = root_device.read(), losses.find(config, on_disks, users)
    boot_partitions.refuse_losing(lost)
    if device is None:
        return root_contents.RootPlan(config.storage, [], [])
    facts = root_contents.probe(config.storage, device, lost)
    # Of a disk that is wiped and gets a table, the table comes later.
    tables = dict(operation.table for operation in on_disks if isinstance(operation, disks.WipeTable | disks.WriteTable))
    made = frozenset(node for operation in on_disks if isinstance(operation, disks.WriteTable) for node in operation.made())
    return root_contents.plan(config.storage, device, facts, Planned(tables, devices.length, made))


def _waves_of_arrays(config: Config) -> list[list[Raid]]:
    if not config.storage.raid:
        return []
    from ignition.storage import raid

    return raid.waves(config.storage.raid)


def _probe_arrays(wanted: list[Raid]) -> dict[str, list[Member]]:
    from ignition.storage import raid

    with at("$.storage.raid"):
        devices.wait_for([device for array in wanted for device in array.devices])
    return raid.probe(wanted, devices.Users())


def _check_luks(config: Config) -> None:
    """What cannot be encrypted like this is said before anything is touched."""
    if config.storage.luks:
        from ignition.storage import luks

        luks.check(config.storage.luks)


def _run_luks(arguments: Arguments, config: Config, of_root: str) -> None:
    """Make and open the encrypted volumes; the keys that the files stage needs go into the state, even if a later one fails."""
    from ignition.stages import state as states
    from ignition.storage import luks
    from ignition.storage.luks_keys import Keys

    volumes, state = config.storage.luks, states.load(arguments.state_file)
    keys = Keys(state.luks_persist_key_files)
    try:
        for wave in luks.waves(volumes):
            names = ", ".join(volumes[index].name for index in wave)
            with arguments.runner.step("luks-probe", f"look at the encrypted volumes {names}"):
                facts = luks.probe(volumes, arguments.context, keys, wave)
            arguments.runner.run(luks.plan(volumes, facts, keys, of_root=of_root), arguments.context)
    finally:
        state.luks_persist_key_files = keys.persisted()
        states.save(state, arguments.state_file)


def _probe_filesystems(config: Config) -> dict[str, filesystems.FilesystemFacts]:
    wanted = [entry for _, entry in filesystems.to_make(config.storage.filesystems)]
    if not wanted:
        return {}
    with at("$.storage.filesystems"):
        named = [device for entry in wanted for device in (entry.device, *filesystems.further_devices(entry))]
        devices.wait_for(named)
    users, found = devices.Users(), {}
    for device in named:
        node = os.path.realpath(device)
        user = users.of_any_part(devices.name_of(node))
        found[device] = filesystems.FilesystemFacts(node, signatures.probe(node), user)
    return found


def _with_place_of_root(failure: Failure) -> Failure:
    """The same failure; for the person at the emergency shell also where ROOT is, if it is in memory: it can still be saved."""
    from ignition.storage.root_contents import DIRECTORY

    if not os.path.ismount(DIRECTORY):
        return failure
    rescue = f"ROOT's contents are in memory, at {DIRECTORY}: copy them to a disk before this machine is switched off"
    return RootInMemory(failure.what, where=failure.where, fix=f"{failure.fix}; {rescue}" if failure.fix else rescue)
