"""Keys of users. Source: coreos-cloudinit.md 11.2 and 11.3.

Where the machine has `update-ssh-keys` (Container Linux, Flatcar), it does the work, as in the original. Elsewhere the keys go to
~/.ssh/authorized_keys.d/NAME if sshd reads that file, else they are added to ~/.ssh/authorized_keys.
"""

import json

from ignition.cloudinit.datasources import http
from ignition.errors import Failure
from ignition.fetch.urls import shown
from ignition.host import command
from ignition.host.root import Root
from ignition.operation import Context, Operation
from ignition.system.account_database import AccountDatabase
from ignition.system.ssh_keys import AddKeys, reads_fragment

CORE = "core"
GITHUB = "https://api.github.com/users/{user}/keys"
PROGRAM = "update-ssh-keys"


class Writer:
    """How keys get to users on this machine. `by_program`: through update-ssh-keys; else as its sshd reads them."""

    def __init__(self, accounts: AccountDatabase, root: Root, *, by_program: bool) -> None:
        self._accounts, self._root, self._by_program = accounts, root, by_program

    def operation(self, place: str, user: str, keys: "tuple[str, ...]", name: str) -> Operation:
        """Give a user these keys, under a name."""
        if self._by_program:
            return RegisterKeys(place, user, keys, name, self._accounts)
        return AddKeys(place, user, keys, self._accounts, fragment=name if reads_fragment(self._root, name) else "")


class RegisterKeys(AddKeys):
    """Hands the keys to update-ssh-keys, which keeps them in ~/.ssh/authorized_keys.d/NAME."""

    def __init__(self, place: str, user: str, keys: "tuple[str, ...]", name: str, accounts: AccountDatabase) -> None:
        super().__init__(place, user, keys, accounts, fragment=name)
        self._name, self._lines = name, "".join(f"{key}\n" for key in keys)

    def describe(self) -> str:
        return f"register SSH keys of user {self.path} as {self._name}"

    def execute(self, context: Context) -> None:
        command.run([PROGRAM, "-u", self.path, "-a", self._name], why=self.describe(), stdin=self._lines)


def trimmed(keys: "tuple[str, ...]") -> "tuple[str, ...]":
    """Without blanks around them, and each once, in order."""
    return tuple(dict.fromkeys(key.strip() for key in keys if key.strip()))


def imported(url: str) -> "tuple[str, ...]":
    """The keys at a URL, which gives a JSON list of objects with `key`. Raises Failure."""
    with http.fetcher() as client:
        content = http.get(client, url)
    try:
        return trimmed(tuple(one["key"] for one in json.loads(content)))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Failure('this is no list of SSH keys: [{"key": "…"}, …] is expected', where=shown(url)) from None
