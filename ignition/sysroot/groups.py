"""The operations for groups (spec path: passwd.groups[]), carried out by shadow-utils with --root.

Passwords are never arguments: `ignition.sysroot.users` sets them. shadow-utils changes accounts in /etc only: accounts that the
image has in another file (ignition.sysroot.nsswitch) are copied there first.
"""

from __future__ import annotations

import stat

from ignition.config.model.passwd import Group
from ignition.errors import CommandFailed, Failure, Unmet
from ignition.host import command, log
from ignition.host.reading import lines, read_text
from ignition.host.root import PARENTS, Root
from ignition.operation import Context, Left, Operation
from ignition.sysroot.account_database import AccountDatabase
from ignition.sysroot.direct_accounts import DirectAccounts
from ignition.sysroot.nsswitch import LOCAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class PutGroup(Operation):
    """Creates a group, or changes the id of an existing one."""

    kind = "put-group"

    def __init__(self, place: str, group: Group, accounts: AccountDatabase, *, direct: DirectAccounts | None = None) -> None:
        """`direct`: creates ordinary groups without groupadd."""
        self._place, self._group, self._accounts, self._direct = place, group, accounts, direct
        self.place = place
        self.path, self.is_system = group.name, bool(group.system)

    def describe(self) -> str:
        verb = "change" if self._accounts.group(self._group.name) else "create"
        return f"{verb} group {self._group.name}"

    def already_there(self, context: Context) -> bool:
        found = self._accounts.group(self._group.name)
        return found is not None and self._group.gid in (None, found.gid)

    def execute(self, context: Context) -> None:
        group, root = self._group, context.root.path or "/"
        program = "groupmod" if self._accounts.group(group.name) else "groupadd"
        if program == "groupadd" and self._create_directly():
            return
        argv = [program, "--root", root]
        if group.gid is not None:
            argv += ["--gid", str(group.gid)]
        if group.system and program == "groupadd":  # groupmod has no such option
            argv.append("--system")
        run_for(context, self._place, [*argv, "--", group.name], self.describe())

    def leaves(self, context: Context) -> Iterator[Left]:
        found, gid = self._accounts.group(self._group.name), self._group.gid
        yield Left("group", self._group.name, {"gid": found.gid if found and gid is None else gid}, place=self.place)

    def _create_directly(self) -> bool:
        """Create the group without groupadd; False if that is left to groupadd."""
        if self._direct is None:
            return False
        reason = self._direct.create_group(self._group.name, self._group.gid, is_system=bool(self._group.system))
        if reason:
            log.debug(f"{self.describe()} by groupadd: {reason}")
        return not reason


# The fields behind the name in a shadow file for which the image has no line: no login by password, and no change of it.
_LOCKED = {"shadow": ["!*", *[""] * 7], "gshadow": ["!*", "", ""], "group": [], "passwd": []}


class AdoptAccount(Operation):
    """Copies the line of a user or group from the image's own file into /etc, so that shadow-utils can change it.

    As flatcar-tmpfiles does for a few names, and as Fedora's documentation recommends. Without it, useradd and usermod report
    that a group does not exist, or silently leave its members unchanged (coreos/ignition issue 1596). The shadow line comes
    first, so that a user in passwd is complete even if the power fails in between.
    """

    kind = "adopt-account"

    def __init__(self, name: str, accounts: AccountDatabase, *, of_groups: bool) -> None:
        self.path, self._accounts = name, accounts
        self._files = ("gshadow", "group") if of_groups else ("shadow", "passwd")

    def describe(self) -> str:
        what = "group" if self._files[1] == "group" else "user"
        return f"copy {what} {self.path} of the image to {LOCAL}/{self._files[1]}"

    def already_there(self, context: Context) -> bool:
        return not self._accounts.is_elsewhere(self._files[1], self.path)

    def execute(self, context: Context) -> None:
        for file in self._files:
            fields = self._accounts.line(file, self.path) or [self.path, *_LOCKED[file]]
            _append(context.root, f"{LOCAL}/{file}", fields, is_needed=file == self._files[1])


def _append(root: Root, inside: str, fields: list[str], *, is_needed: bool) -> None:
    """Add a line to a file of accounts, which keeps owner and mode. A shadow file that the root lacks is not created."""
    with root.at(inside, follow=True, parents=PARENTS if is_needed else None) as here:
        found = here.status()
        if found is None and not is_needed:
            return
        text = read_text(root, inside) or ""
        if any(line.partition(":")[0] == fields[0] for line in lines(text)):
            return
        whole = f"{text}{'' if text.endswith(chr(10)) or not text else chr(10)}{':'.join(fields)}\n"
        mode, uid, gid = (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) if found else (0o644, -1, -1)
        here.write(whole.encode("utf-8", "surrogateescape"), mode=mode, uid=uid, gid=gid, sync=True)


class RemoveGroup(Operation):
    """Deletes a group if it exists. A group in the image's own file outside /etc stays, with a warning."""

    kind = "remove-group"

    def __init__(self, place: str, name: str, accounts: AccountDatabase) -> None:
        self._place, self.path, self._accounts = place, name, accounts

    def describe(self) -> str:
        return f"delete group {self.path}"

    def already_there(self, context: Context) -> bool:
        return self._accounts.group(self.path) is None

    def execute(self, context: Context) -> None:
        if self._accounts.is_local("group", self.path):
            argv = ["groupdel", "--root", context.root.path or "/", "--", self.path]
            run_for(context, self._place, argv, self.describe())
        refuse_leftover(self._place, f"group {self.path}", self._accounts.place("group", self.path))

    def leaves(self, context: Context) -> Iterator[Left]:
        yield Left("group", self.path, None, place=self._place)


def refuse_leftover(place: str, what: str, file: str) -> None:
    """Raises Unmet for an account that remains in a file of the image."""
    if file:
        raise Unmet(f"{what} remains: it is in {file}, which belongs to the image", where=place, fix="remove it from the image")


# Exit statuses of useradd(8), usermod(8), groupadd(8) and groupmod(8) for bad syntax or arguments, and for an id or name that is
# in use or does not exist. All others concern the machine: a lock, a file that cannot be written.
_OF_THE_CONFIG = (2, 3, 4, 6, 9)


def run_for(context: Context, place: str, argv: list[str], why: str, *, stdin: str = "") -> None:
    """Run a program of shadow-utils. Raises Failure at `place`, the entry of the config."""
    try:
        (context.change_accounts or command.run)(argv, why=why, stdin=stdin)
    except CommandFailed as failure:
        of_config = failure.status in _OF_THE_CONFIG
        raise Failure(failure.what, where=place, fix=failure.fix, lasting=of_config) from failure
