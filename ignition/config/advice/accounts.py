"""W20, W22 and W23: accounts that some systems refuse, or that only some have. Accounts that all systems refuse are O11 to O14.

Account files come from the image. Those of the systems in data/accounts.json are known: names that all targets have are not
reported; without a target, names that both Flatcar and Fedora CoreOS have. Sources: flatcar/baselayout (group and passwd),
coreos/fedora-coreos-config (manifests/group and passwd), base-passwd and systemd of Debian 12; lib/chkname.c of shadow 4.13 to
4.17.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from ignition.config.advice.subject import advice
from ignition.config.advice.tables import table
from ignition.config.model.passwd import Group, User
from ignition.config.model.storage import File, Link
from ignition.config.report import INFO, Finding
from ignition.config.rules.accounts import ROOT, is_made
from ignition.config.suggest import closest
from ignition.patterns import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.advice.subject import Subject
    from ignition.config.model.passwd import Passwd
    from ignition.config.report import Path as Place

_OF_ALL_SYSTEMS = lazy_pattern(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*\$?", re.ASCII)
_FIRST = 1000  # UID_MIN and GID_MIN of login.defs(5): ids of system accounts are assigned from there downwards
_MOST = 32  # bytes of a name; Debian 12 refuses longer ones
_NO_HOMES = frozenset(
    ["", *(f"/{name}" for name in "bin boot dev etc home lib opt proc run sbin srv sys usr usr/bin var var/lib".split())]
)
_WITH_HOMES = (ROOT, "core")  # of the accounts that images have
_TARGETS = ("Flatcar", "Fedora CoreOS")
_FIX = "begin with a letter or _, continue with letters, digits, - and _, at most 32 characters"
_NECESSARY = "without it the machine cannot be provisioned"


@cache
def known() -> dict[str, dict[str, dict[str, int | None]]]:
    """System → users and groups → name → id, None where it is not fixed."""
    found: dict[str, dict[str, dict[str, int | None]]] = table("accounts")
    return found


def advise(subject: Subject) -> Iterator[Finding]:
    """Users, groups, then owners of files."""
    passwd = subject.config.passwd
    yield from _names(subject, passwd)
    yield from _ids(subject, passwd)
    yield from _taken(passwd)
    yield from _memberships(subject, passwd)
    yield from _owners(subject, passwd)


def _names(subject: Subject, passwd: Passwd) -> Iterator[Finding]:
    made = {group.name: index for index, group in enumerate(passwd.groups) if is_made(group)}
    lists: dict[str, tuple[User | Group, ...]] = {"users": passwd.users, "groups": passwd.groups}
    for kind, accounts in lists.items():
        for index, account in enumerate(accounts):
            if is_made(account) and (wrong := _refused_by_some(account.name)):
                program = "useradd" if kind == "users" else "groupadd"
                message = f"name {wrong}: {program} of some systems refuses it after the disks have been written"
                yield advice("W22", ("passwd", kind, index, "name"), message, _FIX)
    for index, user in enumerate(passwd.users):
        here: Place = ("passwd", "users", index)
        if not is_made(user):
            continue
        if user.name in made and not (user.primary_group or user.no_user_group or _systems_with(subject, "users", user.name)):
            message = f"groups.{made[user.name]} creates the group {user.name}: useradd cannot create the user's own group"
            yield advice("W22", (*here, "name"), message, f'add "primaryGroup": "{user.name}"')
        yield from _home(subject, user, index)
        for member, value in (("gecos", user.gecos), ("homeDir", user.home_dir), ("shell", user.shell)):
            if any(ord(one) < ord(" ") or ord(one) == 0x7F for one in value or ""):
                message = f"{member} has a control character: useradd of most systems refuses it"
                yield advice("W22", (*here, member), message, "remove it")


def _home(subject: Subject, user: User, index: int) -> Iterator[Finding]:
    here: Place = ("passwd", "users", index)
    is_known = bool(_systems_with(subject, "users", user.name))
    if user.ssh_authorized_keys and is_known and user.name not in _WITH_HOMES:
        message = f"{user.name} is an account of the system, without a home directory for the SSH keys"
        yield advice("W22", (*here, "sshAuthorizedKeys"), message, "add the keys to another user")
    elif user.ssh_authorized_keys and user.no_create_home and not is_known:
        message = "the home directory for the SSH keys is not created"
        yield advice("W22", (*here, "noCreateHome"), message, "leave noCreateHome out, or the keys")
    homes = {_home_of(other): index for index, other in reversed([*enumerate(subject.config.passwd.users)]) if is_made(other)}
    first = homes.get(_home_of(user))
    if first is not None and first < index:
        message = f"{_home_of(user)} is also the home of users.{first}, which comes first and owns it"
        yield advice("W22", (*here, "homeDir" if user.home_dir else "name"), message, "use a different home for each user")
    if (user.home_dir or "").rstrip("/") in _NO_HOMES and user.home_dir and user.name != ROOT:
        message = f"{user.home_dir} belongs to the system: an existing user cannot move there, a new one cannot write there"
        yield advice("W22", (*here, "homeDir"), message, "choose a directory that belongs to the user")


def _home_of(user: User) -> str:
    default = f"/{ROOT}" if user.name == ROOT else f"/home/{user.name}"
    return (user.home_dir or default).rstrip("/")


def _refused_by_some(name: str) -> str:
    if len(name.encode("utf-8", "replace")) > _MOST:
        return f"is longer than {_MOST} bytes"
    if name in (".", ".."):
        return f"is {name}"
    if name.isascii() and name.isdigit():
        return "consists of digits and would be read as an id"
    return "" if _OF_ALL_SYSTEMS.fullmatch(name) else "has other characters than letters, digits, dot, - and _"


def _ids(subject: Subject, passwd: Passwd) -> Iterator[Finding]:
    """W20: an id that belongs to another account in every target. Two in one config are O14."""
    systems = sorted(subject.systems) or sorted(known())
    numbers = [("users", "uid", index, one.name, one.uid) for index, one in enumerate(passwd.users) if is_made(one)]
    numbers += [("groups", "gid", index, one.name, one.gid) for index, one in enumerate(passwd.groups) if is_made(one)]
    # An account of the image that the config deletes frees its id.
    gone = {("users", one.name) for one in passwd.users if not is_made(one)}
    gone |= {("groups", one.name) for one in passwd.groups if not is_made(one)}
    for kind, member, index, name, number in numbers:
        if number is None or number == 0:
            continue
        others = [next((other for other, its in known()[one][kind].items() if its == number), "") for one in systems]
        if all(other and other != name and (kind, other) not in gone for other in others):
            owners = " or ".join(dict.fromkeys(others))
            message = f"{member} {number} belongs to {owners} in the images of {_listed(systems)}: it cannot be assigned twice"
            yield advice("W20", ("passwd", kind, index, member), message, f"choose another {member}, or leave it out")


def _taken(passwd: Passwd) -> Iterator[Finding]:
    """W20: an id that an earlier account without an explicit id gets, by find_new_uid() and find_new_gid() of shadow."""
    lists: dict[str, tuple[User | Group, ...]] = {"users": passwd.users, "groups": passwd.groups}
    for kind, accounts in lists.items():
        member = "uid" if kind == "users" else "gid"
        given: dict[int, str] = {}
        known_names = {name for system in known().values() for name in system[kind]}
        for index, account in enumerate(accounts):
            number: int | None = getattr(account, member)
            if not is_made(account) or (number is None and account.name in known_names):
                continue
            if number is None:
                # Ordinary accounts count up from the highest id in use, system accounts down from the lowest.
                used = [one for one in given if (one >= _FIRST) != bool(account.system)]
                number = min(used, default=_FIRST) - 1 if account.system else max(used, default=_FIRST - 1) + 1
                given.setdefault(number, account.name)
            elif given.setdefault(number, account.name) != account.name:
                message = f"{member} {number} is assigned on most systems to {given[number]}, which comes first"
                yield advice("W20", ("passwd", kind, index, member), message, "list accounts with explicit ids first")


def _memberships(subject: Subject, passwd: Passwd) -> Iterator[Finding]:
    earlier: set[str] = set()  # users whose own groups exist by then
    for index, user in enumerate(passwd.users):
        here: Place = ("passwd", "users", index)
        if not is_made(user):
            continue
        for number, text in enumerate(user.groups):
            for name in filter(None, text.split(",")):
                what, without = "user is a member of group", "without it the user is created, but not in the group"
                yield from _unknown(subject, "groups", name, earlier, (*here, "groups", number), what, without)
        if user.primary_group:
            what = "primary group of the user is"
            yield from _unknown(subject, "groups", user.primary_group, earlier, (*here, "primaryGroup"), what)
        if not user.no_user_group and not user.primary_group:
            earlier.add(user.name)


def _owners(subject: Subject, passwd: Passwd) -> Iterator[Finding]:
    own_groups = {user.name for user in passwd.users if is_made(user) and not user.no_user_group and not user.primary_group}
    storage = subject.config.storage
    lists = (("directories", storage.directories), ("files", storage.files), ("links", storage.links))
    for name, nodes in lists:
        for index, node in enumerate(nodes):
            # A hard link has the owner of its target.
            if isinstance(node, Link) and node.hard:
                continue
            what = f"{'directory' if name == 'directories' else 'file' if isinstance(node, File) else 'link'} is owned by"
            here: Place = ("storage", name, index)
            if node.user.name:
                yield from _unknown(subject, "users", node.user.name, set(), (*here, "user", "name"), f"{what} user")
            if node.group.name:
                yield from _unknown(subject, "groups", node.group.name, own_groups, (*here, "group", "name"), f"{what} group")


def _unknown(
    subject: Subject, kind: str, name: str, others: set[str], place: Place, what: str, without: str = _NECESSARY
) -> Iterator[Finding]:
    """W23: a name that neither the config nor all targets have. `without`: the consequence."""
    passwd = subject.config.passwd
    own = {one.name for one in (passwd.users if kind == "users" else passwd.groups) if is_made(one)} | others
    if name in own or name == ROOT:
        return
    is_number = name.isascii() and name.isdigit()
    if is_number and int(name) in {group.gid for group in passwd.groups}:
        return
    # userdel also deletes the group with the name of the user.
    accounts: tuple[User | Group, ...] = (*passwd.users, *passwd.groups)
    is_deleted = name in {one.name for one in accounts if not is_made(one)}
    has = set() if is_deleted else _systems_with(subject, kind, name)
    wanted = sorted(subject.systems) or list(_TARGETS)
    lacking = [one for one in wanted if one not in has]
    if not lacking:
        return
    near = ""
    if not has and not is_deleted:
        others = own | {one for system in known().values() for one in system[kind]}
        near = closest(name, sorted(others - {name}), alike=0.8)
    # Another config may create the account.
    if subject.has_other_configs and not (near or is_deleted or subject.systems):
        return
    if is_deleted:
        found = "the config deletes it"
    elif subject.systems:
        found = f"the config does not create it, and the image of {_listed(lacking)} does not have it"
    elif has:
        found = f"the config does not create it, and of known images only {_listed(sorted(has))} has it"
    else:
        found = f"the config does not create it, and it is not in any known image: {without}"
    section = f"passwd.{kind}"
    fix = f"did you mean {near}? " if near else ""
    one = advice(
        "W23", place, f"{what} {name}: {found}", f"{fix}if your image has it, ignore this; otherwise add it to {section}"
    )
    if has and not subject.systems:
        one.level = INFO
    yield one


def _systems_with(subject: Subject, kind: str, name: str) -> set[str]:
    """The targets, or else all systems, that have the account. A number is an id."""
    number = int(name) if name.isascii() and name.isdigit() else -1
    of_kind = {one: known()[one][kind] for one in (subject.systems or known())}
    return {one for one, accounts in of_kind.items() if name in accounts or number in accounts.values()}


def _listed(names: list[str]) -> str:
    return " and ".join(names)
