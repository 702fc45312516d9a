"""The operations for groups (spec path: passwd.groups[]), carried out by shadow-utils with --root.

Passwords are no arguments: `ignition.system.passwords` sets them.
"""

from ignition.config.model.passwd import Group
from ignition.errors import CommandFailed, Failure
from ignition.host import command
from ignition.operation import Context, Operation
from ignition.system.account_database import AccountDatabase


class PutGroup(Operation):
    """Creates a group, or gives an existing one the wanted id."""

    kind = "put-group"

    def __init__(self, place: str, group: Group, accounts: AccountDatabase) -> None:
        self._place, self._group, self._accounts = place, group, accounts
        self.path = group.name

    def describe(self) -> str:
        verb = "change" if self._accounts.group(self._group.name) else "create"
        return f"{verb} group {self._group.name}"

    def already_there(self, context: Context) -> bool:
        found = self._accounts.group(self._group.name)
        return found is not None and self._group.gid in (None, found.gid)

    def execute(self, context: Context) -> None:
        group, root = self._group, context.root.path or "/"
        program = "groupmod" if self._accounts.group(group.name) else "groupadd"
        argv = [program, "--root", root]
        if group.gid is not None:
            argv += ["--gid", str(group.gid)]
        if group.system and program == "groupadd":
            argv.append("--system")
        run_for(self._place, [*argv, "--", group.name], self.describe())


class RemoveGroup(Operation):
    """Deletes a group if it is there."""

    kind = "remove-group"

    def __init__(self, place: str, name: str, accounts: AccountDatabase) -> None:
        self._place, self.path, self._accounts = place, name, accounts

    def describe(self) -> str:
        return f"delete group {self.path}"

    def already_there(self, context: Context) -> bool:
        return self._accounts.group(self.path) is None

    def execute(self, context: Context) -> None:
        run_for(self._place, ["groupdel", "--root", context.root.path or "/", "--", self.path], self.describe())


# Exit statuses of useradd(8), usermod(8), groupadd(8) and groupmod(8): wrong syntax or argument, an id or a name that is taken or
# does not exist. The others are the machine's: a lock, a file that cannot be written.
_OF_THE_CONFIG = (2, 3, 4, 6, 9)


def run_for(place: str, argv: list[str], why: str, *, stdin: str = "") -> None:
    """Run a program of shadow-utils; its failure names the entry of the config."""
    try:
        command.run(argv, why=why, stdin=stdin)
    except CommandFailed as failure:
        of_config = failure.status in _OF_THE_CONFIG
        raise Failure(failure.what, where=place, fix=failure.fix, lasting=of_config) from failure
