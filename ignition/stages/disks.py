"""The disks stage: partition tables, arrays, encrypted volumes and file systems, each layer on the one below.

Source: docs/reference/ignition-config.md §7.1 to §7.4.

The disks themselves are inspected before anything changes. The content of their partitions is known once these exist, so the
layers above are deferred (operation.Deferred): arrays and arrays of arrays, encrypted volumes and volumes in volumes, file
systems. ROOT may be recreated; its contents are kept in memory meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from ignition.config.model import Config
from ignition.errors import Failure, RootInMemory, at, refusing
from ignition.host import first_boot_mark
from ignition.host.threads import side_by_side
from ignition.operation import Context, Deferred, Operation
from ignition.storage import disk as disks
from ignition.storage import filesystems, selection, subvolumes
from ignition.storage.disk import without_wipes
from ignition.storage.machine import Machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model.storage import Filesystem, Luks, Raid, Storage
    from ignition.stages.arguments import Arguments
    from ignition.storage.luks_keys import Keys
    from ignition.storage.raid import Member
    from ignition.storage.root_contents import RootPlan

THIS = Machine()


class Facts:
    """The machine before anything changes.

    `disks`: facts by the config's device names. `plan_root`: the operations planned for the disks → the plan for ROOT; None
    if ROOT does not matter. `keys`: the known keys of encrypted volumes; new ones are added. `machine` has the layers above.
    """

    def __init__(
        self,
        disks: Mapping[str, disks.DiskFacts],
        plan_root: Callable[[list[Operation]], RootPlan] | None = None,
        keys: Keys | None = None,
        machine: Machine = THIS,
    ) -> None:
        self.disks, self.plan_root, self.keys, self.machine = disks, plan_root, keys, machine


def plan(config: Config, facts: Facts) -> list[Operation]:
    """All operations of the stage in order, the layers above the disks deferred. Raises Failure if the config cannot be met."""
    on_disks = plan_disks(config, facts.disks)
    before, after, storage, volume_of_root = list[Operation](), list[Operation](), config.storage, ""
    may_lose = set(_given_up(config, on_disks))
    if facts.plan_root is not None:
        root = facts.plan_root(on_disks)
        before, after, storage, volume_of_root = root.before, root.after, root.storage, root.volume
        may_lose.add(root.held)
    return [
        *before,
        *on_disks,
        *_plan_arrays(storage, may_lose, facts.machine),
        *_plan_volumes(storage.luks, facts.keys, volume_of_root, facts.machine),
        *([InspectFilesystems(storage.filesystems, facts.machine)] if filesystems.to_make(storage.filesystems) else []),
        *subvolumes.plan(storage.filesystems),
        *after,
    ]


@refusing()
def plan_disks(config: Config, facts: Mapping[str, disks.DiskFacts]) -> list[Operation]:
    """The operations on the disks themselves."""
    operations: list[Operation] = []
    seen: dict[str, str] = {}
    for index, disk in enumerate(config.storage.disks):
        fact, where = facts[disk.device], f"$.storage.disks.{index}"
        if seen.setdefault(fact.node, where) != where:
            raise Failure(f"{disk.device} is the same disk as {seen[fact.node]}", where=where, fix="describe each disk once")
        operations += disks.plan(disk, fact, where, translated=config.ignition.translated is True)
        operations += selection.plan_partitions(disk, fact.node, where)
    return operations


def operations(arguments: Arguments, keys: Keys | None = None) -> list[Operation]:
    """The plan for this machine. Changes nothing. Raises Failure."""
    return plan_for(arguments.config, THIS, keys)


def plan_for(config: Config, machine: Machine, keys: Keys | None = None) -> list[Operation]:
    """The plan for a machine, which is inspected. Raises Failure."""
    if config.storage.luks:
        from ignition.storage import luks

        luks.check(config.storage.luks)  # before any device is touched
    selection.check(config.storage)
    if first_boot_mark.DISKS_DONE in machine.earlier_steps():
        config = without_wipes(config)
    selected = selection.plan(config.storage.disks)
    # Without their links, selected disks have no names to be inspected by.
    return [*selected, InspectDisks(config, keys, machine)] if selected else plan(config, probe(config, keys, machine))


def probe(config: Config, keys: Keys | None = None, machine: Machine = THIS) -> Facts:
    """Inspect the config's disks, which are waited for. Raises Failure."""
    users, wanted = machine.users(), config.storage.disks
    if wanted:
        with at("$.storage.disks"):
            machine.wait_for([disk.device for disk in wanted])

    def inspect(index: int) -> disks.DiskFacts:
        with disks.at_disk(f"$.storage.disks.{index}"):
            return machine.disk(wanted[index], users)

    found = side_by_side(inspect, range(len(wanted)))
    by_name = {disk.device: facts for disk, facts in zip(wanted, found, strict=True)}
    return Facts(by_name, lambda on_disks: _plan_root(config, on_disks, machine), keys, machine)


def run(arguments: Arguments) -> None:
    """Make the storage of the config. Without storage in the config, devices are not touched."""
    keys = _load_keys(arguments) if arguments.config.storage.luks else None
    try:
        arguments.runner.run(operations(arguments, keys), arguments.context)
        _note_left(arguments)
    except Failure as failure:
        raise _with_place_of_root(failure) from failure
    finally:
        # The files stage needs the keys of the volumes that exist, even if a later operation failed.
        if keys is not None:
            _save_keys(arguments, keys)
    os.sync()
    first_boot_mark.note(first_boot_mark.DISKS_DONE)


def _note_left(arguments: Arguments) -> None:
    """Tell the files stage what the operations leave, for the record that `ignition verify` reads."""
    from ignition.applied import record
    from ignition.stages import state as states

    if arguments.runner.done:
        state = states.load(arguments.state_file)
        state.left = record.entries(arguments.runner.done, arguments.context)
        states.save(state, arguments.state_file)


def _load_keys(arguments: Arguments) -> Keys:
    from ignition.stages import state as states
    from ignition.storage.luks_keys import Keys

    return Keys(states.load(arguments.state_file).luks_persist_key_files)


def _save_keys(arguments: Arguments, keys: Keys) -> None:
    from ignition.stages import state as states

    state = states.load(arguments.state_file)
    state.luks_persist_key_files = keys.persisted()
    states.save(state, arguments.state_file)


def _plan_arrays(storage: Storage, may_lose: Collection[str], machine: Machine) -> list[Operation]:
    if not storage.raid:
        return []
    from ignition.storage import raid

    return [InspectArrays(storage, wave, may_lose, machine) for wave in raid.waves(storage.raid)]


def _plan_volumes(volumes: tuple[Luks, ...], keys: Keys | None, of_root: str, machine: Machine) -> list[Operation]:
    if not volumes:
        return []
    from ignition.storage import luks
    from ignition.storage.luks_keys import Keys

    known = Keys() if keys is None else keys
    return [InspectVolumes(volumes, wave, known, of_root, machine) for wave in luks.waves(volumes)]


class InspectDisks(Deferred):
    """The storage of a config with selected disks."""

    def __init__(self, config: Config, keys: Keys | None, machine: Machine = THIS) -> None:
        self._config, self._keys, self._machine = config, keys, machine

    def describe(self) -> str:
        names = ", ".join(disk.device for disk in self._config.storage.disks)
        return f"inspect the disks {names}, then make the storage of the config"

    def plan(self, context: Context) -> list[Operation]:
        return plan(self._config, probe(self._config, self._keys, self._machine))


class InspectArrays(Deferred):
    """Arrays that do not depend on each other. `may_lose`: nodes whose content was given up, or is kept in memory."""

    def __init__(self, storage: Storage, arrays: Sequence[Raid], may_lose: Collection[str], machine: Machine = THIS) -> None:
        self._storage, self._arrays, self._may_lose, self._machine = storage, arrays, may_lose, machine

    def describe(self) -> str:
        return f"inspect the members of {', '.join(array.name for array in self._arrays)}, then assemble or create the arrays"

    def plan(self, context: Context) -> list[Operation]:
        with at("$.storage.raid"):
            self._machine.wait_for([device for array in self._arrays for device in array.devices])
        return plan_arrays(self._storage, self._machine.members(self._arrays), self._may_lose)


@refusing()
def plan_arrays(storage: Storage, members: Mapping[str, list[Member]], may_lose: Collection[str] = ()) -> list[Operation]:
    """The operations on the arrays of `members`, by name. Raises Failure for members whose content was not given up."""
    from ignition.storage import raid

    flagged = raid.flagged(storage)
    return raid.plan(storage.raid, members, lambda array, node: raid.path_of(array) in flagged or node in may_lose)


class InspectVolumes(Deferred):
    """Encrypted volumes that do not lie in each other: those of `wave`, by index. `of_root`: the name of ROOT's."""

    def __init__(self, volumes: tuple[Luks, ...], wave: Sequence[int], keys: Keys, of_root: str, machine: Machine = THIS) -> None:
        self._volumes, self._wave, self._keys, self._of_root, self._machine = volumes, wave, keys, of_root, machine

    def describe(self) -> str:
        names = ", ".join(self._volumes[index].name for index in self._wave)
        return f"inspect the encrypted volumes {names}, then open or create them"

    def plan(self, context: Context) -> list[Operation]:
        from ignition.storage import luks

        facts = self._machine.volumes(self._volumes, self._wave, self._keys, context)
        return luks.plan(self._volumes, facts, self._keys, of_root=self._of_root)


class InspectFilesystems(Deferred):
    """All file systems of the config."""

    def __init__(self, wanted: tuple[Filesystem, ...], machine: Machine = THIS) -> None:
        self._wanted, self._machine = wanted, machine

    def describe(self) -> str:
        named = ", ".join(dict.fromkeys(entry.device for _, entry in filesystems.to_make(self._wanted)))
        return f"inspect {named}, then keep or make the file systems"

    def plan(self, context: Context) -> list[Operation]:
        entries = [entry for _, entry in filesystems.to_make(self._wanted)]
        named = [device for entry in entries for device in (entry.device, *filesystems.further_devices(entry))]
        with at("$.storage.filesystems"):
            self._machine.wait_for(named)
        users = self._machine.users()

        def inspect(device: str) -> filesystems.FilesystemFacts:
            node = self._machine.real(device)
            user = self._machine.user(node, users)  # refuses other nodes than block devices
            return filesystems.FilesystemFacts(node, self._machine.signature(node), user)

        found = side_by_side(inspect, named)
        with refusing():
            return filesystems.plan(self._wanted, dict(zip(named, found, strict=True)))


def _given_up(config: Config, on_disks: list[Operation]) -> Iterator[str]:
    """The nodes of disks and partitions that the config wipes."""
    by_place = {f"$.storage.disks.{index}": disk for index, disk in enumerate(config.storage.disks)}
    for operation in on_disks:
        if isinstance(operation, disks.WipeTable):
            yield operation.table[0]
        elif isinstance(operation, disks.WriteTable):
            yield from operation.wiped(by_place[operation.place])


def _plan_root(config: Config, on_disks: list[Operation], machine: Machine) -> RootPlan:
    from ignition.storage import boot_partitions, losses, root_contents
    from ignition.storage.capacity import Planned

    device, lost = machine.root_device(), losses.find(config, on_disks, machine)
    boot_partitions.refuse_losing(lost, machine)
    if device is None:
        return root_contents.RootPlan(config.storage, [], [])
    facts = root_contents.probe(config.storage, device, lost, machine)
    # For a disk that is wiped and gets a table, the table comes later in the plan.
    tables = dict(operation.table for operation in on_disks if isinstance(operation, disks.WipeTable | disks.WriteTable))
    made = frozenset(node for operation in on_disks if isinstance(operation, disks.WriteTable) for node in operation.made())
    return root_contents.plan(config.storage, device, facts, Planned(tables, machine.length, made, machine.real))


def _with_place_of_root(failure: Failure) -> Failure:
    """The failure, and for the person at the emergency shell where ROOT is if it is in memory: it can still be saved."""
    from ignition.storage.root_contents import DIRECTORY

    if not os.path.ismount(DIRECTORY):
        return failure
    rescue = f"ROOT's contents are in memory, at {DIRECTORY}: copy them to a disk before this machine is switched off"
    return RootInMemory(failure.what, where=failure.where, fix=f"{failure.fix}; {rescue}" if failure.fix else rescue)
