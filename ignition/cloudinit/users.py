"""Users and keys of a cloud-config → operations. Source: docs/reference/coreos-cloudinit.md §11.2, §11.3 and §13."""

from __future__ import annotations

from ignition.cloudinit.facts import Facts
from ignition.cloudinit.model import User
from ignition.cloudinit.ssh_keys import CORE, GITHUB, ImportKeys, distinct
from ignition.config.model import passwd
from ignition.errors import Failure
from ignition.host import log
from ignition.operation import Context, Operation
from ignition.sysroot.account_database import Account
from ignition.sysroot.users import PutUser, SetPasswords


class CreateUser(PutUser):
    """Creates a user; an existing user is not changed.

    If useradd refuses the settings of the config, a user with just that name is created, so that the password and the keys can be
    applied; it is still a failure.
    """

    kind = "create-user"

    def describe(self) -> str:
        return f"create user {self.path}"

    def execute(self, context: Context) -> None:
        try:
            super().execute(context)
        except Failure:
            if self._accounts.user(self.path) is None and self._user != (bare := passwd.User(name=self.path)):
                log.error(f"user {self.path} is created with default settings, since those of the config are refused")
                PutUser(self._place, bare, self._accounts).execute(context)
            raise

    def _changes(self, found: Account) -> list[str]:
        return []


def plan(users: tuple[User, ...], facts: Facts, key_name: str) -> list[Operation]:
    """For each user in order: the account, its password, its keys. The keys of core are applied with its others."""
    operations: list[Operation] = []
    for index, user in enumerate(users):
        place = f"users[{index}]"
        if not user.name:
            log.warning(f"{place} has no name: ignored")
            continue
        operations.append(CreateUser(place, _account(user), facts.accounts))
        if user.passwd:
            passwords = SetPasswords([(place, user.name, user.passwd)], facts.accounts, of_groups=False)
            passwords.place = place
            operations.append(passwords)
        own = distinct(user.ssh_authorized_keys, f"SSH keys of user {user.name}") if user.name != CORE else ()
        if own:
            operations.append(facts.writer.operation(place, user.name, own, key_name))
    return operations


def imports(users: tuple[User, ...], facts: Facts) -> list[Operation]:
    """Imports of keys, in the order of the users."""
    operations: list[Operation] = []
    for index, user in enumerate(users):
        if not user.name:
            continue
        github = [name for name in (user.coreos_ssh_import_github, *user.coreos_ssh_import_github_users) if name]
        sources = [(GITHUB.format(user=name), f"github-{name}") for name in github]
        if user.coreos_ssh_import_url:
            sources.append((user.coreos_ssh_import_url, f"coreos-cloudinit-{user.name}"))
        operations += [ImportKeys(f"users[{index}]", user.name, url, name, facts.writer) for url, name in sources]
    return operations


def _account(user: User) -> passwd.User:
    return passwd.User(
        name=user.name,
        gecos=user.gecos or None,
        home_dir=user.homedir or None,
        no_create_home=user.no_create_home,
        primary_group=user.primary_group or None,
        groups=tuple(group for group in user.groups if group),
        no_user_group=user.no_user_group,
        system=user.system,
        no_log_init=user.no_log_init,
        shell=user.shell or None,
    )
