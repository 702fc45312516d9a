"""The users and groups of the new root, read from the files that its nsswitch.conf names (passwd(5), group(5), shadow(5)).

A query through NSS in a chroot, as in Ignition, starts a process each time and fails on a root without its libraries. Accounts
that only NSS modules of the root know (LDAP, systemd's dynamic users) do not exist in an initramfs either way. Some images keep
their own accounts outside /etc: /usr/lib/passwd, /usr/share/baselayout/passwd, /var/lib/extrausers/passwd
(ignition.sysroot.nsswitch).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain

from ignition.config.model.storage import Owner
from ignition.errors import Failure, NotFound
from ignition.host import changes
from ignition.host.limits import SYSTEM_FILE
from ignition.host.reading import lines, open_inside, size_inside
from ignition.host.root import Root
from ignition.sysroot import nsswitch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Table = dict[str, list[str]]  # first field of each line → its fields

WRITTEN = ("passwd", "group", "shadow", "gshadow", "subuid", "subgid")  # by shadow-utils
# Everything that shadow-utils opens: its files with their locks, backups and new versions (lib/commonio.c), glibc's lock
# (lckpwdf(3)), and the defaults for new accounts.
FILES = (
    *(f"/etc/{name}{suffix}" for name in WRITTEN for suffix in ("", ".lock", "-", "+")),
    "/etc/.pwd.lock",
    "/etc/login.defs",
    "/etc/default/useradd",
    "/etc/nsswitch.conf",
)
_DIGITS = 10  # of a number of 32 bits
# File → the minimum number of fields in a line, and the positions of those that are numbers.
_SHAPES: dict[str, tuple[int, tuple[int, ...]]] = {
    "passwd": (7, (2, 3)),
    "group": (4, (2,)),
    "shadow": (2, ()),
    "gshadow": (2, ()),
    "subuid": (3, ()),
    "subgid": (3, ()),
}


class Account:
    """One line of passwd(5)."""

    def __init__(self, fields: list[str]) -> None:
        self.name, self.password = fields[0], fields[1]
        self.uid, self.gid = int(fields[2]), int(fields[3])
        self.gecos, self.home, self.shell = fields[4], fields[5], fields[6]


class GroupLine:
    """One line of group(5)."""

    def __init__(self, fields: list[str]) -> None:
        self.name, self.password, self.gid = fields[0], fields[1], int(fields[2])
        self.members = frozenset(member for member in fields[3].split(",") if member)


class AccountDatabase:
    """Looks names up in a root. Files are read again when they change; malformed lines are skipped, as NSS does.

    `steady`: they do not change any more. `alone`: nobody but this process and its programs changes them.
    """

    def __init__(self, root: Root, *, steady: bool = False, alone: bool = False) -> None:
        self.root, self._is_steady, self._is_alone = root, steady, alone
        self._read: dict[tuple[str, str], tuple[tuple[int, int, int] | None, Table | None]] = {}
        self._looked: dict[tuple[str, str], tuple[int, int]] = {}  # the count of changes when each was current

    def settle(self) -> None:
        """From here on they do not change any more."""
        self._read.clear()
        self._is_steady = True

    def user(self, name: str) -> Account | None:
        """None if the root has no such user."""
        fields = self.line("passwd", name)
        return Account(fields) if fields else None

    def group(self, name: str) -> GroupLine | None:
        """None if the root has no such group."""
        fields = self.line("group", name)
        return GroupLine(fields) if fields else None

    def users(self, *, of_every_file: bool = False) -> list[Account]:
        """All users, in the order of the sources; `of_every_file`: also those in files that nsswitch.conf does not name (yet)."""
        tables = [table for _, table in self._tables("passwd")]
        if of_every_file:
            places = dict.fromkeys(chain.from_iterable(nsswitch.DIRECTORIES.values()))
            tables += [self._table(f"{directory}/passwd", "passwd") for directory in places]
        found: Table = {}
        for table in tables:
            for name, fields in (table or {}).items():
                found.setdefault(name, fields)
        return [Account(fields) for fields in found.values()]

    def group_name(self, gid: int) -> str | None:
        """The name of a group; None if the root has no group of that number."""
        wanted = str(gid)
        fields = self._find("group", lambda table: next((line for line in table.values() if line[2] == wanted), None))
        return fields[0] if fields else None

    def groups_of(self, user: str) -> frozenset[str]:
        """Names of the supplementary groups of a user: from all sources, unless an `initgroups` line says when to stop."""
        found: set[str] = set()
        database = "initgroups" if self._sources("initgroups") else "group"
        for source, table in self._tables(database):
            mine = _groups_of(user, table or {})
            found |= mine
            action = source.actions[_status(table, is_found=bool(mine))]
            # For compatibility, glibc goes on after a success where the sources come from the `group` line (grp/initgroups.c).
            if action == nsswitch.RETURN and (database == "initgroups" or not mine):
                break
        return frozenset(found)

    def local_groups_of(self, user: str) -> frozenset[str]:
        """The supplementary groups that shadow-utils can change."""
        return _groups_of(user, self._local("group"))

    def place(self, database: str, name: str) -> str:
        """The file that knows a name of `passwd` or `group`; "" if none does."""
        for source in self._sources(database) or nsswitch.default():
            inside, table = self._of_source(source, database)
            if table is not None and name in table:
                return inside
        return ""

    def is_local(self, database: str, name: str) -> bool:
        """Whether shadow-utils can change it."""
        return name in self._local(database)

    def is_elsewhere(self, database: str, name: str) -> bool:
        """Whether only a file of the image beside /etc knows it."""
        return not self.is_local(database, name) and self.line(database, name) is not None

    def line(self, database: str, name: str) -> list[str] | None:
        """The fields that NSS would return."""
        return self._find(database, lambda table: table.get(name))

    def user_password(self, name: str) -> str:
        """The crypt(5) string of an existing user: from shadow(5) where the user has a line there."""
        return self._password("shadow", "passwd", name)

    def shadow(self, name: str) -> list[str]:
        """The fields of a user's line of shadow(5); empty if there is none."""
        return self.line("shadow", name) or []

    def group_password(self, name: str) -> str:
        """The crypt(5) string of an existing group."""
        return self._password("gshadow", "group", name)

    def described(self, name: str) -> dict[str, Any] | None:
        """A user as members of an operation.Left, without anything of the password; None if the root has no such user."""
        found = self.user(name)
        if found is None:
            return None
        groups = sorted(self.groups_of(name))
        return {"uid": found.uid, "gid": found.gid, "home": found.home, "shell": found.shell, "groups": groups}

    def is_whole(self, account: Account, *, with_subordinate_ids: bool) -> bool:
        """Whether each file of accounts that the root has knows what useradd writes into it."""
        group = self.group_name(account.gid)
        if group is None:
            return False
        wanted = [("shadow", account.name), *([("gshadow", group)] if group in self._local("group") else [])]
        if with_subordinate_ids:
            wanted += [("subuid", account.name), ("subgid", account.name)]
        return all(name in self._local(database) for database, name in wanted if self._has(f"{nsswitch.LOCAL}/{database}"))

    def _has(self, inside: str) -> bool:
        with suppress(FileNotFoundError, NotADirectoryError), self.root.at(inside, follow=True) as here:
            return here.status() is not None
        return False

    def refuse_odd_files(self) -> None:
        """Raises Failure for a file that would block shadow-utils (a FIFO) or keep it reading forever (a device, a huge hole)."""
        for inside in FILES:
            if self._has(inside):
                _refuse_large(size_inside(self.root, inside), inside)

    def uid(self, owner: Owner, where: str) -> int:
        """The uid of a node's configured owner; -1 if the config leaves it open. Raises Failure for an unknown name."""
        if owner.id is not None or not owner.name:
            return -1 if owner.id is None else owner.id
        account = self.user(owner.name)
        if account is None:
            raise Failure(
                f"the new root has no user {owner.name!r}",
                where=where,
                fix="create it in passwd.users, or use its id",
                lasting=True,
            )
        return account.uid

    def gid(self, owner: Owner, where: str) -> int:
        """As `uid`, for the group."""
        if owner.id is not None or not owner.name:
            return -1 if owner.id is None else owner.id
        group = self.group(owner.name)
        if group is None:
            raise Failure(
                f"the new root has no group {owner.name!r}",
                where=where,
                fix="create it in passwd.groups, or use its id",
                lasting=True,
            )
        return group.gid

    def foreign_sources(self) -> list[str]:
        """Sources of users other than files: sss, ldap and similar."""
        known = {*nsswitch.DIRECTORIES, nsswitch.SYSTEMD}
        return [source.name for source in self._sources("passwd") or [] if source.name not in known]

    def _password(self, shadow: str, plain: str, name: str) -> str:
        fields = self.line(shadow, name) or self.line(plain, name)
        return fields[1] if fields else ""

    def _find(self, database: str, pick: Callable[[Table], list[str] | None]) -> list[str] | None:
        """The line that NSS would return: that of the first source that has one, unless an action says otherwise."""
        found: list[str] | None = None
        is_merging = False
        for source, table in self._tables(database):
            fields = pick(table) if table is not None else None
            if not is_merging:
                found = fields
            elif found and fields and (found[0], found[2]) == (fields[0], fields[2]):
                members = f"{found[3]},{fields[3]}".split(",")
                found = [*found[:3], ",".join(dict.fromkeys(filter(None, members)))]
            action = source.actions[_status(table, is_found=bool(found))]
            if action == nsswitch.RETURN or (action == nsswitch.MERGE and database != "group" and found):
                # glibc can merge groups only, and fails for any other database: the first answer is more useful than none.
                break
            is_merging = bool(found) and (action == nsswitch.MERGE or is_merging)
        return found

    def _tables(self, database: str) -> Iterator[tuple[nsswitch.Source, Table | None]]:
        """Each source with its table; None for a source without such a file, and for one that does not read files."""
        for source in self._sources(database) or nsswitch.default():
            yield source, self._of_source(source, "group" if database == "initgroups" else database)[1]

    def _of_source(self, source: nsswitch.Source, database: str) -> tuple[str, Table | None]:
        """The file that a source reads, and its table; ("", None) if there is no such file."""
        if source.name == nsswitch.SYSTEMD and database in nsswitch.SYNTHESIZED:
            return nsswitch.SYSTEMD, _parse(nsswitch.SYNTHESIZED[database], database)
        for directory in nsswitch.DIRECTORIES.get(source.name, ()):
            inside = f"{directory}/{database}"
            table = self._table(inside, database)
            if table is not None:
                return inside, table
        return "", None

    def _sources(self, database: str) -> tuple[nsswitch.Source, ...] | None:
        """None if nsswitch.conf has no line for the database."""
        for place in nsswitch.PLACES:
            found = self._cached(place, place, lambda text: {"": [text]})
            if found is not None:
                return nsswitch.sources(found[""][0], database)
        return None

    def _local(self, database: str) -> Table:
        return self._table(f"{nsswitch.LOCAL}/{database}", database) or {}

    def _table(self, inside: str, database: str) -> Table | None:
        """The lines of a file by their first field; the first of several wins, as in NSS. None if there is no such file."""
        return self._cached(inside, database, lambda text: _parse(text, database))

    def _cached(self, inside: str, what: str, parse: Callable[[str], Table]) -> Table | None:
        known = self._read.get((inside, what))
        now = changes.count_of(os.path.basename(inside))
        if known is not None and (self._is_steady or (self._is_alone and self._looked.get((inside, what)) == now)):
            return known[1]
        found = self.root.status(inside)
        if found is None or stat.S_ISREG(found.st_mode):
            self._looked[inside, what] = now
        else:
            self._looked.pop((inside, what), None)
        if found is None:
            self._read[inside, what] = (None, None)
            return None
        if known is not None and known[0] == _signature(found):
            return known[1]
        try:
            file = open_inside(self.root, inside, where=inside)
        except NotFound:
            return None
        with file:
            opened = os.fstat(file.fileno())
            _refuse_large(opened.st_size, inside)
            table = parse(file.read(SYSTEM_FILE).decode("utf-8", "surrogateescape"))
        self._read[inside, what] = (_signature(opened), table)
        return table


def _signature(found: os.stat_result) -> tuple[int, int, int]:
    """shadow-utils replaces its files, so a change shows in the inode number even within one tick of the clock.

    The signature of a symlink is its own: the file that it leads to is read each time.
    """
    return found.st_ino, found.st_mtime_ns, found.st_size


def _status(table: Table | None, *, is_found: bool) -> str:
    return nsswitch.SUCCESS if is_found else nsswitch.UNAVAIL if table is None else nsswitch.NOTFOUND


def _groups_of(user: str, groups: Table) -> frozenset[str]:
    return frozenset(name for name, fields in groups.items() if user in fields[3].split(","))


def _refuse_large(size: int, inside: str) -> None:
    if size > SYSTEM_FILE:
        raise Failure(f"{inside} is larger than {SYSTEM_FILE >> 20} MiB", where=inside, fix="find out which program wrote it")


def _parse(text: str, database: str) -> Table:
    least, numbers = _SHAPES[database]
    found: Table = {}
    for line in lines(text):
        fields = line.split(":")
        # `+name` and `-name` stand for NIS entries, and only for the source `compat`.
        if len(fields) < least or fields[0] in found or fields[0].startswith(("+", "-")):
            continue
        if all(is_id(fields[position]) for position in numbers):
            found[fields[0]] = fields
    return found


def is_id(text: str) -> bool:
    """Whether a text is a uid or gid: ASCII digits, 32 bits."""
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS and int(text) < 1 << 32
