"""Groups and users: which operations, in which order (reference, ignition-config.md 7.7).

Groups in the config's order, then users. All passwords are set in one go after the accounts are there; then homes, then keys.
"""

from ignition.config.model import Passwd
from ignition.operation import Operation
from ignition.system.account_database import AccountDatabase
from ignition.system.attempt import Attempt
from ignition.system.groups import PutGroup, RemoveGroup
from ignition.system.passwords import SetPasswords
from ignition.system.ssh_keys import KeyPlaces, WriteKeys
from ignition.system.users import LOCKED, CompleteHome, OwnHome, PutUser, RemoveUser


class AccountFacts:
    """`places`: where SSH keys go. `notated`: the directories that the mount stage made.

    `attempt`: which users are new, and whether an earlier attempt was interrupted. `nested`: /etc/skel has directories.
    """

    def __init__(
        self,
        accounts: AccountDatabase,
        attempt: Attempt,
        *,
        places: KeyPlaces | None = None,
        notated: tuple[str, ...] = (),
        nested: bool = False,
    ) -> None:
        self.accounts, self.attempt = accounts, attempt
        self.notated, self.nested = notated, nested
        self.places = places or KeyPlaces(accounts.root, accounts)


def plan(passwd: Passwd, facts: AccountFacts) -> list[Operation]:
    """Operations in order; nothing for an empty section."""
    return [*_plan_groups(passwd, facts), *_plan_users(passwd, facts)]


def _plan_groups(passwd: Passwd, facts: AccountFacts) -> list[Operation]:
    operations: list[Operation] = []
    passwords: list[tuple[str, str, str]] = []
    for index, group in enumerate(passwd.groups):
        place = f"$.passwd.groups.{index}"
        if group.should_exist is False:
            operations.append(RemoveGroup(place, group.name, facts.accounts))
            continue
        operations.append(PutGroup(place, group, facts.accounts))
        if group.password_hash:
            passwords.append((place, group.name, group.password_hash))
    if passwords:
        operations.append(SetPasswords(passwords, facts.accounts, of_groups=True))
    return operations


def _plan_users(passwd: Passwd, facts: AccountFacts) -> list[Operation]:
    accounts: list[Operation] = []
    homes: list[Operation] = []
    keys: list[Operation] = []
    passwords: list[tuple[str, str, str]] = []
    for index, user in enumerate(passwd.users):
        place = f"$.passwd.users.{index}"
        if user.should_exist is False:
            accounts.append(RemoveUser(place, user.name, facts.accounts))
            continue
        is_new = user.name in facts.attempt.homeless
        accounts.append(PutUser(place, user, facts.accounts, interrupted=is_new and facts.attempt.unfinished))
        if user.password_hash is not None:
            passwords.append((place, user.name, user.password_hash or LOCKED))
        if is_new and (facts.attempt.unfinished or facts.nested):
            homes.append(CompleteHome(user.name, facts.accounts))
        if facts.notated and not user.no_create_home:
            homes.append(OwnHome(user.name, facts.notated, facts.accounts))
        if user.ssh_authorized_keys:
            keys.append(WriteKeys(place, user.name, user.ssh_authorized_keys, facts.accounts, places=facts.places))
    if passwords:
        accounts.append(SetPasswords(passwords, facts.accounts, of_groups=False))
    return [*accounts, *homes, *keys]
