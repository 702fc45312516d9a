"""The plans of all stages for one machine, in the order of a boot, each made after the effects of those before it."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

from ignition.errors import Failure
from ignition.facts import document
from ignition.host.mounts import Mount
from ignition.operation import Around, Context, Deferred, Operation
from ignition.planning import accounts
from ignition.planning.machine import PlannedMachine
from ignition.planning.overlay import Overlay
from ignition.planning.root import PlannedRoot
from ignition.planning.tree import Below, KnownTree
from ignition.stages import disks, files, grow, kargs, login, mount, umount
from ignition.stages.login import LeaveNotice
from ignition.stages.state import State
from ignition.storage import luks_operations as steps
from ignition.storage.grow import facts as growth
from ignition.storage.grow.operations import GrowPartition, kept_sizes
from ignition.storage.luks_keys import Keys
from ignition.storage.mounting import MountFacts, to_mount
from ignition.sysroot import crypttab, labels
from ignition.sysroot.account_database import AccountDatabase
from ignition.sysroot.groups import PutGroup
from ignition.sysroot.ssh_keys import KeyPlaces
from ignition.sysroot.users import PutUser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ignition.config.model import Config
    from ignition.config.model.storage import Luks
    from ignition.facts.document import Facts
    from ignition.fetch.engine import Fetcher
    from ignition.host.root import Root
    from ignition.operation import Left
    from ignition.planning.tree import Tree
    from ignition.storage.grow.facts import GrowFacts, Layer

SYSROOT = "/sysroot"  # where the stages find the new root, and name it in messages
_NODES, _FILES = ("file", "directory", "link", "SSH keys"), ("file", "SSH keys")
_SETFILES = ("/usr/sbin/setfiles", "/sbin/setfiles", "/usr/bin/setfiles")
_KEY = b"made at the boot"
_NO_UUID = "made-at-the-boot"


class Planned:
    """One operation of a stage. `is_there`: its effect exists already; `lefts`: its effects, as far as they are known."""

    def __init__(self, stage: str, operation: Operation, *, is_there: bool, lefts: Sequence[Left]) -> None:
        self.stage, self.operation, self.is_there, self.lefts = stage, operation, is_there, tuple(lefts)


class PlannedInitramfs(labels.Initramfs):
    """That of the planned machine: dracut takes setfiles from the root that it is made on."""

    def __init__(self, machine: PlannedMachine, root: Root) -> None:
        super().__init__("")
        self._machine, self._root = machine, root

    def has_setfiles(self) -> bool:
        found = any(self._root.status(path) is not None for path in _SETFILES)
        have = "to have setfiles, as ROOT has" if found else "not to have setfiles, as ROOT does not have it"
        self._machine.unknown.append(f"the initramfs is assumed {have}")
        return found

    def arguments(self) -> str:
        return self._machine.command_line()


class Planner:
    """Plans stage after stage. `seen(planned)` is called for each operation before it has its effect.

    Raises Failure as the boot would.
    """

    def __init__(self, config: Config, facts: Facts, tree: Tree, fetcher: Fetcher, platform: str) -> None:
        self.config, self.platform = config, platform
        self.machine = PlannedMachine(facts, config)
        self.overlay = Overlay(tree)
        self.context = Context(PlannedRoot(self.overlay), fetcher)
        self.keys = Keys()
        self.failed_in = ""
        self.grown: dict[str, int] = {}  # node of a partition → its bytes after the growth

    def run(self, seen: Callable[[Planned], None], *, goes_on: bool = False) -> None:
        """All stages. `goes_on`: after a failing one with the next, as no boot does."""
        plans: dict[str, Callable[[], list[Operation]]] = {
            "kargs": lambda: kargs.plan(self.config),
            "disks": self._disks,
            "grow": self._grow,
            "mount": self._mount,
            "files": self._files,
            "umount": lambda: umount.plan(self.config),
        }
        for stage, plan in plans.items():
            self.failed_in = stage
            if stage == "disks" and not _has_storage(self.config):
                continue
            with suppress(Failure) if goes_on else nullcontext():
                for operation in self._all(plan()):
                    planned = self._look(stage, operation)
                    seen(planned)
                    self._apply(planned)
        self.failed_in = ""

    def _all(self, operations: Sequence[Operation]) -> Iterator[Operation]:
        for operation in operations:
            yield operation
            if isinstance(operation, Deferred) and not operation.optional:
                yield from self._all(operation.plan(self.context))

    def _look(self, stage: str, operation: Operation) -> Planned:
        """An operation with its effects. Before users and devices exist, some of them are unknown."""
        is_there = False
        lefts: list[Left] = []
        if operation.kind == LeaveNotice.kind:
            self._warn_about_logins()
        elif isinstance(operation, steps.FinishVolume):
            is_there = self.machine.is_finished(operation.volume.node)  # its own check reads the device of that name here
        elif stage == "files":
            try:
                is_there = operation.already_there(self.context)
            except (Failure, OSError):
                is_there = False
        if stage == "files":
            operation.check(self.context)
            try:
                lefts = list(operation.leaves(self.context))
            except (Failure, OSError):
                lefts = []
        return Planned(stage, operation, is_there=is_there or bool(getattr(operation, "keeps", False)), lefts=lefts)

    def _warn_about_logins(self) -> None:
        """The notice at the login prompt; passwords are ignored."""
        if any(user.password_hash for user in self.config.passwd.users):
            return
        state = State()
        state.fetched_configs = [{"kind": "user", "source": "", "referenced": False}]
        root = self.context.root
        root.forget()
        database = AccountDatabase(root, steady=True)
        arguments = self.machine.command_line()
        try:
            said = login.notices(self.config, self.platform, state, database, KeyPlaces(root, database), arguments=arguments)
        except (Failure, OSError):
            return
        self.machine.unknown += said[:1]

    def _apply(self, planned: Planned) -> None:
        operation = planned.operation
        if planned.stage == "disks" or isinstance(operation, steps.FinishVolume):
            if isinstance(operation, steps.FormatVolume) and not operation.keeps:
                self.keys.put(operation.volume.name, _KEY)
            if isinstance(operation, steps.DropKey):
                self.keys.drop(operation.volume.name)
            self.machine.apply(operation)
        if isinstance(operation, GrowPartition):
            self.grown[operation.path] = operation.length
        apply(planned, self.context, self.overlay)

    def _disks(self) -> list[Operation]:
        return disks.plan_for(self.config, self.machine, self.keys)

    def _grow(self) -> list[Operation]:
        node = self.machine.root_node()
        if node not in self.machine.devices:
            return []
        device = self.machine.devices[node]
        found = growth.GrowFacts(Mount((0, 0), SYSROOT, node, device.content.format or "ext4", read_only=False), is_root=True)
        before = next((one.size for one in self.machine.facts.devices if one.node == node), device.size)
        found.parts = (growth.Part(self._layer(node, found), min(before, device.size)),)
        nodes = {disk.device: self.machine.real(disk.device) for disk in self.config.storage.disks}
        return grow.plan(self.config, [found], nodes, kept_sizes(self.context.root))

    def _layer(self, node: str, found: GrowFacts) -> Layer:
        device = self.machine.devices[node]
        if device.kind == document.PARTITION:
            partition = growth.Partition(node, device.size, device.below[0], device.number)
            partition.table = self.machine.table(device.below[0])
            if partition.table is None:
                partition.problem, partition.fix = f"{device.below[0]} has no GPT", "use a GPT"
            return partition
        if device.kind == document.DISK:
            return growth.Disk(node, device.size)
        found.problem = f"it is on {node}: how far its layers grow is known at the boot"
        return growth.Other(node, device.size, found.problem, "")

    def _mount(self) -> list[Operation]:
        wanted = self.config.storage.filesystems
        nodes = {entry.device: self.machine.real(entry.device) for _, entry in to_mount(wanted)}
        return mount.plan(self.config, MountFacts({"/": self.machine.root_node()}, nodes), [])

    def _files(self) -> list[Operation]:
        storage = self.config.storage
        uuids = {entry.device: self._uuid(entry.device) for entry in storage.filesystems if entry.device}
        volumes = crypttab.probe(storage.luks, self.keys, self._volume) if storage.luks else []
        root = self.context.root
        facts = files.probe(
            self.config,
            root,
            "",
            self.platform,
            uuids=uuids,
            volumes=volumes,
            initramfs=PlannedInitramfs(self.machine, root),
            root_at=self._root_at,
        )
        return files.plan(self.config, facts)

    def _root_at(self, path: str, *, leaving_is_an_error: bool = False) -> PlannedRoot:
        """The root of a named file system that is a directory: one of the new root, or of the initramfs, which is not known."""
        if path == SYSROOT or path.startswith(f"{SYSROOT}/"):
            return PlannedRoot(Below(self.overlay, path[len(SYSROOT) :]), leaving_is_an_error=leaving_is_an_error)
        self.machine.unknown.append(f"{path} is a directory of the initramfs: it is assumed to be empty")
        return PlannedRoot(Overlay(KnownTree({})), leaving_is_an_error=leaving_is_an_error)

    def _uuid(self, device: str) -> str:
        found = self.machine.devices.get(self.machine.real(device))
        return (found.content.uuid if found else "") or _NO_UUID

    def _volume(self, wanted: Luks, _where: str) -> tuple[str, str]:
        node = self.machine.real(wanted.device or "")
        found = self.machine.devices[node].luks if node in self.machine.devices else None
        return node, (found.uuid if found else "") or _NO_UUID


def apply(planned: Planned, context: Context, overlay: Overlay) -> None:
    """The effects of an operation on the root of the plan. Raises Failure."""
    operation, root = planned.operation, context.root
    if isinstance(operation, Around):
        operation = operation.inner
    known = AccountDatabase(root, steady=True)
    for left in planned.lefts:
        if isinstance(operation, PutUser) and known.user(left.name) is None:
            accounts.create_user(operation.new_user(), root, overlay)
        elif isinstance(operation, PutGroup) and known.group(left.name) is None:
            gid = (left.members or {}).get("gid")
            accounts.create_group(left.name, gid, root, overlay, is_system=operation.is_system)
        else:
            path = root.resolve(left.name) if left.kind in _NODES else left.name
            overlay.apply(left, path, operation.content(context) if left.kind in _FILES else None)
        root.forget()


def _has_storage(config: Config) -> bool:
    storage = config.storage
    return bool(storage.disks or storage.raid or storage.luks or storage.filesystems)
