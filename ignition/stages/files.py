"""The files stage: groups, users, directories, files, links, units, crypttab, result file.

Source: docs/reference/ignition-config.md §6.1.

Accounts come first: entries below a new home are resolved when it is there, and owners may be new users. The entries of named
file systems of a 2.x config are written while those are mounted. The stage may be cut short at any moment and run again.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from contextlib import suppress

from ignition.config.model import Config, Systemd
from ignition.config.model.storage import Filesystem, Node
from ignition.config.model.systemd import Unit
from ignition.errors import Failure, refusing
from ignition.host import atomic, log, mounts, paths
from ignition.host.dentry import Dentry
from ignition.host.root import Root
from ignition.operation import Context, Operation
from ignition.stages import login
from ignition.stages import state as states
from ignition.stages.arguments import Arguments
from ignition.stages.result import WriteResult, boot_id, write_report
from ignition.sysroot import accounts, attempt, labels, machine_id, nodes, storage_units, units
from ignition.sysroot.account_database import AccountDatabase
from ignition.sysroot.accounts import AccountFacts
from ignition.sysroot.attempt import Attempt
from ignition.sysroot.existing import first_missing
from ignition.sysroot.nodes import NodeFacts
from ignition.sysroot.presets import EnableUnit
from ignition.sysroot.ssh_keys import KeyPlaces
from ignition.sysroot.users import SKELETON, new_home

_ROOT = "root"  # the 2.x file system whose symlinks are followed within it; of others none may lead out
_HOMES = "/home"
_ACCOUNT_FILES = ("passwd", "group", "shadow", "gshadow", "subuid", "subgid")


class Facts:
    """What planning needs to know of the machine. `nodes` is about those of the new root itself.

    `systemd` are the units of the config over those that its storage needs.
    """

    def __init__(self, accounts: AccountFacts, nodes: NodeFacts, result: WriteResult, systemd: Systemd) -> None:
        self.accounts, self.nodes, self.result, self.systemd = accounts, nodes, result, systemd


def probe(config: Config, root: Root, state_file: str, before: Attempt, uuids: Mapping[str, str]) -> Facts:
    """Look at the new root; changes nothing. `uuids` are those of file systems that get units. Raises Failure."""
    database = AccountDatabase(root)
    if config.passwd.users or config.passwd.groups:
        database.refuse_odd_files()
    has_keys = any(user.ssh_authorized_keys for user in config.passwd.users)
    places = KeyPlaces.from_environment(root, database, os.environ) if has_keys else None
    state = states.load(state_file)
    return Facts(
        AccountFacts(database, before, places=places, notated=tuple(state.notated_directories), nested=_is_nested(root)),
        NodeFacts(nodes.resolve(nodes.places(config.storage), root), database, before, mounts.inside(root.path)),
        WriteResult(boot_id(), user_config_provided=state.user_config_provided()),
        storage_units.over(config, uuids),
    )


@refusing()
def plan(config: Config, facts: Facts) -> list[Operation]:
    """All operations on the new root in order, without those on named file systems of a 2.x config. Raises Failure."""
    return [
        *accounts.plan(config.passwd, facts.accounts),
        *nodes.plan(nodes.places(config.storage), facts.nodes),
        *units.plan(facts.systemd),
        facts.result,
    ]


def run(arguments: Arguments) -> None:
    """Carry the stage out. Raises Failure."""
    config, context, runner = arguments.config, arguments.context, arguments.runner
    root = context.root
    record = attempt.load(root)
    database = AccountDatabase(root)
    record = record.with_users(_homeless(config, database, root)).with_homes(_missing_homes(config, database))
    facts = probe(config, root, arguments.state_file, record, storage_units.probe(config.storage))
    operations = plan(config, facts)  # what is wrong with the plan is said before anything changes
    if record.unfinished:
        attempt.clear_leftovers(root, _directories(config, facts))
    relabelled = _Labels(root)
    unlabelled = labels.unset(root) if len(operations) > 1 or _writes_more(config) else ""
    relabelling = labels.later(root, unlabelled) if unlabelled else []
    homes = [new_home(user, root) for user in config.passwd.users if user.should_exist is not False]
    relabelled.note([*homes, *(key for key in record.made if key.startswith("/"))])
    attempt.begin(root, record)
    if config.passwd.users or config.passwd.groups:
        attempt.clear_locks(root)
    runner.run(accounts.plan(config.passwd, facts.accounts), context)
    relabelled.note_accounts(config, facts.accounts.accounts)
    record = _write_nodes(arguments, context, None, facts.accounts.accounts, record, relabelled)
    for filesystem in _named(config):
        record = _write_named(arguments, filesystem, facts.accounts.accounts, record)
    _write_swap_files(arguments, relabelled)
    relabelled.note(units.written(facts.systemd))
    runner.run(units.plan(facts.systemd), context)
    record = _write_volumes(arguments, record, relabelled)
    _look_for_units(arguments, facts.systemd.units)
    runner.run([facts.result], context)
    login.run(arguments, facts.accounts.places)
    runner.run(relabelling, context)
    _finish(root, record)
    relabelled.set()
    _forget_keys(arguments.state_file)
    runner.flush()
    write_report(root, arguments.state_file)
    machine_id.keep(root)


def _write_nodes(
    arguments: Arguments,
    context: Context,
    filesystem: str | None,
    database: AccountDatabase,
    record: Attempt,
    relabelled: _Labels | None,
) -> Attempt:
    """Write the nodes of one file system; returns the record, which now knows what they found."""
    found = nodes.places(arguments.config.storage, filesystem)
    if not found:
        return record
    context.root.forget()
    resolved = nodes.resolve(found, context.root)
    record = record.with_nodes(nodes.entries(found, resolved), context.root)
    attempt.begin(arguments.context.root, record)
    if relabelled is not None:
        relabelled.note(list(resolved.values()))
    arguments.runner.run(nodes.plan(found, NodeFacts(resolved, database, record, mounts.inside(context.root.path))), context)
    return record


def _write_named(arguments: Arguments, filesystem: Filesystem, database: AccountDatabase, record: Attempt) -> Attempt:
    """Write the nodes of a 2.x named file system, which is mounted only meanwhile."""
    name, fetcher = filesystem.name, arguments.context.fetcher
    strict = name != _ROOT
    if filesystem.in_place is not None:
        context = Context(Root(filesystem.in_place, leaving_is_an_error=strict), fetcher)
        return _write_nodes(arguments, context, name, database, record, None)
    from ignition.storage.mounting import mounted

    with mounted(filesystem.device, filesystem.format, filesystem.mount_options) as point:
        context = Context(Root(point, leaving_is_an_error=strict), fetcher)
        return _write_nodes(arguments, context, name, database, record, None)


def _write_swap_files(arguments: Arguments, relabelled: _Labels) -> None:
    files = arguments.config.storage.extension.swap_files
    if not files:
        return
    from ignition.sysroot import swap_files

    relabelled.note([file.path for file in files])
    arguments.context.root.forget()  # nodes may have brought symlinks
    arguments.runner.run(swap_files.plan(files), arguments.context)


def _write_volumes(arguments: Arguments, record: Attempt, relabelled: _Labels) -> Attempt:
    """Make later boots open the encrypted volumes; returns the record, which now knows what the key files found."""
    volumes, context = arguments.config.storage.luks, arguments.context
    if not volumes:
        return record
    from ignition.storage.luks_keys import Keys
    from ignition.sysroot import crypttab

    keys = Keys(states.load(arguments.state_file).luks_persist_key_files)
    found = crypttab.probe(volumes, keys)
    key_files = crypttab.key_files(found, context.root)
    record = record.with_nodes(key_files, context.root)
    attempt.begin(context.root, record)
    relabelled.note([*crypttab.written(found), paths.UNITS])
    decided = frozenset(unit.name for unit in arguments.config.systemd.units if unit.enabled is not None)
    opening = crypttab.units(found, decided)
    arguments.runner.run([EnableUnit(unit.name) for unit in opening], context)
    arguments.runner.run(crypttab.plan(found, key_files, record, decided), context)
    _look_for_units(arguments, opening)
    return record


def _look_for_units(arguments: Arguments, wanted: tuple[Unit, ...]) -> None:
    """Warn of units that have no effect. It serves people alone."""
    with log.never_fatal("whether the units of the config exist was not looked at"):
        arguments.runner.run(units.checks(wanted), arguments.context)


def _forget_keys(state_file: str) -> None:
    """Erase the secrets that the disks stage left: by now they are in the new root."""
    state = states.load(state_file)
    if state.luks_persist_key_files:
        state.luks_persist_key_files = {}
        states.save(state, state_file)


def _named(config: Config) -> list[Filesystem]:
    """The named file systems that nodes refer to, in the order of reference; the last definition of a name counts."""
    storage = config.storage
    defined = {filesystem.name: filesystem for filesystem in storage.filesystems if filesystem.name}
    found: dict[str, Filesystem] = {}
    every: list[Node] = [*storage.directories, *storage.files, *storage.links]
    for node in every:
        if node.filesystem is not None and node.filesystem not in found:
            if node.filesystem not in defined:
                raise Failure(
                    f"no file system is named {node.filesystem!r}", where=node.path, fix="define it in storage.filesystems"
                )
            found[node.filesystem] = defined[node.filesystem]
    return list(found.values())


def _is_nested(root: Root) -> bool:
    """Whether the skeleton of homes has directories."""
    with suppress(OSError), root.at(SKELETON, follow=True) as here, here.entered() as entries:
        return any(stat.S_ISDIR(found.st_mode) for found in map(Dentry.status, entries) if found is not None)
    return False


def _homeless(config: Config, database: AccountDatabase, root: Root) -> frozenset[str]:
    """The users that do not exist and whose home does not either."""
    return frozenset(
        user.name
        for user in config.passwd.users
        if user.should_exist is not False
        and not user.no_create_home
        and database.user(user.name) is None
        and root.status(new_home(user, root)) is None
    )


def _writes_more(config: Config) -> bool:
    """Whether the stage writes something that is not in its plan, besides the result."""
    return bool(_named(config) or config.storage.extension.swap_files or config.storage.luks)


def _missing_homes(config: Config, database: AccountDatabase) -> frozenset[str]:
    """The homes of existing users that do not exist, and get keys of the config."""
    homes = (accounts.missing_home(user, database) for user in config.passwd.users)
    return frozenset(home for home in homes if home is not None and database.root.status(home) is None)


def _directories(config: Config, facts: Facts) -> set[str]:
    """Where an interrupted attempt may have left temporary files."""
    found = {os.path.dirname(path) for path in (*facts.nodes.resolved.values(), *units.written(facts.systemd))}
    found |= {os.path.dirname(file.path) for file in config.storage.extension.swap_files}
    if config.storage.luks:
        from ignition.sysroot import crypttab

        found |= {os.path.dirname(crypttab.PATH), crypttab.KEYS}
    return found | {os.path.dirname(path) for path in (paths.PRESET, paths.RESULT, paths.REPORT)}


def _finish(root: Root, record: Attempt) -> None:
    """Drop the record of the attempt, once all that it is about is on disk."""
    if not record.is_worth_keeping():
        attempt.finish(root, record)
        return
    # A named file system (its keys begin with the name) was unmounted by now, which wrote it out.
    written = {os.path.dirname(key) for key in (*record.made, *record.sizes) if key.startswith("/")}
    devices: dict[int, str] = {}
    for directory in sorted({"/", _HOMES, *written}):
        found = root.status(directory)
        if found is not None and stat.S_ISDIR(found.st_mode):
            devices.setdefault(found.st_dev, root.outside(directory))
    for directory in devices.values():
        atomic.sync_file_system(directory)
    attempt.finish(root, record)


class _Labels:
    """Collects what to relabel, if the root has an SELinux policy; otherwise all of it does nothing."""

    def __init__(self, root: Root) -> None:
        self._root, self._policy = root, labels.policy(root)
        self._paths: list[str] = []

    def note(self, written: list[str]) -> None:
        """Paths that are about to be written, with the parents that they will get."""
        if self._policy:
            self._paths += [first_missing(self._root, self._root.resolve(path)) for path in written]

    def note_accounts(self, config: Config, database: AccountDatabase) -> None:
        """The files of the account database and the homes."""
        if self._policy and (config.passwd.users or config.passwd.groups):
            self._paths += [f"/etc/{name}{suffix}" for name in _ACCOUNT_FILES for suffix in ("", "-")] + ["/etc/.pwd.lock"]
            homes = [database.user(user.name) for user in config.passwd.users]
            self._paths += [self._root.follow(account.home) for account in homes if account is not None]

    def set(self) -> None:
        """Set the labels of all that was noted, and of what the stage itself leaves: for the latter alone it fails no boot."""
        if not self._policy:
            return
        own = [paths.RESULT, paths.REPORT, paths.PRESET, "/etc/issue.d"]
        if self._paths:
            labels.relabel(self._root, self._policy, [*self._paths, *own])
        else:
            with log.never_fatal("the SELinux labels of result and report were not set"):
                labels.relabel(self._root, self._policy, own)
