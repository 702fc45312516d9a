"""SSH keys of users, as ignition/host/key_lines.py finds them. Source: docs/reference/coreos-cloudinit.md §11.2 and §11.3.

`update-ssh-keys` (Container Linux, Flatcar) writes them if the machine has it, as in the original. Otherwise they are written to
~/.ssh/authorized_keys.d/NAME if sshd reads that file for the user, else added to the file that it reads
(ignition.host.sshd_config).
"""

from __future__ import annotations

from collections.abc import Iterable

from ignition.cloudinit.datasources import http
from ignition.config.text import json_text
from ignition.errors import CommandFailed, Failure
from ignition.fetch.urls import shown
from ignition.host import command, key_lines
from ignition.host.root import Root
from ignition.operation import Context, Left, Operation
from ignition.sysroot.account_database import AccountDatabase
from ignition.sysroot.ssh_keys import AddKeys, KeyPlaces

CORE = "core"
GITHUB = "https://api.github.com/users/{user}/keys"
PROGRAM = "update-ssh-keys"


class Writer:
    """Writes keys in this machine's way. `by_program`: through update-ssh-keys; otherwise to the files that sshd reads."""

    def __init__(self, accounts: AccountDatabase, root: Root, *, by_program: bool) -> None:
        self._accounts, self._by_program = accounts, by_program
        self._places = KeyPlaces(root, accounts, fragment=True if by_program else None)

    def operation(self, place: str, user: str, keys: tuple[str, ...], name: str) -> Operation:
        """An operation that adds keys of a user, under a name."""
        if self._by_program:
            return RegisterKeys(place, user, keys, self._accounts, places=self._places, name=name)
        return AddKeys(place, user, keys, self._accounts, places=self._places, name=name)


class RegisterKeys(AddKeys):
    """Hands the keys to update-ssh-keys, which keeps them in ~/.ssh/authorized_keys.d/NAME."""

    def describe(self) -> str:
        return f"register SSH keys of user {self.path} as {self._name}"

    def execute(self, context: Context) -> None:
        try:
            self._register(self._keys)
        except CommandFailed:
            # It refuses all keys if one of them is malformed.
            whole = tuple(key_lines.keys(self._keys, self._place, whole=True))
            if not whole or whole == self._keys:
                raise
            self._register(whole)

    def _register(self, keys: tuple[str, ...]) -> None:
        argv = [PROGRAM, "-u", self.path, "-a", self._name]
        command.run(argv, why=self.describe(), stdin="".join(f"{key}\n" for key in keys))


class ImportKeys(Operation):
    """Adds the keys at a URL to a user. They are fetched when the operation runs: a service that hangs must not delay others."""

    kind = "import-ssh-keys"

    def __init__(self, place: str, user: str, url: str, name: str, writer: Writer) -> None:
        self.path, self.place, self._url, self._name, self._writer = user, place, url, name, writer
        self._inner: Operation | None = None

    def describe(self) -> str:
        return f"import SSH keys of user {self.path} from {shown(self._url)} as {self._name}"

    def already_there(self, context: Context) -> bool:
        return self._operation().already_there(context)

    def execute(self, context: Context) -> None:
        self._operation().execute(context)

    def content(self, context: Context) -> bytes | None:
        return self._operation().content(context)

    def leaves(self, context: Context) -> Iterable[Left]:
        return self._operation().leaves(context)

    def _operation(self) -> Operation:
        if self._inner is None:
            self._inner = self._writer.operation(self.place, self.path, imported(self._url), self._name)
        return self._inner


def distinct(texts: tuple[str, ...], where: str) -> tuple[str, ...]:
    """The keys among the lines of these texts, without repetitions, in order."""
    return tuple(dict.fromkeys(key_lines.keys(texts, where)))


def imported(url: str) -> tuple[str, ...]:
    """The keys at a URL, which must return a JSON list of objects with `key`. Raises Failure."""
    with http.fetcher() as client:
        content = http.get(client, url)
    try:
        found = [one["key"] for one in json_text.plain(content)]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Failure('not a list of SSH keys: [{"key": "…"}, …] is expected', where=shown(url)) from None
    return distinct(tuple(one for one in found if isinstance(one, str)), shown(url))
