"""The files stage: groups, users, directories, files, links, units, crypttab, result file.

Source: docs/reference/ignition-config.md §6.1.

Accounts come first: entries below a new home are resolved once it exists, and owners may be new users. The stage may be cut short
at any moment and run again.

The plan has every operation. Two kinds decide at execution, since they depend on earlier ones: RecordNodes resolves the paths of
the nodes that follow it and records what exists there, for the next attempt; login.FollowSshd plans where keys go if files of the
config changed what sshd reads. Not in the plan, since they are about the stage itself: the record of the attempt, the report, and
the machine id of the journal.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress

from ignition.applied import record as applied
from ignition.config.model import Config, Systemd
from ignition.errors import refusing
from ignition.host import log, mounts, paths
from ignition.host.dentry import Dentry
from ignition.host.root import Root
from ignition.operation import Context, Operation
from ignition.stages import login
from ignition.stages import state as states
from ignition.stages.arguments import Arguments
from ignition.stages.result import (
    WriteResult,
    boot_id,
    config_digest,
    now_rfc3339,
    recorded_operations,
    warning_count,
    write_report,
)
from ignition.sysroot import accounts, attempt, labels, machine_id, nodes, storage_units, units
from ignition.sysroot.account_database import AccountDatabase
from ignition.sysroot.accounts import AccountFacts
from ignition.sysroot.attempt import Attempt, Entry
from ignition.sysroot.existing import first_missing
from ignition.sysroot.new_accounts import SKELETON
from ignition.sysroot.nodes import NodeFacts
from ignition.sysroot.presets import EnableUnit
from ignition.sysroot.ssh_keys import KeyPlaces
from ignition.sysroot.users import new_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.sysroot.crypttab import Found
    from ignition.sysroot.named_filesystems import NamedFilesystem, RootAt

_HOMES = "/home"
_ACCOUNT_FILES = ("passwd", "group", "shadow", "gshadow", "subuid", "subgid")


class Facts:
    """The machine, as far as planning depends on it. `nodes` is about those of the new root itself.

    `systemd` are the units of the config over those that its storage needs. `named` are the 2.x file systems that nodes go to.
    `volumes` are the encrypted volumes of the config, `key_files` the nodes of their keys. `unlabelled` is the mode of an SELinux
    policy that setfiles is missing for.
    """

    def __init__(
        self,
        accounts: AccountFacts,
        nodes: NodeFacts,
        result: WriteResult,
        systemd: Systemd,
        notice: login.LeaveNotice,
        *,
        labels: Labels,
        named: Sequence[NamedFilesystem] = (),
        volumes: Sequence[Found] = (),
        key_files: Sequence[Entry] = (),
        unlabelled: str = "",
    ) -> None:
        self.accounts, self.nodes, self.result, self.systemd = accounts, nodes, result, systemd
        self.notice = notice
        self.labels, self.named, self.unlabelled = labels, list(named), unlabelled
        self.volumes, self.key_files = list(volumes), list(key_files)


def probe(
    config: Config,
    root: Root,
    state_file: str,
    platform: str,
    *,
    uuids: Mapping[str, str] | None = None,
    volumes: Sequence[Found] | None = None,
    initramfs: labels.Initramfs | None = None,
    root_at: RootAt = Root,
    notated: Sequence[str] = (),
) -> Facts:
    """Inspect the new root and the devices; changes nothing. Raises Failure.

    Devices are not inspected if their facts are given: `uuids` of file systems that get units, `volumes` that crypttab names.
    `initramfs`: None for the one that runs. `root_at` makes the root of a 2.x named file system that is a directory.
    `notated`: directories that the mount stage has created, besides those in the state.
    """
    initramfs = initramfs or labels.Initramfs()
    database, state, passwd = AccountDatabase(root, alone=True), states.load(state_file), config.passwd
    if passwd.users or passwd.groups:
        database.refuse_odd_files()
    record = attempt.load(root).with_users(_homeless(config, database, root)).with_homes(_missing_homes(config, database))
    has_keys = any(user.ssh_authorized_keys for user in passwd.users)
    places = KeyPlaces.from_environment(root, database, os.environ) if has_keys else KeyPlaces(root, database)
    key_files: list[Entry] = []
    if config.storage.luks and volumes is None:
        from ignition.storage.luks_keys import Keys
        from ignition.sysroot import crypttab

        volumes = crypttab.probe(config.storage.luks, Keys(state.luks_persist_key_files))
    if volumes:
        from ignition.sysroot import crypttab

        key_files = crypttab.key_files(list(volumes), root)
    relabelled = Labels(root, labels.policy(root, initramfs))
    homes = [new_home(user, root) for user in passwd.users if user.should_exist is not False]
    relabelled.note([*homes, *(key for key in record.made if key.startswith("/"))])
    return Facts(
        AccountFacts(database, record, places=places, notated=(*state.notated_directories, *notated), nested=_is_nested(root)),
        NodeFacts(nodes.resolve(nodes.places(config.storage), root), database, record, mounts.inside(root.path)),
        WriteResult(boot_id(), user_config_provided=state.user_config_provided()),
        storage_units.over(config, storage_units.probe(config.storage) if uuids is None else uuids),
        login.LeaveNotice(config, platform, state, places),
        labels=relabelled,
        named=_find_named(config, root_at),
        volumes=volumes or (),
        key_files=key_files,
        unlabelled=labels.unset(root, initramfs),
    )


@refusing()
def plan(config: Config, facts: Facts) -> list[Operation]:
    """All operations of the stage, in order. Raises Failure."""
    database, record, relabelled = facts.accounts.accounts, facts.accounts.attempt, facts.labels
    operations = [
        *accounts.plan(config.passwd, facts.accounts),
        *_plan_nodes(nodes.entries(nodes.places(config.storage), facts.nodes.resolved), facts.nodes, relabelled),
    ]
    for named in facts.named:
        operations += _plan_named(config, named, NodeFacts({}, database, record))
    if files := config.storage.extension.swap_files:
        from ignition.sysroot import swap_files

        operations += [*relabelled.noting([file.path for file in files]), *swap_files.plan(files)]
    operations += [*relabelled.noting(units.written(facts.systemd)), *units.plan(facts.systemd)]
    operations += _plan_volumes(config, facts)
    operations += units.checks(facts.systemd.units)
    # An image whose labels cannot be set is refused, unless only the result is written.
    relabelling = labels.later(database.root, facts.unlabelled) if operations and facts.unlabelled else []
    return [
        *operations,
        facts.result,
        *login.plan(config, facts.accounts.places),
        facts.notice,
        *relabelling,
        *([SetLabels(config, database, relabelled)] if relabelled.policy else []),
    ]


def operations(arguments: Arguments) -> list[Operation]:
    """The plan for this machine. Changes nothing. Raises Failure."""
    config = arguments.config
    return plan(config, probe(config, arguments.context.root, arguments.state_file, arguments.platform))


def run(arguments: Arguments, facts: Facts | None = None) -> None:
    """Execute the plan. `facts`: of a machine that is not probed, but simulated. Raises Failure."""
    config, context, runner = arguments.config, arguments.context, arguments.runner
    root = context.root
    if facts is None:
        facts = probe(config, root, arguments.state_file, arguments.platform)
    operations = plan(config, facts)  # an impossible plan is refused before anything changes
    facts.notice.count_warnings = lambda: warning_count(arguments.state_file, runner.unwritten())
    record = facts.accounts.attempt
    if record.unfinished:
        attempt.clear_leftovers(root, _directories(config, facts))
    attempt.begin(root, record)
    if config.passwd.users or config.passwd.groups:
        attempt.clear_locks(root)
    with ExitStack() as mounted, root.keeping():
        for named in facts.named:
            mounted.callback(named.close)
        runner.run(operations, context)
    _finish(root, record)
    state = states.load(arguments.state_file)
    with log.never_fatal(f"{paths.APPLIED} was not written"):
        facts.accounts.accounts.settle()
        arguments_of_kernel = map(applied.entry, applied.of_arguments(config.kernel_arguments))
        found = [*state.left, *arguments_of_kernel, *applied.entries(runner.done, context)]
        applied.write(root, found, written=now_rfc3339(), digest=config_digest(arguments.state_file))
    # The secrets that the disks stage left: by now the new root has them.
    if state.luks_persist_key_files:
        state.luks_persist_key_files = {}
        states.save(state, arguments.state_file)
    with log.never_fatal(f"{paths.REPORT} was not written"):
        recorded = recorded_operations(arguments.state_file) + runner.unwritten()
        runner.flush()
        write_report(
            root,
            arguments.state_file,
            platform=arguments.platform,
            interrupted=record.unfinished,
            operations=recorded,
            config=arguments.config,
        )
    machine_id.keep(root)


def _find_named(config: Config, root_at: RootAt) -> list[NamedFilesystem]:
    storage = config.storage
    if all(node.filesystem is None for node in (*storage.directories, *storage.files, *storage.links)):
        return []
    from ignition.sysroot import named_filesystems

    return named_filesystems.find(storage, root_at)


def _plan_nodes(entries: list[Entry], facts: NodeFacts, relabelled: Labels | None) -> list[Operation]:
    if not entries:
        return []
    return [RecordNodes(entries, facts.attempt, facts.accounts.root, relabelled), *nodes.plan_entries(entries, facts)]


def _plan_named(config: Config, named: NamedFilesystem, facts: NodeFacts) -> list[Operation]:
    """The nodes of a 2.x named file system. Where its symlinks lead is not known before it is mounted."""
    from ignition.sysroot import named_filesystems

    places = nodes.places(config.storage, named.name)
    entries = nodes.entries(places, {node.path: node.path for _, node in places})
    return named_filesystems.around(named, _plan_nodes(entries, facts, None))


def _plan_volumes(config: Config, facts: Facts) -> list[Operation]:
    """Key files, crypttab and units, by which later boots open the encrypted volumes."""
    if not facts.volumes:
        return []
    from ignition.sysroot import crypttab

    record, root = facts.accounts.attempt, facts.accounts.accounts.root
    decided = frozenset(unit.name for unit in config.systemd.units if unit.enabled is not None)
    opening = crypttab.units(facts.volumes, decided)
    return [
        *([RecordNodes(facts.key_files, record, root, None)] if facts.key_files else []),
        *facts.labels.noting([*crypttab.written(facts.volumes), paths.UNITS]),
        *(EnableUnit(unit.name) for unit in opening),
        *crypttab.plan(facts.volumes, facts.key_files, record, decided),
        *units.checks(opening),
    ]


class RecordNodes(Operation):
    """Resolves the paths of the nodes that follow, and records what exists there for the next attempt.

    New homes, with the symlinks of their skeleton, and named file systems exist only now. `root` has the record.
    """

    kind = "inspect"

    def __init__(self, entries: list[Entry], record: Attempt, root: Root, relabelled: Labels | None) -> None:
        self._entries, self._record, self._root, self._relabelled = entries, record, root, relabelled

    def describe(self) -> str:
        count = len(self._entries)
        return f"record what exists at {f'{count} paths' if count > 1 else self._entries[0].node.path} of the config"

    def execute(self, context: Context) -> None:
        context.root.forget()
        resolved = nodes.resolve([(entry.place, entry.node) for entry in self._entries], context.root)
        for entry in self._entries:
            entry.resolved = resolved[entry.node.path]
        with refusing():
            nodes.check(self._entries, mounts.inside(context.root.path))
        if self._relabelled is not None:
            self._relabelled.note(list(resolved.values()))
        self._record.note_nodes(self._entries, context.root)
        attempt.begin(self._root, self._record)


class Labels:
    """Collects the paths to relabel, if the root has an SELinux policy in use; otherwise (`policy` is "") does nothing."""

    def __init__(self, root: Root, policy: str) -> None:
        self.policy, self._root = policy, root
        self.paths: list[str] = []

    def note(self, written: list[str]) -> None:
        """Paths that are about to be written, with the parents that they will get."""
        if self.policy:
            self.paths += [first_missing(self._root, self._root.resolve(path)) for path in written]

    def noting(self, written: list[str]) -> list[Operation]:
        """The operation that notes paths, after earlier ones may have created symlinks; none without a policy."""
        return [NoteLabels(self, written)] if self.policy and written else []


class NoteLabels(Operation):
    """Notes the paths that the operations after it create."""

    kind = "inspect"

    def __init__(self, relabelled: Labels, written: list[str]) -> None:
        self._labels, self._written = relabelled, written

    def describe(self) -> str:
        return f"note {', '.join(self._written)} for SELinux labels"

    def execute(self, context: Context) -> None:
        self._labels.note(self._written)


class SetLabels(Operation):
    """Sets the SELinux labels of all noted paths, and of the stage's own files, for which alone a boot does not fail."""

    kind = "relabel"

    def __init__(self, config: Config, database: AccountDatabase, relabelled: Labels) -> None:
        self._passwd, self._database, self._labels = config.passwd, database, relabelled

    def describe(self) -> str:
        return f"set the SELinux labels of the written paths, by policy {self._labels.policy}"

    def execute(self, context: Context) -> None:
        root, wanted = context.root, list(self._labels.paths)
        if self._passwd.users or self._passwd.groups:
            wanted += [f"/etc/{name}{suffix}" for name in _ACCOUNT_FILES for suffix in ("", "-")] + ["/etc/.pwd.lock"]
            homes = [self._database.user(user.name) for user in self._passwd.users]
            wanted += [root.follow(account.home) for account in homes if account is not None]
        self.optional = not wanted
        own = [paths.RESULT, paths.REPORT, paths.APPLIED, paths.PRESET, "/etc/issue.d"]
        labels.relabel(root, self._labels.policy, [*wanted, *own])


def _is_nested(root: Root) -> bool:
    """Whether the skeleton of homes has directories."""
    with suppress(OSError), root.at(SKELETON, follow=True) as here, here.entered() as entries:
        return any(stat.S_ISDIR(found.st_mode) for found in map(Dentry.status, entries) if found is not None)
    return False


def _homeless(config: Config, database: AccountDatabase, root: Root) -> frozenset[str]:
    """The users that do not exist, without a home."""
    return frozenset(
        user.name
        for user in config.passwd.users
        if user.should_exist is not False
        and not user.no_create_home
        and database.user(user.name) is None
        and root.status(new_home(user, root)) is None
    )


def _missing_homes(config: Config, database: AccountDatabase) -> frozenset[str]:
    """The homes of existing users that do not exist, and get keys of the config."""
    homes = (accounts.missing_home(user, database) for user in config.passwd.users)
    return frozenset(home for home in homes if home is not None and database.root.status(home) is None)


def _directories(config: Config, facts: Facts) -> set[str]:
    """Where an interrupted attempt may have left temporary files."""
    found = {os.path.dirname(path) for path in (*facts.nodes.resolved.values(), *units.written(facts.systemd))}
    found |= {os.path.dirname(file.path) for file in config.storage.extension.swap_files}
    if facts.volumes:
        from ignition.sysroot import crypttab

        found |= {os.path.dirname(crypttab.PATH), crypttab.KEYS}
    return found | {os.path.dirname(path) for path in (paths.PRESET, paths.RESULT, paths.REPORT, paths.APPLIED)}


def _finish(root: Root, record: Attempt) -> None:
    """Remove the record of the attempt, once everything it is about is on disk."""
    if not record.is_worth_keeping():
        attempt.finish(root, record)
        return
    # Named file systems (their keys begin with the name) have been synced by their unmounting.
    written = {os.path.dirname(key) for key in (*record.made, *record.sizes) if key.startswith("/")}
    devices: dict[int, str] = {}
    for directory in sorted({"/", _HOMES, *written}):
        found = root.status(directory)
        if found is not None and stat.S_ISDIR(found.st_mode):
            devices.setdefault(found.st_dev, directory)
    for directory in devices.values():
        root.sync(directory)
    attempt.finish(root, record)
