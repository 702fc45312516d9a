"""The operation that writes a user's SSH keys, as that user (spec path: passwd.users[].sshAuthorizedKeys).

Ignition writes ~/.ssh/authorized_keys.d/ignition unless IGNITION_WRITE_AUTHORIZED_KEYS_FRAGMENT says otherwise. Only an sshd that
is configured for it reads that file (Container Linux's sshd_config, Fedora's ssh-key-dir); elsewhere, as on Debian, nobody could
log in with the keys. So without the variable, the sshd_config of the new root decides for each user (ignition.host.sshd_config).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack

from ignition.errors import Failure
from ignition.host import atomic, changes, log
from ignition.host.limits import SYSTEM_FILE
from ignition.host.reading import lines, read_text
from ignition.host.root import Root
from ignition.operation import Context, Left, Operation
from ignition.sysroot.account_database import Account, AccountDatabase
from ignition.sysroot.existing import attributes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.host.sshd_config import Person, Place

VARIABLE = "IGNITION_WRITE_AUTHORIZED_KEYS_FRAGMENT"
MESSAGE_ID = "225067b87bbd4a0cb6ab151f82fa364b"  # Ignition's: "wrote ssh authorized keys file for user"
NAME = "ignition"  # of Ignition's fragment
_KEY_DIR = ".ssh/authorized_keys.d"
_MEANINGS = {"": None, "true": True, "1": True, "false": False, "0": False}


class KeyPlaces:
    """The key file of each user, determined when the keys are written: by then the users have their homes and groups.

    `fragment`: whether keys go to ~/.ssh/authorized_keys.d; None: the root's sshd_config decides.
    """

    def __init__(self, root: Root, accounts: AccountDatabase, *, fragment: bool | None = None) -> None:
        self._root, self._accounts, self._fragment = root, accounts, fragment
        self._known: dict[tuple[str, str], Place] = {}
        self._again: tuple[int, KeyPlaces] | None = None

    @classmethod
    def from_environment(cls, root: Root, accounts: AccountDatabase, environment: Mapping[str, str]) -> KeyPlaces:
        """As the variable says. Raises Failure for an invalid value."""
        value = environment.get(VARIABLE, "")
        if value not in _MEANINGS:
            raise Failure(f"{VARIABLE} is {value!r}", fix='use "true" or "false"')
        return cls(root, accounts, fragment=_MEANINGS[value])

    def again(self, accounts: AccountDatabase) -> KeyPlaces:
        """A copy that looks at the present state of the root; the last one if nothing has changed since."""
        now = changes.count()
        if self._again is None or self._again[0] != now:
            self._again = now, KeyPlaces(self._root, accounts, fragment=self._fragment)
        return self._again[1]

    def place(self, account: Account, name: str = NAME) -> Place:
        """The key file of this user, called `name` where sshd reads a directory of key files."""
        from ignition.host import sshd_config

        if self._fragment is not None:
            file = f"{sshd_config.KEY_DIR}/{name}" if self._fragment else sshd_config.PLAIN
            return sshd_config.Place(f"{account.home.rstrip('/')}/{file}")
        key = (account.name, name)
        if key not in self._known:
            self._known[key] = sshd_config.place(self._root, self.person(account), name, self.home_of)
        return self._known[key]

    def are_read(self, account: Account) -> bool:
        """Whether keys in that file allow a login, as far as sshd's configuration is understood."""
        from ignition.host import sshd_config

        place = self.place(account)
        if self._fragment is not None:
            return sshd_config.is_read(self._root, self.person(account), place.path, self.home_of)
        return place.is_read and place.accepts_keys

    def person(self, account: Account) -> Person:
        """The user as sshd sees it."""
        from ignition.host.sshd_config import Person

        primary = self._accounts.group_name(account.gid)
        groups = self._accounts.groups_of(account.name) | ({primary} if primary else set())
        return Person(account.name, account.uid, account.home, frozenset(groups))

    def home_of(self, name: str) -> str | None:
        """The home of another user; None if there is no such user."""
        account = self._accounts.user(name)
        return account.home if account else None


class WriteKeys(Operation):
    """Replaces the key file of one user: directories 0700, the file 0600, all owned by the user.

    Where sshd reads keys from a directory of the system only, the file is owned by root, 0644.
    """

    kind = "write-ssh-keys"

    def __init__(self, place: str, name: str, keys: tuple[str, ...], accounts: AccountDatabase, *, places: KeyPlaces) -> None:
        self.path = name
        self._place, self._accounts, self._places, self._name = place, accounts, places, NAME
        self.place = place
        self._content = ("\n".join(keys) + "\n").encode()

    def describe(self) -> str:
        # Not the file: before the user exists, nobody knows it. The journal names it when it is written.
        return f"write the SSH keys of user {self.path}"

    def content(self, context: Context) -> bytes:
        return self._content

    def already_there(self, context: Context) -> bool:
        account = self._accounts.user(self.path)
        if account is None:
            return False
        target = self._places.place(account, self._name)
        wanted = (0, 0, 0o100644) if target.by_root else (account.uid, account.gid, 0o100600)
        try:
            with context.root.at(target.path, follow=True) as here:
                found = here.status()
                if found is None or (found.st_uid, found.st_gid, found.st_mode) != wanted:
                    return False
                with here.open_regular(found) as file:
                    return file.read(len(self._content) + 1) == self._content
        except (FileNotFoundError, NotADirectoryError):
            return False  # its directory is missing

    def execute(self, context: Context) -> None:
        account = self._accounts.user(self.path)
        if account is None:
            raise Failure(f"the new root has no user {self.path!r}", where=self._place, lasting=True)
        target = self._places.place(account, self._name)
        home_exists = context.root.is_directory(account.home)
        inside = context.root.follow(target.path)
        if target.by_root:
            # sshd does not accept it from another owner (StrictModes).
            context.root.write(inside, self._content, mode=0o644, uid=0, gid=0, sync=True)
        else:
            try:
                _write_as(account, context.root, inside, self._content)
            except PermissionError as error:
                what, fix = "", f"let the directory belong to the user, or remove it from {account.home}"
                if not home_exists:
                    what = f": its home {account.home} does not exist"
                    fix = "let the home be created (noCreateHome), or name another one (homeDir)"
                place = f"{self._place}.sshAuthorizedKeys"
                raise Failure(f"user {self.path} may not write {inside}{what}", where=place, fix=fix) from error
        if not target.is_read:
            what = f"sshd of this machine does not read {inside}: {self.path} cannot log in with these keys"
            log.warning(what, IGNITION_PATH=inside)
        log.info(
            f"wrote ssh authorized keys file for user: {self.path}",
            MESSAGE_ID=MESSAGE_ID,
            IGNITION_USER_NAME=self.path,
            IGNITION_PATH=context.root.outside(inside),
        )

    def leaves(self, context: Context) -> Iterator[Left]:
        account = self._accounts.user(self.path)
        if account is None:
            return
        target = self._places.place(account, self._name)
        owned = attributes(0o644, 0, 0) if target.by_root else attributes(0o600, account.uid, account.gid)
        members = {"user": self.path, **owned, "keys": sorted(key_digests(self._left(context)))}
        yield Left("SSH keys", target.path, members, place=self.place)

    def _left(self, context: Context) -> str:
        """The content of the file once it is written."""
        return self._content.decode("utf-8", "surrogateescape")


class AddKeys(WriteKeys):
    """As WriteKeys, but under the name `name`, beside other keys of the user.

    Where sshd reads ~/.ssh/authorized_keys.d/NAME the keys become its whole content; elsewhere the missing keys are added to the
    file.
    """

    def __init__(
        self, place: str, user: str, keys: tuple[str, ...], accounts: AccountDatabase, *, places: KeyPlaces, name: str
    ) -> None:
        super().__init__(place, user, keys, accounts, places=places)
        self._keys, self._name = keys, name

    def describe(self) -> str:
        return f"add SSH keys for user {self.path}"

    def already_there(self, context: Context) -> bool:
        if not self._adds():
            return super().already_there(context)
        present = lines(self._present(context))
        return all(key in present for key in self._keys)

    def execute(self, context: Context) -> None:
        self._content = self.content(context)
        super().execute(context)

    def content(self, context: Context) -> bytes:
        return self._left(context).encode("utf-8", "surrogateescape")

    def _left(self, context: Context) -> str:
        if not self._adds():
            return super()._left(context)
        present = self._present(context)
        known = lines(present)
        missing = [key for key in self._keys if key not in known]
        gap = "\n" if present and not present.endswith("\n") else ""
        return present + gap + "".join(f"{key}\n" for key in missing)

    def _adds(self) -> bool:
        account = self._accounts.user(self.path)
        return account is not None and not self._places.place(account, self._name).path.endswith(f"{_KEY_DIR}/{self._name}")

    def _present(self, context: Context) -> str:
        """Read as the user: a symlink must not copy a file that the user may not read."""
        account = self._accounts.user(self.path)
        if account is None:
            return ""
        target = self._places.place(account, self._name)
        inside = context.root.follow(target.path)
        return read_text(context.root, inside) or "" if target.by_root else _read_as(account, context.root, inside)


def key_digests(text: str) -> dict[str, str]:
    """Digest of each line of a key file that is not empty or a comment → the line."""
    found = (line.strip() for line in lines(text))
    keys = [line for line in found if line and not line.startswith("#")]
    return {atomic.sha512(line.encode("utf-8", "surrogateescape")): line for line in keys}


def _read_as(account: Account, root: Root, inside: str) -> str:
    """The file as the user reads it; "" if it does not exist. The user need not be able to pass the directories above."""
    try:
        with root.at(inside) as here, root.acting_as(account.uid, account.gid):
            found = here.status()
            if found is None:
                return ""
            with here.open_regular(found) as file:
                content = file.read(SYSTEM_FILE + 1)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    if len(content) > SYSTEM_FILE:
        raise Failure(f"{inside} is larger than {SYSTEM_FILE >> 20} MiB", where=inside, fix="find out which program wrote it")
    return content.decode("utf-8", "surrogateescape")


def _write_as(account: Account, root: Root, inside: str, content: bytes) -> None:
    """Write as the user: in a home from before this boot, a symlink must not reach files that the user may not write."""
    parent, name = os.path.split(inside)
    missing: list[str] = []
    while parent != "/" and root.status(parent) is None:
        parent, last = os.path.split(parent)
        missing.insert(0, last)
    # root walks to the deepest existing directory, whose parents may be closed to the user; from there on the user creates all.
    with root.at(f"{parent}/{[*missing, name][0]}") as top, ExitStack() as entered, root.acting_as(account.uid, account.gid):
        here = top
        for number in range(len(missing)):
            here.mkdir(mode=0o700)
            here = entered.enter_context(here.below([*missing, name][number + 1]))
        here.write(content, mode=0o600)
