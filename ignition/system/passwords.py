"""The operation that sets crypt(5) strings: all in one run of chpasswd or chgpasswd, through its standard input.

A password hash is a secret: never an argument, never logged.
"""

from ignition.errors import Failure
from ignition.operation import Context, Operation
from ignition.system.account_database import AccountDatabase
from ignition.system.groups import run_for


class SetPasswords(Operation):
    """`wanted`: (place in the config, name, crypt string)."""

    kind = "set-passwords"

    def __init__(self, wanted: list[tuple[str, str, str]], accounts: AccountDatabase, *, of_groups: bool) -> None:
        self._wanted, self._accounts, self._of_groups = wanted, accounts, of_groups

    def describe(self) -> str:
        names = ", ".join(name for _, name, _ in self._wanted)
        return f"set the passwords of {'groups' if self._of_groups else 'users'} {names}"

    def already_there(self, context: Context) -> bool:
        return not self._differing()

    def execute(self, context: Context) -> None:
        differing = self._differing()
        for place, name, password in differing:
            if ":" in password or "\n" in password or ":" in name or "\n" in name:
                raise Failure("a password hash cannot hold a colon or a line break", where=f"{place}.passwordHash", lasting=True)
        program = "chgpasswd" if self._of_groups else "chpasswd"
        argv = [program, "--encrypted", "--root", context.root.path or "/"]
        lines = "".join(f"{name}:{password}\n" for _, name, password in differing)
        run_for("$.passwd.groups" if self._of_groups else "$.passwd.users", argv, self.describe(), stdin=lines)

    def _differing(self) -> list[tuple[str, str, str]]:
        present = self._accounts.group_password if self._of_groups else self._accounts.user_password
        return [(place, name, password) for place, name, password in self._wanted if present(name) != password]
