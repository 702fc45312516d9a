"""Groups and users: which operations, in which order (docs/reference/ignition-config.md §7.7).

Groups in the order of the config, then users. All passwords are set in one run once the accounts exist; then homes, then keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from ignition.config.model import Passwd
from ignition.config.model.passwd import User
from ignition.operation import Operation
from ignition.sysroot.account_database import AccountDatabase, is_id
from ignition.sysroot.attempt import Attempt
from ignition.sysroot.direct_accounts import DirectAccounts
from ignition.sysroot.groups import AdoptAccount, PutGroup, RemoveGroup
from ignition.sysroot.new_accounts import LOCKED
from ignition.sysroot.ssh_keys import KeyPlaces, WriteKeys
from ignition.sysroot.users import (
    NO_HOMES,
    CompleteHome,
    NeedGroups,
    OwnHome,
    PutUser,
    RemoveUser,
    SetPasswords,
    SetSealedPassword,
    group_for,
    group_names,
)


class AccountFacts:
    """`places`: where SSH keys go. `notated`: the directories that the mount stage created.

    `attempt`: the new users, and whether an earlier attempt was interrupted. `nested`: /etc/skel has directories.
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
        self.direct: DirectAccounts | None = DirectAccounts(accounts.root)
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
        found = facts.accounts.group(group.name)
        # groupmod and chgpasswd change lines of /etc/group only.
        if found is not None and (group.gid not in (None, found.gid) or group.password_hash):
            operations += _adopt_groups((group.name,), facts)
        operations.append(PutGroup(place, group, facts.accounts, direct=facts.direct))
        if group.password_hash:
            passwords.append((place, group.name, group.password_hash))
    if passwords:
        operations.append(SetPasswords(passwords, facts.accounts, of_groups=True))
    return operations


def _plan_users(passwd: Passwd, facts: AccountFacts) -> list[Operation]:
    accounts: list[Operation] = []
    homes: list[Operation] = []
    keys: list[Operation] = []
    sealed: list[Operation] = []
    passwords: list[tuple[str, str, str]] = []
    for index, user in enumerate(passwd.users):
        place = f"$.passwd.users.{index}"
        if user.should_exist is False:
            accounts.append(RemoveUser(place, user.name, facts.accounts))
            continue
        is_new = user.name in facts.attempt.homeless
        accounts += _adopt(place, user, facts)
        interrupted = is_new and facts.attempt.unfinished
        accounts.append(PutUser(place, user, facts.accounts, interrupted=interrupted, lenient=True, direct=facts.direct))
        if any(facts.accounts.group(name) is None for name in group_names(user)):
            accounts.append(NeedGroups(place, user, facts.accounts))
        if user.password_hash is not None:
            # An empty hash would allow a login without a password: as in Ignition, it locks the account.
            passwords.append((place, user.name, user.password_hash or LOCKED))
        if user.extension.sealed_password_hash is not None:
            sealed.append(SetSealedPassword(place, user, facts.accounts, direct=facts.direct))
        # useradd alone completes a home only if nothing interrupted it, and if /etc/skel has no directories (CompleteHome).
        if is_new and (facts.attempt.unfinished or facts.nested) or missing_home(user, facts.accounts) in facts.attempt.made:
            homes.append(CompleteHome(user.name, facts.accounts))
        if facts.notated and not user.no_create_home:
            homes.append(OwnHome(user.name, facts.notated, facts.accounts))
        if user.ssh_authorized_keys:
            keys.append(WriteKeys(place, user.name, user.ssh_authorized_keys, facts.accounts, places=facts.places))
    _join(accounts)
    if passwords:
        accounts.append(SetPasswords(passwords, facts.accounts, of_groups=False, direct=facts.direct))
    return [*accounts, *sealed, *homes, *keys]


def _join(operations: Iterable[Operation]) -> None:
    """Let each operation for a user know the next one: useradd's files are written once for users that follow one another."""
    for one, other in pairwise(operations):
        if isinstance(one, PutUser) and isinstance(other, PutUser):
            one.next = other


def _adopt(place: str, user: User, facts: AccountFacts) -> list[Operation]:
    """The accounts that shadow-utils must find in /etc before it can create or change this user."""
    is_new = facts.accounts.user(user.name) is None
    differs = is_new or PutUser(place, user, facts.accounts).changes()
    first = group_for(user, facts.accounts.root) if is_new else user.primary_group or ""
    if is_id(first):
        first = facts.accounts.group_name(int(first)) or ""
    operations = _adopt_groups((*group_names(user), first), facts) if differs else []
    has_password = user.password_hash is not None or user.extension.sealed_password_hash is not None
    if (differs or has_password) and facts.accounts.is_elsewhere("passwd", user.name):
        operations.append(AdoptAccount(user.name, facts.accounts, of_groups=False))
    return operations


def _adopt_groups(names: Iterable[str], facts: AccountFacts) -> list[Operation]:
    elsewhere = [name for name in dict.fromkeys(names) if facts.accounts.is_elsewhere("group", name)]
    return [AdoptAccount(name, facts.accounts, of_groups=True) for name in elsewhere]


def missing_home(user: User, accounts: AccountDatabase) -> str | None:
    """The home of an existing user who is to get SSH keys, as the root sees it, if keys can be written there; else None.

    Images have users without homes, which systemd-tmpfiles creates after the switch to the root.
    """
    if user.should_exist is False or user.no_create_home or not user.ssh_authorized_keys:
        return None
    found = accounts.user(user.name)
    home = user.home_dir or (found.home if found else "")
    return accounts.root.follow(home) if found and home.startswith("/") and home not in NO_HOMES else None
