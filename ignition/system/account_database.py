"""The users and groups of the new root, read from its own files (passwd(5), group(5), shadow(5), gshadow(5)).

A query through NSS in a chroot, as Ignition does it, starts a process each and fails on a root without its libraries. What only
NSS modules of the root know (LDAP, systemd's dynamic users) does not exist in an initramfs either way.
"""

import os
import re
from contextlib import suppress

from ignition.config.model.storage import Owner
from ignition.errors import Failure, NotFound
from ignition.host.reading import LARGEST, lines, open_inside
from ignition.host.root import Root

# What shadow-utils opens of a root, besides what NSS opens.
_WRITTEN = ("passwd", "group", "shadow", "gshadow", "subuid", "subgid")
# What shadow-utils opens: its files with their locks, backups and new versions (lib/commonio.c), glibc's lock (lckpwdf(3)), and
# what says how accounts are made.
FILES = (
    *(f"/etc/{name}{suffix}" for name in _WRITTEN for suffix in ("", ".lock", "-", "+")),
    "/etc/.pwd.lock",
    "/etc/login.defs",
    "/etc/default/useradd",
    "/etc/nsswitch.conf",
)
_ID = re.compile(r"[0-9]{1,10}")


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
    """Looks names up in a root. Files are read again when they changed; an unreadable line is passed over, as NSS does."""

    def __init__(self, root: Root) -> None:
        self.root = root
        self._read: dict[str, tuple[tuple[int, int, int], dict[str, list[str]]]] = {}

    def user(self, name: str) -> Account | None:
        """None if the root has no such user."""
        fields = self._lines("/etc/passwd", 7).get(name)
        return Account(fields) if fields else None

    def group(self, name: str) -> GroupLine | None:
        """None if the root has no such group."""
        fields = self._lines("/etc/group", 4).get(name)
        return GroupLine(fields) if fields else None

    def users(self) -> list[Account]:
        """All users, in the order of the file."""
        return [Account(fields) for fields in self._lines("/etc/passwd", 7).values()]

    def group_name(self, gid: int) -> str | None:
        """The name of a group; None if the root has no group of that number."""
        return next((name for name, fields in self._lines("/etc/group", 4).items() if fields[2] == str(gid)), None)

    def groups_of(self, user: str) -> frozenset[str]:
        """Names of the supplementary groups of a user."""
        lines = self._lines("/etc/group", 4)
        return frozenset(name for name, fields in lines.items() if user in fields[3].split(","))

    def user_password(self, name: str) -> str:
        """The crypt(5) string of an existing user: of shadow(5) where the user is there."""
        return self._password("/etc/shadow", "/etc/passwd", name)

    def shadow(self, name: str) -> list[str]:
        """The fields of a user's line of shadow(5); empty if there is none."""
        return self._lines("/etc/shadow", 2).get(name, [])

    def group_password(self, name: str) -> str:
        """The crypt(5) string of an existing group."""
        return self._password("/etc/gshadow", "/etc/group", name)

    def is_whole(self, account: Account, *, with_subordinate_ids: bool) -> bool:
        """Whether each file of accounts that the root has knows what useradd writes into it."""
        group = self.group_name(account.gid)
        if group is None:
            return False
        wanted = [("/etc/shadow", 2, account.name), ("/etc/gshadow", 2, group)]
        if with_subordinate_ids:
            wanted += [("/etc/subuid", 3, account.name), ("/etc/subgid", 3, account.name)]
        return all(name in self._lines(inside, least) for inside, least, name in wanted if self._has(inside))

    def _has(self, inside: str) -> bool:
        with suppress(FileNotFoundError, NotADirectoryError), self.root.at(inside, follow=True) as here:
            return here.status() is not None
        return False

    def refuse_odd_files(self) -> None:
        """Raises Failure for a file that shadow-utils would wait for (FIFO) or read for ever (device, hole)."""
        for inside in FILES:
            if self._has(inside):
                with open_inside(self.root, inside, where=inside) as file:
                    _refuse_large(os.fstat(file.fileno()).st_size, inside)

    def uid(self, owner: Owner, where: str) -> int:
        """The id of the wanted owner of a node; -1 if none is wanted. Raises Failure for an unknown name."""
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

    def _password(self, shadow: str, plain: str, name: str) -> str:
        fields = self._lines(shadow, 2).get(name) or self._lines(plain, 2).get(name)
        return fields[1] if fields else ""

    def _lines(self, inside: str, least: int) -> dict[str, list[str]]:
        """First field → fields of each line with at least that many of them; the first of several lines counts, as in NSS."""
        try:
            file = open_inside(self.root, inside, where=inside)
        except NotFound:
            return {}
        with file:
            now = os.fstat(file.fileno())
            signature = (now.st_ino, now.st_mtime_ns, now.st_size)
            known = self._read.get(inside)
            if known is None or known[0] != signature:
                _refuse_large(now.st_size, inside)
                text = file.read(LARGEST).decode("utf-8", "surrogateescape")
                known = self._read[inside] = (signature, _parse(text, least))
        return known[1]


def _refuse_large(size: int, inside: str) -> None:
    if size > LARGEST:
        raise Failure(f"{inside} is larger than {LARGEST >> 20} MiB", where=inside, fix="find out what wrote it")


def _parse(text: str, least: int) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in lines(text):
        fields = line.split(":")
        if len(fields) >= least and fields[0] not in found and _numbers_are_numbers(fields, least):
            found[fields[0]] = fields
    return found


def _numbers_are_numbers(fields: list[str], least: int) -> bool:
    positions = {7: (2, 3), 4: (2,)}.get(least, ())
    return all(is_id(fields[position]) for position in positions)


def is_id(text: str) -> bool:
    """Whether it is the number of a user or a group: ASCII digits, 32 bits."""
    return bool(_ID.fullmatch(text)) and int(text) < 1 << 32
