"""The operation that writes a user's SSH keys, as that user (spec path: passwd.users[].sshAuthorizedKeys).

Ignition writes ~/.ssh/authorized_keys.d/ignition unless IGNITION_WRITE_AUTHORIZED_KEYS_FRAGMENT says otherwise. Only an sshd that
was told so reads that directory (Container Linux's sshd_config, Fedora's ssh-key-dir); elsewhere, as on Debian, the keys would
let nobody in. So without the variable, the sshd_config of the new root decides.
"""

import os
from contextlib import ExitStack

from ignition.errors import Failure
from ignition.host import log
from ignition.host.identity import acting_as
from ignition.host.reading import LARGEST, lines
from ignition.host.root import Root
from ignition.operation import Context, Operation
from ignition.system.account_database import Account, AccountDatabase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VARIABLE = "IGNITION_WRITE_AUTHORIZED_KEYS_FRAGMENT"
MESSAGE_ID = "225067b87bbd4a0cb6ab151f82fa364b"  # Ignition's: "wrote ssh authorized keys file for user"
FRAGMENT = ".ssh/authorized_keys.d/ignition"
PLAIN = ".ssh/authorized_keys"
_KEY_DIR = "ssh-key-dir"  # AuthorizedKeysCommand of Fedora CoreOS: every file of the directory
_READS_FRAGMENTS = ("authorized_keys.d", _KEY_DIR)  # the first as AuthorizedKeysFile
_SSHD_CONFIG = "/etc/ssh/sshd_config"


def wants_fragment(root: Root, environment: "Mapping[str, str]") -> bool:
    """Whether keys go to the fragment directory: the variable, or else whether the root's sshd reads it. Raises Failure."""
    value = environment.get(VARIABLE, "")
    if value in ("true", "1"):
        return True
    if value in ("false", "0"):
        return False
    if value:
        raise Failure(f"{VARIABLE} is {value!r}", fix='use "true" or "false"')
    return any(word in text for text in _sshd_configs(root) for word in _READS_FRAGMENTS)


def reads_fragment(root: Root, name: str) -> bool:
    """Whether the root's sshd reads ~/.ssh/authorized_keys.d/NAME: it knows no patterns, so only files that it names."""
    words = [word.strip('"') for text in _sshd_configs(root) for word in text.split()]
    return any(_KEY_DIR in word or word.endswith(f"authorized_keys.d/{name}") for word in words)


class WriteKeys(Operation):
    """Replaces the key file of one user; directories 0700, the file 0600, all of them the user's."""

    kind = "write-ssh-keys"

    def __init__(self, place: str, name: str, keys: tuple[str, ...], accounts: AccountDatabase, *, fragment: bool) -> None:
        self.path = name
        self._place, self._accounts, self._file = place, accounts, FRAGMENT if fragment else PLAIN
        self._content = ("\n".join(keys) + "\n").encode()

    def describe(self) -> str:
        return f"write ~/{self._file} of user {self.path}"

    def already_there(self, context: Context) -> bool:
        account = self._accounts.user(self.path)
        if account is None:
            return False
        try:
            with context.root.at(f"{account.home}/{self._file}", follow=True) as here:
                found = here.status()
                if found is None or (found.st_uid, found.st_gid, found.st_mode) != (account.uid, account.gid, 0o100600):
                    return False
                with here.open_regular(found) as file:
                    return file.read(len(self._content) + 1) == self._content
        except (FileNotFoundError, NotADirectoryError):
            return False  # its directory is missing

    def execute(self, context: Context) -> None:
        account = self._accounts.user(self.path)
        if account is None:
            raise Failure(f"the new root has no user {self.path!r}", where=self._place)
        home_exists = context.root.is_directory(account.home)
        inside = context.root.follow(f"{account.home}/{self._file}")
        try:
            _write_as(account, context.root, inside, self._content)
        except PermissionError as error:
            raise self._refused(account.home, inside, home_exists=home_exists) from error
        log.info(
            f"wrote ssh authorized keys file for user: {self.path}",
            MESSAGE_ID=MESSAGE_ID,
            IGNITION_USER_NAME=self.path,
            IGNITION_PATH=context.root.outside(inside),
        )

    def _refused(self, home: str, inside: str, *, home_exists: bool) -> Failure:
        what, place = f"user {self.path} may not write {inside}", f"{self._place}.sshAuthorizedKeys"
        if home_exists:
            return Failure(what, where=place, fix=f"give the directory to the user, or remove it from {home}")
        return Failure(
            f"{what}: its home {home} does not exist",
            where=place,
            fix="let the home be created (noCreateHome), or name another one (homeDir)",
        )


class AddKeys(WriteKeys):
    """As WriteKeys, but under a name of its own, beside other keys of the user.

    With `fragment` the keys are the whole of ~/.ssh/authorized_keys.d/NAME; without it ~/.ssh/authorized_keys keeps what is in it
    and gets what it lacks.
    """

    def __init__(self, place: str, user: str, keys: tuple[str, ...], accounts: AccountDatabase, *, fragment: str) -> None:
        super().__init__(place, user, keys, accounts, fragment=False)
        self._keys, self._adds = keys, not fragment
        if fragment:
            self._file = f".ssh/authorized_keys.d/{fragment}"

    def describe(self) -> str:
        return f"{'add keys to' if self._adds else 'write'} ~/{self._file} of user {self.path}"

    def already_there(self, context: Context) -> bool:
        if not self._adds:
            return super().already_there(context)
        present = lines(self._present(context))
        return all(key in present for key in self._keys)

    def execute(self, context: Context) -> None:
        if self._adds:
            present = self._present(context)
            missing = [key for key in self._keys if key not in lines(present)]
            gap = "\n" if present and not present.endswith("\n") else ""
            self._content = (present + gap + "".join(f"{key}\n" for key in missing)).encode("utf-8", "surrogateescape")
        super().execute(context)

    def _present(self, context: Context) -> str:
        """Read as the user: a symlink must not bring in what the user may not read."""
        account = self._accounts.user(self.path)
        if account is None:
            return ""
        return _read_as(account, context.root, context.root.follow(f"{account.home}/{self._file}"))


def _read_as(account: Account, root: Root, inside: str) -> str:
    """What the user reads there; "" for no file. The directories above may be closed to the user, as when writing."""
    try:
        with root.at(inside) as here, acting_as(account.uid, account.gid):
            found = here.status()
            if found is None:
                return ""
            with here.open_regular(found) as file:
                content = file.read(LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    if len(content) > LARGEST:
        raise Failure(f"{inside} is larger than {LARGEST >> 20} MiB", where=inside, fix="find out what wrote it")
    return content.decode("utf-8", "surrogateescape")


def _write_as(account: Account, root: Root, inside: str, content: bytes) -> None:
    """Write as the user: a symlink below a home that is older than this boot must not reach what the user may not write."""
    parent, name = os.path.split(inside)
    missing: list[str] = []
    while parent != "/" and root.status(parent) is None:
        parent, last = os.path.split(parent)
        missing.insert(0, last)
    with root.at(f"{parent}/{[*missing, name][0]}") as top, ExitStack() as entered, acting_as(account.uid, account.gid):
        here = top
        for number in range(len(missing)):
            here.mkdir(mode=0o700)
            here = entered.enter_context(here.below([*missing, name][number + 1]))
        here.write(content, mode=0o600)


def _sshd_configs(root: Root) -> "Iterator[str]":
    directory = root.outside(root.follow(f"{_SSHD_CONFIG}.d"))
    names = [f"{_SSHD_CONFIG}.d/{name}" for name in sorted(os.listdir(directory))] if os.path.isdir(directory) else []
    for inside in (_SSHD_CONFIG, *names):
        try:
            with open(root.outside(root.follow(inside)), encoding="utf-8", errors="replace") as file:
                yield "\n".join(line for line in file if not line.lstrip().startswith("#"))
        except (FileNotFoundError, IsADirectoryError):
            continue
