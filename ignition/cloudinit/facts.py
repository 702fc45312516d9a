"""What planning needs to know of the machine: looked at before anything changes.

What cannot be looked at is a fact, too (`problems`): it must not keep users, keys and host name from being applied.
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
    """`resolved`: path → place inside the root. `blocked`: path → why no file can be put there. `texts`: file → content.

    `missing_units`: to be enabled or commanded, but there is none. `gives_groups`: new users get a group of their own.
    `problems`: why one of these is not known.
    """

    def __init__(self, root: Root) -> None:
        self.root, self.accounts = root, AccountDatabase(root)
        self.hostname = os.uname().nodename
        self.resolved: dict[str, str] = {}
        self.blocked: dict[str, str] = {}
        self.texts: dict[str, str | None] = {}
        self.missing_units: set[str] = set()
        self.gives_groups = False
        self.problems: list[Failure] = []
        by_program = shutil.which(ssh_keys.PROGRAM, path=command.ENVIRONMENT["PATH"]) is not None
        self.writer = ssh_keys.Writer(self.accounts, root, by_program=by_program)

    def has_user(self, name: str) -> bool:
        """Whether there is such a user, also one that only NSS knows."""
        return self.accounts.user(name) is not None or (not self.root.path and _known(pwd.getpwnam, name))

    def has_group(self, name: str) -> bool:
        """The same for a group."""
        return self.accounts.group(name) is not None or (not self.root.path and _known(grp.getgrnam, name))

    def login_group(self, user: str) -> int | None:
        """The id of a user's own group; None for a user that is not there yet."""
        account = self.accounts.user(user)
        if account is not None:
            return account.gid
        return pwd.getpwnam(user).pw_gid if not self.root.path and _known(pwd.getpwnam, user) else None

    def uid(self, name: str) -> int | None:
        """The id of a user that only NSS knows; None for all others."""
        is_foreign = self.accounts.user(name) is None and not self.root.path and _known(pwd.getpwnam, name)
        return pwd.getpwnam(name).pw_uid if is_foreign else None

    def gid(self, name: str) -> int | None:
        """The same for a group."""
        is_foreign = self.accounts.group(name) is None and not self.root.path and _known(grp.getgrnam, name)
        return grp.getgrnam(name).gr_gid if is_foreign else None


def probe(root: Root) -> Facts:
    """What users, keys and host name ask for: quickly had, and from files alone."""
    facts = Facts(root)
    for path in (MACHINE_INFO, _LOGIN_DEFS):
        _read(facts, path)
    facts.gives_groups = _gives_groups(facts.texts.get(_LOGIN_DEFS) or "")
    return facts


def look(facts: Facts, configs: Iterable[CloudConfig]) -> None:
    """Add what all else in these configs asks for."""
    for path in (substitution.ENVIRONMENT_FILE, UPDATE_CONF, UPDATE_BASE):
        _read(facts, path)
    for config in configs:
        for file in config.write_files:
            _look_at_target(facts, file.path)
        try:
            _ask_for_units(facts, config)
        except Failure as failure:
            facts.problems.append(failure)


def _read(facts: Facts, path: str) -> None:
    try:
        facts.texts[path] = reading.read_text(facts.root, path)
    except Failure as failure:
        facts.problems.append(failure)


class Newcomers:
    """The users that a run creates. `groups`: user → name of the login group, where that is known before."""

    def __init__(self, configs: Iterable[CloudConfig], facts: Facts) -> None:
        users = [user for config in configs for user in config.users if user.name and not facts.has_user(user.name)]
        self.names = frozenset(user.name for user in users)
        own = {user.name: user.name for user in users if facts.gives_groups and not user.no_user_group}
        self.groups = {**own, **{user.name: user.primary_group for user in users if user.primary_group}}

    def has_group(self, name: str) -> bool:
        """Whether a group comes with one of them."""
        return self.groups.get(name) == name


def clean(path: str) -> str:
    """As the original joins a path to the root."""
    return os.path.normpath("/" + path.lstrip("/"))


def _look_at_target(facts: Facts, path: str) -> None:
    if not path:
        return
    inside = clean(path)
    facts.blocked[path] = impossible(path)
    if facts.blocked[path]:
        return
    try:
        facts.resolved[path] = facts.root.resolve(inside)
        facts.blocked[path] = _in_the_way(facts.root, facts.resolved[path], inside)
    except Failure as failure:
        facts.blocked[path] = failure.what
    except OSError as error:
        facts.blocked[path] = f"{inside} cannot be looked at: {error.strerror or error}"
    if not facts.blocked[path]:
        del facts.blocked[path]


def impossible(path: str) -> str:
    """Why no machine can have a file there; "" if one could."""
    inside = clean(path)
    try:
        encoded = inside.encode()
    except UnicodeEncodeError:
        return "the path is not UTF-8 text"
    if "\0" in path or inside == "/":
        return "the file has no path"
    if len(encoded) > _LONGEST_PATH:
        return f"the path has {len(encoded)} bytes: Linux takes at most {_LONGEST_PATH}"
    if any(len(name) > _LONGEST_NAME for name in encoded.split(b"/")):
        return f"a name in the path has more than {_LONGEST_NAME} bytes"
    return ""


def _in_the_way(root: Root, resolved: str, inside: str) -> str:
    """What stands where the file would go, or above it; "" if nothing does."""
    found = root.status(resolved)
    if found is not None and stat.S_ISDIR(found.st_mode):
        return f"{inside} is a directory"
    parent = os.path.dirname(resolved)
    while (above := root.status(parent)) is None and parent != "/":
        parent = os.path.dirname(parent)
    return "" if above is None or stat.S_ISDIR(above.st_mode) else f"{inside} is below something that is not a directory"


def _ask_for_units(facts: Facts, config: CloudConfig) -> None:
    written = {os.path.basename(file.path) for file in config.write_files}
    written |= {systemd.full_name(unit.name) for unit in config.coreos.units if unit.content}
    for unit in config.coreos.units:
        name = systemd.full_name(unit.name)
        template = name.partition("@")[0] + "@." + name.rpartition(".")[2]
        if not systemd.is_name(name) or "/" in name or unit.mask or is_network(name) or {name, template} & written:
            continue
        if (unit.enable and not systemd.enablement(name)) or (unit.command and not systemd.is_there(name)):
            facts.missing_units.add(unit.name)


def _gives_groups(login_defs: str) -> bool:
    """login.defs(5): USERGROUPS_ENAB. Without it useradd makes no groups."""
    words = [line.split() for line in reading.lines(login_defs)]
    return ["USERGROUPS_ENAB", "yes"] in [one[:2] for one in words]


def _known(look: Callable[[str], object], name: str) -> bool:
    try:
        look(name)
    except (KeyError, ValueError):
        return False
    return True
