"""What planning needs to know of the machine: looked at before anything changes."""

import grp
import os
import pwd
import shutil
import stat

from ignition.cloudinit import environment_file, ssh_keys, systemd
from ignition.cloudinit.coreos_files import UPDATE_BASE, UPDATE_CONF
from ignition.cloudinit.model import CloudConfig, is_network
from ignition.errors import Failure
from ignition.host import command
from ignition.host.root import Root
from ignition.system.account_database import AccountDatabase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_LOGIN_DEFS = "/etc/login.defs"


class Facts:
    """`resolved`: path → place inside the root. `blocked`: path → why no file can be put there. `texts`: file → content.

    `missing_units`: to be enabled or commanded, but there is none. `imported`: URL → keys. `gives_groups`: new users get a group
    of their own.
    """

    def __init__(self, root: Root) -> None:
        self.root, self.accounts = root, AccountDatabase(root)
        self.hostname = os.uname().nodename
        self.resolved: dict[str, str] = {}
        self.blocked: dict[str, str] = {}
        self.texts: dict[str, str | None] = {}
        self.missing_units: set[str] = set()
        self.imported: dict[str, tuple[str, ...]] = {}
        self.gives_groups = False
        self.writer = ssh_keys.Writer(self.accounts, root, by_program=False)

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


def probe(configs: "Iterable[CloudConfig]", root: Root) -> Facts:
    """Look; changes nothing. Keys that users import from elsewhere are fetched. Raises Failure."""
    facts = Facts(root)
    by_program = shutil.which(ssh_keys.PROGRAM, path=command.ENVIRONMENT["PATH"]) is not None
    facts.writer = ssh_keys.Writer(facts.accounts, root, by_program=by_program)
    facts.gives_groups = _gives_groups(_text(root, _LOGIN_DEFS) or "")
    for path in (environment_file.PATH, UPDATE_CONF, UPDATE_BASE):
        facts.texts[path] = _text(root, path)
    for config in configs:
        for file in config.write_files:
            _look_at_target(facts, file.path)
        _ask_for_units(facts, config)
        for user in config.users:
            for url in import_urls(
                user.coreos_ssh_import_github, user.coreos_ssh_import_github_users, user.coreos_ssh_import_url
            ):
                facts.imported.setdefault(url, ssh_keys.imported(url))
    return facts


class Newcomers:
    """The users that a run creates. `groups`: user → name of the login group, where that is known before."""

    def __init__(self, configs: "Iterable[CloudConfig]", facts: Facts) -> None:
        users = [user for config in configs for user in config.users if user.name and not facts.has_user(user.name)]
        self.names = frozenset(user.name for user in users)
        own = {user.name: user.name for user in users if facts.gives_groups and not user.no_user_group}
        self.groups = {**own, **{user.name: user.primary_group for user in users if user.primary_group}}

    def has_group(self, name: str) -> bool:
        """Whether a group comes with one of them."""
        return self.groups.get(name) == name


def import_urls(github: str, github_users: "tuple[str, ...]", url: str) -> list[str]:
    """Where the keys of a user are imported from, in order."""
    names = [name for name in (github, *github_users) if name]
    return [ssh_keys.GITHUB.format(user=name) for name in names] + [url] * bool(url)


def clean(path: str) -> str:
    """As the original joins a path to the root."""
    return os.path.normpath("/" + path.lstrip("/"))


def _look_at_target(facts: Facts, path: str) -> None:
    if not path or "\0" in path:
        return
    inside = clean(path)
    try:
        facts.resolved[path] = facts.root.resolve(inside)
    except Failure as failure:
        facts.blocked[path] = failure.what
        return
    found = facts.root.status(facts.resolved[path])
    if found is not None and stat.S_ISDIR(found.st_mode):
        facts.blocked[path] = f"{inside} is a directory"
    parent = os.path.dirname(facts.resolved[path])
    while (above := facts.root.status(parent)) is None and parent != "/":
        parent = os.path.dirname(parent)
    if above is not None and not stat.S_ISDIR(above.st_mode):
        facts.blocked[path] = f"{inside} is below something that is no directory"


def _ask_for_units(facts: Facts, config: CloudConfig) -> None:
    written = {os.path.basename(file.path) for file in config.write_files}
    written |= {unit.name for unit in config.coreos.units if unit.content}
    for unit in config.coreos.units:
        template = unit.name.partition("@")[0] + "@." + unit.name.rpartition(".")[2]
        if not unit.name or unit.mask or is_network(unit.name) or {unit.name, template} & written:
            continue
        if (unit.enable and not systemd.enablement(unit.name)) or (unit.command and not systemd.is_there(unit.name)):
            facts.missing_units.add(unit.name)


def _text(root: Root, inside: str) -> str | None:
    """None for no file."""
    try:
        with open(root.outside(root.follow(inside)), encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Failure(f"the file cannot be read: {error.strerror or error}", where=inside) from error


def _gives_groups(login_defs: str) -> bool:
    """login.defs(5): USERGROUPS_ENAB. Without it useradd makes no groups."""
    words = [line.split() for line in login_defs.splitlines()]
    return ["USERGROUPS_ENAB", "yes"] in [one[:2] for one in words]


def _known(look: "Callable[[str], object]", name: str) -> bool:
    try:
        look(name)
    except (KeyError, ValueError):
        return False
    return True
