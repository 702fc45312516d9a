"""Facts about the machine that planning needs, collected before anything changes.

A fact that cannot be determined is recorded in `problems`, so that users, keys and host name can be applied nevertheless.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import stat
from collections.abc import Callable, Iterable

from ignition.cloudinit import ssh_keys, substitution, systemd
from ignition.cloudinit.coreos_files import UPDATE_BASE, UPDATE_CONF
from ignition.cloudinit.hostnames import MACHINE_INFO
from ignition.cloudinit.model import CloudConfig, is_network
from ignition.errors import Failure
from ignition.host import command, reading
from ignition.host.root import Root
from ignition.sysroot.account_database import AccountDatabase

_LOGIN_DEFS = "/etc/login.defs"
_LONGEST_PATH, _LONGEST_NAME = 4095, 255  # bytes: linux/limits.h, PATH_MAX without its NUL, NAME_MAX


class Facts:
    """`resolved`: path → place inside the root. `blocked`: path → why a file cannot be written there. `texts`: file → content.

    `missing_units`: units to be enabled or started that do not exist. `has_user_groups`: new users get a group of their own.
    `problems`: why some of these could not be determined. `asks_nss`: the root is that of this process.
    """

    def __init__(self, root: Root, *, asks_nss: bool) -> None:
        self.root, self.accounts, self._asks_nss = root, AccountDatabase(root), asks_nss
        self.hostname = os.uname().nodename
        self.resolved: dict[str, str] = {}
        self.blocked: dict[str, str] = {}
        self.texts: dict[str, str | None] = {}
        self.missing_units: set[str] = set()
        self.has_user_groups = False
        self.problems: list[Failure] = []
        by_program = shutil.which(ssh_keys.PROGRAM, path=command.ENVIRONMENT["PATH"]) is not None
        self.writer = ssh_keys.Writer(self.accounts, root, by_program=by_program)

    def has_user(self, name: str) -> bool:
        """Whether the user exists, in the root's files or through NSS."""
        return self.accounts.user(name) is not None or (self._asks_nss and _known(pwd.getpwnam, name))

    def has_group(self, name: str) -> bool:
        """Whether the group exists, in the root's files or through NSS."""
        return self.accounts.group(name) is not None or (self._asks_nss and _known(grp.getgrnam, name))

    def login_group(self, user: str) -> int | None:
        """The id of a user's login group; None for a user that does not exist yet."""
        account = self.accounts.user(user)
        if account is not None:
            return account.gid
        return pwd.getpwnam(user).pw_gid if self._asks_nss and _known(pwd.getpwnam, user) else None

    def uid(self, name: str) -> int | None:
        """The id of a user that only NSS has; None for all others."""
        is_foreign = self.accounts.user(name) is None and self._asks_nss and _known(pwd.getpwnam, name)
        return pwd.getpwnam(name).pw_uid if is_foreign else None

    def gid(self, name: str) -> int | None:
        """The id of a group that only NSS has; None for all others."""
        is_foreign = self.accounts.group(name) is None and self._asks_nss and _known(grp.getgrnam, name)
        return grp.getgrnam(name).gr_gid if is_foreign else None


def probe(root: Root, *, asks_nss: bool) -> Facts:
    """The facts that the login part needs: quick, and from files alone. `asks_nss`: see Facts."""
    facts = Facts(root, asks_nss=asks_nss)
    for path in (MACHINE_INFO, _LOGIN_DEFS):
        _read(facts, path)
    # login.defs(5): without USERGROUPS_ENAB useradd does not create groups.
    words = [line.split() for line in reading.lines(facts.texts.get(_LOGIN_DEFS) or "")]
    facts.has_user_groups = ["USERGROUPS_ENAB", "yes"] in [one[:2] for one in words]
    return facts


def look(facts: Facts, configs: Iterable[CloudConfig]) -> None:
    """Add the facts that the rest of these configs needs."""
    for path in (substitution.ENVIRONMENT_FILE, UPDATE_CONF, UPDATE_BASE):
        _read(facts, path)
    for config in configs:
        for file in config.write_files:
            if file.path:
                _look_at_target(facts, file.path)
        try:
            _find_missing_units(facts, config)
        except Failure as failure:
            facts.problems.append(failure)


def _read(facts: Facts, path: str) -> None:
    try:
        facts.texts[path] = reading.read_text(facts.root, path)
    except Failure as failure:
        facts.problems.append(failure)


class Newcomers:
    """The users that a run creates. `groups`: user → name of the login group, if it is known beforehand."""

    def __init__(self, configs: Iterable[CloudConfig], facts: Facts) -> None:
        users = [user for config in configs for user in config.users if user.name and not facts.has_user(user.name)]
        self.names = frozenset(user.name for user in users)
        own = {user.name: user.name for user in users if facts.has_user_groups and not user.no_user_group}
        self.groups = {**own, **{user.name: user.primary_group for user in users if user.primary_group}}

    def has_group(self, name: str) -> bool:
        """Whether a group is created along with one of them."""
        return self.groups.get(name) == name


def clean(path: str) -> str:
    """The path as the original joins it to the root."""
    return os.path.normpath("/" + path.lstrip("/"))


def _look_at_target(facts: Facts, path: str) -> None:
    inside = clean(path)
    problem = impossible(path)
    if not problem:
        try:
            facts.resolved[path] = facts.root.resolve(inside)
            problem = _obstacle(facts.root, facts.resolved[path], inside)
        except Failure as failure:
            problem = failure.what
        except OSError as error:
            problem = f"{inside} cannot be checked: {error.strerror or error}"
    if problem:
        facts.blocked[path] = problem


def impossible(path: str) -> str:
    """Why a file at that path is impossible on every machine; "" if it is possible."""
    inside = clean(path)
    try:
        encoded = inside.encode()
    except UnicodeEncodeError:
        return "the path is not UTF-8 text"
    if "\0" in path or inside == "/":
        return "the file has no path"
    if len(encoded) > _LONGEST_PATH:
        return f"the path has {len(encoded)} bytes; Linux allows at most {_LONGEST_PATH}"
    if any(len(name) > _LONGEST_NAME for name in encoded.split(b"/")):
        return f"a name in the path has more than {_LONGEST_NAME} bytes"
    return ""


def _obstacle(root: Root, resolved: str, inside: str) -> str:
    """Why something that exists on this machine prevents the file; "" if nothing does."""
    found = root.status(resolved)
    if found is not None and stat.S_ISDIR(found.st_mode):
        return f"{inside} is a directory"
    parent = os.path.dirname(resolved)
    while (above := root.status(parent)) is None and parent != "/":
        parent = os.path.dirname(parent)
    return "" if above is None or stat.S_ISDIR(above.st_mode) else f"{inside} is below something that is not a directory"


def _find_missing_units(facts: Facts, config: CloudConfig) -> None:
    written = {os.path.basename(file.path) for file in config.write_files}
    written |= {systemd.full_name(unit.name) for unit in config.coreos.units if unit.content}
    for unit in config.coreos.units:
        name = systemd.full_name(unit.name)
        template = name.partition("@")[0] + "@." + name.rpartition(".")[2]
        if not systemd.is_name(name) or "/" in name or unit.mask or is_network(name) or {name, template} & written:
            continue
        if (unit.enable and not systemd.enablement(name)) or (unit.command and not systemd.exists(name)):
            facts.missing_units.add(unit.name)


def _known(look: Callable[[str], object], name: str) -> bool:
    try:
        look(name)
    except (KeyError, ValueError):
        return False
    return True
