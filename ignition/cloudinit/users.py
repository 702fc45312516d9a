"""Users and keys of a cloud-config → operations. Source: coreos-cloudinit.md 11.2, 11.3 and 13."""

from ignition.cloudinit.facts import Facts, import_urls
from ignition.cloudinit.model import User
from ignition.cloudinit.ssh_keys import CORE, GITHUB, trimmed
from ignition.config.model import passwd
from ignition.host import log
from ignition.operation import Operation
from ignition.system.account_database import Account
from ignition.system.passwords import SetPasswords
from ignition.system.users import PutUser


class CreateUser(PutUser):
    """Creates a user who is not there; of one who is, nothing is changed."""

    kind = "create-user"

    def describe(self) -> str:
        return f"create user {self.path}"

    def _changes(self, found: Account) -> list[str]:
        return []


def plan(users: tuple[User, ...], facts: Facts, key_name: str) -> list[Operation]:
    """In list order; for each: the account, its password, its keys. Those of `core` go with the others of core."""
    operations: list[Operation] = []
    for index, user in enumerate(users):
        place = f"users[{index}]"
        if not user.name:
            log.warning(f"{place} has no name: passed over")
            continue
        operations.append(CreateUser(place, _account(user), facts.accounts))
        if user.passwd:
            operations.append(SetPasswords([(place, user.name, user.passwd)], facts.accounts, of_groups=False))
        operations += _keys(place, user, facts, key_name)
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


def _keys(place: str, user: User, facts: Facts, key_name: str) -> list[Operation]:
    operations = []
    own = trimmed(user.ssh_authorized_keys)
    if own and user.name != CORE:
        operations.append(facts.writer.operation(place, user.name, own, key_name))
    for name in (user.coreos_ssh_import_github, *user.coreos_ssh_import_github_users):
        if name:
            keys = facts.imported[GITHUB.format(user=name)]
            operations.append(facts.writer.operation(place, user.name, keys, f"github-{name}"))
    for url in import_urls("", (), user.coreos_ssh_import_url):
        operations.append(facts.writer.operation(place, user.name, facts.imported[url], f"coreos-cloudinit-{user.name}"))
    return operations
