"""The plans of all stages for one machine, in the order of a boot, each made after the effects of those before it."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

from ignition.errors import Failure, at
from ignition.facts.document import Node
from ignition.operation import Around, Context, Deferred, Operation
from ignition.planning import accounts, growth
from ignition.planning.machine import PlannedMachine
from ignition.planning.overlay import Overlay
from ignition.planning.root import PlannedRoot
from ignition.planning.tree import FORMATS, Below, KnownTree, UnknownContent
from ignition.stages import disks, files, grow, kargs, login, mount, umount
from ignition.stages.login import LeaveNotice
from ignition.stages.state import State
from ignition.storage import luks_operations as steps
from ignition.storage.grow.keys import KeyFinder
from ignition.storage.grow.operations import GrowPartition, NotGrown, kept_sizes
from ignition.storage.luks_keys import Keys
from ignition.storage.mounting import DIRECTORY_MODE, Mount, MountFacts, missing_directories, to_mount
from ignition.storage.raid import AssembleArray
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

SYSROOT = "/sysroot"  # where the stages find the new root, and name it in messages
_NODES, _FILES = ("file", "directory", "link", "SSH keys"), ("file", "SSH keys")
_SETFILES = ("/usr/sbin/setfiles", "/sbin/setfiles", "/usr/bin/setfiles")
_KEY = b"made at the boot"
_NO_UUID = "made-at-the-boot"


class Planned:
    """One operation of a stage. `what`: its words before it has its effect: "create", and not "change".

    `is_there`: its effect exists already, None if the facts do not have the contents to tell; `lefts`: its effects, as far as
    they are known.
    """

    def __init__(self, stage: str, operation: Operation, *, is_there: bool | None, lefts: Sequence[Left]) -> None:
        self.stage, self.operation, self.is_there, self.lefts = stage, operation, is_there, tuple(lefts)
        self.what = operation.describe()


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
        self._notated: list[str] = []  # the directories that the mount stage creates

    def run(self, seen: Callable[[Planned], None], *, goes_on: bool = False) -> None:
        """All stages. `goes_on`: after a failing one with the next, as no boot does."""
        plans: dict[str, Callable[[], list[Operation]]] = {
            "kargs": lambda: kargs.plan(self.config),
            "disks": self._disks,
            "grow": self._grow,
            "mount": self._mount,
            "files": self._files,
            "umount": self._umount,
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
        is_there: bool | None = False
        asked_in_vain = self.overlay.asked_in_vain
        lefts: list[Left] = []
        if operation.kind == LeaveNotice.kind:
            is_there = not self._warn_about_logins()
        elif isinstance(operation, NotGrown):
            is_there = True
        elif isinstance(operation, AssembleArray):
            is_there = self.machine.exists(operation.path)
        elif isinstance(operation, steps.FinishVolume):
            is_there = self.machine.is_finished(operation.volume.node)  # its own check reads the device of that name here
        elif stage == "files":
            try:
                is_there = operation.already_there(self.context)
            except (Failure, OSError):
                is_there = False
        if self.overlay.asked_in_vain > asked_in_vain:
            is_there = None
        if stage == "files":
            with suppress(UnknownContent):
                operation.check(self.context)
            try:
                lefts = list(operation.leaves(self.context))
            except (Failure, OSError):
                lefts = []
        return Planned(stage, operation, is_there=True if getattr(operation, "keeps", False) else is_there, lefts=lefts)

    def _warn_about_logins(self) -> list[str]:
        """The notice at the login prompt, its first words added to the notes. A password of the config lets somebody in."""
        if any(user.password_hash or user.extension.sealed_password_hash for user in self.config.passwd.users):
            return []
        state, asked_in_vain = State(), self.overlay.asked_in_vain
        state.fetched_configs = [{"kind": "user", "source": "", "referenced": False}]
        root = self.context.root
        root.forget()
        database = AccountDatabase(root, steady=True)
        arguments = self.machine.command_line()
        try:
            said = login.notices(self.config, self.platform, state, database, KeyPlaces(root, database), arguments=arguments)
        except (Failure, OSError):
            return []
        if self.overlay.asked_in_vain > asked_in_vain:
            return []
        self.machine.unknown += said[:1]
        return said

    def _apply(self, planned: Planned) -> None:
        operation = planned.operation
        if planned.stage == "disks" or isinstance(operation, steps.FinishVolume):
            if isinstance(operation, steps.FormatVolume) and not operation.keeps:
                self.keys.put(operation.volume.name, _KEY)
            if isinstance(operation, steps.DropKey):
                self.keys.drop(operation.volume.name)
            self.machine.apply(operation)
        if isinstance(operation, Mount):
            self._mounted(operation)
        if isinstance(operation, GrowPartition):
            self.grown[operation.path] = operation.length
        if not planned.is_there:
            apply(planned, self.context, self.overlay)

    def _disks(self) -> list[Operation]:
        return disks.plan_for(self.config, self.machine, self.keys)

    def _grow(self) -> list[Operation]:
        found = growth.of_root(self.machine, SYSROOT, KeyFinder(self.keys, self.context.root))
        nodes = {disk.device: self.machine.real(disk.device) for disk in self.config.storage.disks}
        return grow.plan(self.config, [found], nodes, kept_sizes(self.context.root)) if found else []

    def _mount(self) -> list[Operation]:
        wanted = self.config.storage.filesystems
        nodes = {entry.device: self.machine.real(entry.device) for _, entry in to_mount(wanted)}
        return mount.plan(self.config, MountFacts({"/": self.machine.root_node()}, nodes), [])

    def _mounted(self, operation: Mount) -> None:
        """Its directories, and where the file system is new, what it hides. Raises Failure as the boot would."""
        with at(operation.place):
            missing = missing_directories(SYSROOT, operation.path, self._mode)
        for directory in missing:
            self.overlay.put(directory, Node("directory", DIRECTORY_MODE))
        self._notated += missing
        if self.machine.is_formatted(operation.device):
            self.overlay.cover(operation.path)
        self.context.root.forget()

    def _mode(self, outside: str) -> int | None:
        found = self.overlay.node(outside.removeprefix(SYSROOT) or "/")
        return FORMATS[found.kind] | found.mode if found else None

    def _umount(self) -> list[Operation]:
        """Its unit is only started where something was mounted."""
        found = umount.plan(self.config)
        return [*found, umount.EraseSecrets("", "")] if found else []

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
            notated=self._notated,
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
            path, content = root.resolve(left.name) if left.kind in _NODES else left.name, None
            with suppress(UnknownContent):
                content = operation.content(context) if left.kind in _FILES else None
            overlay.apply(left, path, content, may_be_there=planned.is_there is None)
        root.forget()


def _has_storage(config: Config) -> bool:
    storage = config.storage
    return bool(storage.disks or storage.raid or storage.luks or storage.filesystems)
