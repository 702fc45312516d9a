"""Rules O11 to O14, our own: accounts that no machine can make.

Ignition considers such a config valid; useradd(8), usermod(8) or groupadd(8) then fails after the disks have been written. Only
values that all versions refuse are errors: the shadow-utils of Debian, whose patch 506_relaxed_usernames accepts nearly any name,
and those of upstream, as in Fedora and Flatcar. A value that one of them accepts is advice (W22). Source: lib/chkname.c,
src/useradd.c, src/usermod.c and src/groupadd.c of shadow 4.13 to 4.17.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ignition.config.model.passwd import Group, Passwd, User
from ignition.config.model.storage import Node
from ignition.config.rules import Context, error, rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.report import Finding

LONGEST_USER_NAME = 255  # bytes: limits.h of the C library has LOGIN_NAME_MAX 256, with the final NUL
LONGEST_GROUP_NAME = 32  # bytes: what shadow-utils are built with, upstream and in all distributions
HIGHEST_ID = 2**32 - 2  # the one above is (uid_t) -1, which means "do not change" to chown(2)
ROOT = "root"
_FIRST_REFUSED = ("-", "+", "~")
_REFUSED = ":,"
_SEPARATORS = (":", "\n")  # of passwd(5) and its entries
_NAME_FIX = "begin with a letter or _, continue with letters, digits, - and _, at most 32 characters"
_NO_SHELL = "*"  # accepted by useradd besides paths


def name_problem(name: str, longest: int) -> str:
    """Why no system accepts the name; "" for a name that some system accepts."""
    if not name:
        return "name is empty"
    if name.startswith(_FIRST_REFUSED):
        return f"name begins with {name[0]}"
    if any(one in _REFUSED or one.isascii() and (one.isspace() or not one.isprintable()) for one in name):
        return "name has a blank, a colon, a comma or a control character"
    if len(name.encode("utf-8", "replace")) > longest:
        return f"name is longer than {longest} bytes"
    return ""


def is_made(account: User | Group) -> bool:
    """Whether the config creates the account, rather than deleting it."""
    return account.should_exist is not False


@rule(User, "O11")
def user_can_be_called_so(user: User, _: Context) -> Iterator[Finding]:
    """O11 for the name, O12 for ids, O13 for the other fields of passwd(5)."""
    if not is_made(user):
        return
    if wrong := name_problem(user.name, LONGEST_USER_NAME):
        yield error("name", f"user {wrong}: useradd refuses it", _NAME_FIX, "O11")
    if user.uid == 0 and user.name != ROOT:
        yield error("uid", "uid 0 belongs to root: useradd refuses to assign it to another user", "leave uid out", "O12")
    else:
        yield from _id(user.uid, "uid")
    if any(one in (user.password_hash or "") for one in _SEPARATORS):
        fix = "generate one with mkpasswd or openssl passwd -6"
        yield error("passwordHash", "a password hash cannot have a colon or a line break", fix, "O13")
    for member, value in (("gecos", user.gecos), ("homeDir", user.home_dir), ("shell", user.shell)):
        if any(one in (value or "") for one in _SEPARATORS):
            fix = "leave it out: fields of /etc/passwd end at colons, entries at line breaks"
            yield error(member, f"{member} cannot have a colon or a line break", fix, "O13")
        elif value and member != "gecos" and not value.startswith("/") and (member, value) != ("shell", _NO_SHELL):
            bare = value.strip()
            fix = f"write /bin/{bare}" if member == "shell" and "/" not in bare else f"write /{bare}"
            yield error(member, f"{member} is not an absolute path: useradd refuses it", fix, "O13")
    yield from _groups_of(user)


@rule(Group, "O11")
def group_can_be_called_so(group: Group, _: Context) -> Iterator[Finding]:
    """O11 for the name, O12 for the id, O13 for the password."""
    if not is_made(group):
        return
    if wrong := name_problem(group.name, LONGEST_GROUP_NAME):
        yield error("name", f"group {wrong}: groupadd refuses it", _NAME_FIX, "O11")
    if group.gid == 0 and group.name != ROOT:
        yield error("gid", "gid 0 belongs to root: groupadd refuses to assign it to another group", "leave gid out", "O12")
    else:
        yield from _id(group.gid, "gid")
    if any(one in (group.password_hash or "") for one in _SEPARATORS):
        fix = "generate one with mkpasswd or openssl passwd -6"
        yield error("passwordHash", "a password hash cannot have a colon or a line break", fix, "O13")


def _id(number: int | None, member: str) -> Iterator[Finding]:
    if number is not None and not 0 <= number <= HIGHEST_ID:
        yield error(member, f"{member} is not between 0 and {HIGHEST_ID}", "leave it out: the system chooses one", "O12")


def _groups_of(user: User) -> Iterator[Finding]:
    """`groups` reaches useradd joined by commas: an element may be several names."""
    wanted = [("primaryGroup", user.primary_group)] if user.primary_group else []
    wanted += [(f"groups.{index}", name) for index, text in enumerate(user.groups) if text for name in text.split(",")]
    for where, name in wanted:
        # Names of existing groups may be longer than groupadd accepts.
        if wrong := name_problem(name, LONGEST_USER_NAME):
            yield error(where, f"not a valid group: its {wrong}", "name a group, or leave it out", "O11")


@rule(Node, "O12")
def owner_id_is_one(node: Node, _: Context) -> Iterator[Finding]:
    """Ignition uses the lower 32 bits: the owner would be a different one, or unchanged."""
    if node.user.id is None and node.group.id is None:
        return  # as in most of thousands of nodes
    for where, owner in (("user", node.user), ("group", node.group)):
        for finding in _id(owner.id, "id"):
            yield error(f"{where}.id", finding.message, "specify an existing id, or a name")


@rule(Passwd, "O14")
def accounts_do_not_meet(passwd: Passwd, _: Context) -> Iterator[Finding]:
    """O14: two accounts with the same id, a user in a group that the config deletes."""
    yield from _shared_ids(passwd.users, "users", "uid")
    yield from _shared_ids(passwd.groups, "groups", "gid")
    deleted = {group.name: index for index, group in enumerate(passwd.groups) if not is_made(group)}
    for index, user in enumerate(passwd.users if deleted else ()):
        if is_made(user):
            named = [("primaryGroup", user.primary_group or "")]
            named += [(f"groups.{number}", name) for number, text in enumerate(user.groups) for name in text.split(",")]
            for member, name in named:
                if name in deleted:
                    message = f"groups.{deleted[name]} deletes the group {name} before the user is created"
                    yield error(f"users.{index}.{member}", message, "keep the group, or leave it out here", "O14")


def _shared_ids(accounts: Sequence[User | Group], name: str, member: str) -> Iterator[Finding]:
    seen: dict[int, int] = {}
    for index, account in enumerate(accounts):
        number: int | None = getattr(account, member)
        if number is None or not is_made(account):
            continue
        if number in seen:
            message = f"{member} {number} is already used by {name}.{seen[number]}: the second cannot be created"
            yield error(f"{name}.{index}.{member}", message, f"use a different {member} for each", "O14")
        seen.setdefault(number, index)
