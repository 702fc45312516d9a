"""A stand-in for useradd, usermod, userdel, groupadd, groupmod, groupdel, chpasswd and chgpasswd, on the files of a root.

The programs need root for `--root`, and differ between the machines on which configs are tested. New accounts are those of
`sysroot.new_accounts`, which writes them as the programs do; changes and deletions are edits of single lines. Left out: the locks
and backups of the programs, mailboxes, and the records of lastlog and faillog. The built-in defaults are those of shadow-utils
itself; /etc/default/useradd and login.defs of the root change them.

Sources: the manual pages of these programs; shadow 4.13, src/usermod.c, src/userdel.c, src/groupmod.c.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from functools import cached_property
from getopt import getopt

from ignition.errors import CommandFailed
from ignition.host.dentry import Dentry
from ignition.host.reading import lines, read_text
from ignition.host.root import PARENTS, Root
from ignition.patterns import lazy_pattern
from ignition.sysroot import new_accounts
from ignition.sysroot.account_database import AccountDatabase, is_id
from ignition.sysroot.new_accounts import AccountFile, Etc, NewUser, Settings
from ignition.sysroot.users import make_home

_OPTIONS = (
    "root= home-dir= home= move-home create-home no-create-home no-user-group system no-log-init password= uid= comment= gid="
    " groups= shell= remove encrypted"
).split()
_MODES = {"passwd": 0o644, "group": 0o644, "shadow": 0o640, "gshadow": 0o640, "subuid": 0o644, "subgid": 0o644}
_FIELDS = {"passwd": 7, "shadow": 9, "group": 4, "gshadow": 4, "subuid": 3, "subgid": 3}
_NUMBERS = {"passwd": (2, 3), "group": (2,), "subuid": (1, 2), "subgid": (1, 2)}
_NAME = lazy_pattern(r"(?![0-9]+$)[A-Za-z0-9_.][A-Za-z0-9_.-]*\$?")
# Exit statuses: useradd(8), groupadd(8), userdel(8), groupdel(8).
_BAD_ARGUMENT, _ID_IN_USE, _UNKNOWN, _IS_PRIMARY, _NAME_IN_USE = 3, 4, 6, 8, 9
_BUILT_IN = {
    "GROUP": "100",
    "HOME": "/home",
    "INACTIVE": "-1",
    "EXPIRE": "",
    "SHELL": "/bin/bash",
    "SKEL": new_accounts.SKELETON,
    "CREATE_MAIL_SPOOL": "no",
}

TYPE_CHECKING = False
if TYPE_CHECKING:
    Row = list[str]


class _Settings(Settings):
    def built_in(self) -> dict[str, str]:
        return dict(_BUILT_IN)


class ShadowUtils:
    """Stands in for the programs in one root: `run` takes their arguments."""

    def __init__(self, root: Root) -> None:
        self._root = root

    def run(self, argv: list[str], *, why: str, stdin: str = "") -> None:
        """As `command.run`. Raises CommandFailed with the status of the program."""
        program = argv[0]
        given, words = getopt(argv[1:], "", _OPTIONS)
        options = {name.removeprefix("--"): value for name, value in given}
        try:
            run = _Run(self._root, options)
            if program in ("chpasswd", "chgpasswd"):
                run.set_passwords([line.partition(":")[::2] for line in lines(stdin)], of_groups=program == "chgpasswd")
            else:
                getattr(run, program)(words[0])
        except _Refused as refused:
            raise CommandFailed(f"{why}: {program}: {refused}", status=refused.status, stderr=str(refused)) from None
        except ValueError as error:
            raise CommandFailed(f"{why}: the simulation does not understand a number in login.defs", status=None) from error


class _Refused(Exception):
    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class _Run:
    """One call of a program: the methods have their names."""

    def __init__(self, root: Root, options: dict[str, str]) -> None:
        self._root, self._options = root, options
        self._rows: dict[str, list[Row]] = {}
        self._texts = {name: read_text(root, f"/etc/{name}") for name in new_accounts.ORDER}
        for name, text in self._texts.items():
            rows = self._rows[name] = [line.split(":") for line in lines(text or "")]
            wrong = next((row for row in rows if not _is_regular(name, row)), None)
            if wrong is not None:
                raise _Refused(f"/etc/{name} has lines that the simulation does not understand", 1)

    @cached_property
    def _etc(self) -> Etc:
        files = {
            name: AccountFile(self._root.status(f"/etc/{name}"), None if text is None else _ended(text))
            for name, text in self._texts.items()
        }
        return Etc(_Settings(self._root), files)

    def useradd(self, name: str) -> None:
        options = self._options
        if not _NAME.fullmatch(name):
            raise _Refused(f"invalid user name {name!r}", _BAD_ARGUMENT)
        if self._row("passwd", name):
            raise _Refused(f"user {name!r} already exists", _NAME_IN_USE)
        uid = options.get("uid")
        if uid is not None and any(row[2] == uid for row in self._rows["passwd"]):
            raise _Refused(f"UID {uid} is not unique", _ID_IN_USE)
        groups = self._known(options.get("groups", ""))
        first = options.get("gid", "")
        new = NewUser(
            name,
            uid=None if uid is None else int(uid),
            gecos=options.get("comment", ""),
            home=options.get("home-dir", ""),
            shell=options.get("shell", ""),
            primary_group=str(self._gid(first)) if first else "",
            groups=groups,
            own_group="no-user-group" not in options,
            system="system" in options,
        )
        etc = self._etc
        if etc.has_own_group(new) and self._row("group", name):
            raise _Refused(f"group {name} exists - if you want to add this user to that group, use -g", _NAME_IN_USE)
        if etc.uid_of(new) is None or etc.gid_of(new) is None:
            raise _Refused("no unused id is left, or the default group does not exist", _ID_IN_USE)
        for file, text in new_accounts.user_texts(new, etc).items():
            self._write(file, text)
        account = AccountDatabase(self._root).user(name)
        if account is not None and "create-home" in options and not self._root.is_directory(account.home):
            make_home(self._root, account)

    def usermod(self, name: str) -> None:
        options, row = self._options, self._needed("passwd", name)
        uid, gid, home = row[2], row[3], row[5]
        if "uid" in options:
            if any(other[2] == options["uid"] for other in self._rows["passwd"] if other is not row):
                raise _Refused(f"UID {options['uid']!r} already exists", _ID_IN_USE)
            row[2] = options["uid"]
        if "gid" in options:
            row[3] = str(self._gid(options["gid"]))
        for option, position in (("comment", 4), ("home", 5), ("shell", 6)):
            row[position] = options.get(option, row[position])
        if "groups" in options:
            wanted = self._known(options["groups"])
            for file in ("group", "gshadow"):
                for group in self._rows[file]:
                    members = [member for member in group[3].split(",") if member and member != name]
                    group[3] = ",".join([*members, name] if group[0] in wanted else members)
        self._save()
        if "move-home" in options:
            self._move(home, row[5])
        if row[2:4] != [uid, gid]:
            self._give(row[5], {int(uid): int(row[2])}, {int(gid): int(row[3])})

    def userdel(self, name: str) -> None:
        row = self._needed("passwd", name)
        own = self._row("group", name)
        is_shared = any(other[3] == row[3] for other in self._rows["passwd"] if other is not row)
        for file in ("passwd", "shadow", "subuid", "subgid"):
            self._rows[file] = [one for one in self._rows[file] if one[0] != name]
        for file in ("group", "gshadow"):
            for group in self._rows[file]:
                group[3] = ",".join(member for member in group[3].split(",") if member and member != name)
        if (
            own
            and own[2] == row[3]
            and not own[3]
            and not is_shared
            and self._etc.settings.login_defs.get("USERGROUPS_ENAB") == "yes"
        ):
            self._drop_group(name)
        self._save()
        if "remove" in self._options and self._root.is_directory(row[5]):
            with self._root.at(self._root.follow(row[5])) as home:
                home.remove()

    def groupadd(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise _Refused(f"{name!r} is not a valid group name", _BAD_ARGUMENT)
        if self._row("group", name):
            raise _Refused(f"group {name!r} already exists", _NAME_IN_USE)
        gid, is_system = self._options.get("gid"), "system" in self._options
        self._refuse_used(gid)
        if gid is None and self._etc.free_id("GID", is_system=is_system) is None:
            raise _Refused("no unused GID is left", _ID_IN_USE)
        texts = new_accounts.group_texts(name, None if gid is None else int(gid), self._etc, is_system=is_system)
        for file, text in texts.items():
            self._write(file, text)

    def groupmod(self, name: str) -> None:
        row, gid = self._needed("group", name), self._options.get("gid")
        if gid is None or gid == row[2]:
            return
        self._refuse_used(gid)
        for user in self._rows["passwd"]:
            user[3] = gid if user[3] == row[2] else user[3]
        row[2] = gid
        self._save()

    def groupdel(self, name: str) -> None:
        row = self._needed("group", name)
        user = next((user for user in self._rows["passwd"] if user[3] == row[2]), None)
        if user is not None:
            raise _Refused(f"cannot remove the primary group of user {user[0]!r}", _IS_PRIMARY)
        self._drop_group(name)
        self._save()

    def set_passwords(self, wanted: list[tuple[str, str]], *, of_groups: bool) -> None:
        plain, shadow = ("group", "gshadow") if of_groups else ("passwd", "shadow")
        for name, password in wanted:
            row = self._row(shadow, name) or self._needed(plain, name)
            row[1] = password
            if len(row) == _FIELDS["shadow"]:
                row[2] = str(int(time.time()) // 86400)
        self._save()

    def _row(self, file: str, name: str) -> Row | None:
        return next((row for row in self._rows[file] if row[0] == name), None)

    def _needed(self, file: str, name: str) -> Row:
        row = self._row(file, name)
        if row is None:
            raise _Refused(f"{'user' if file == 'passwd' else 'group'} {name!r} does not exist", _UNKNOWN)
        return row

    def _known(self, names: str) -> tuple[str, ...]:
        groups = tuple(name for name in names.split(",") if name)
        for name in groups:
            self._needed("group", name)
        return groups

    def _gid(self, group: str) -> int:
        """A name before a number: a group may be called 100."""
        row = self._row("group", group) or next((row for row in self._rows["group"] if row[2] == group), None)
        if row is None:
            raise _Refused(f"group {group!r} does not exist", _UNKNOWN)
        return int(row[2])

    def _refuse_used(self, gid: str | None) -> None:
        if gid is not None and any(row[2] == gid for row in self._rows["group"]):
            raise _Refused(f"GID {gid!r} already exists", _ID_IN_USE)

    def _drop_group(self, name: str) -> None:
        for file in ("group", "gshadow"):
            self._rows[file] = [row for row in self._rows[file] if row[0] != name]

    def _move(self, old: str, new: str) -> None:
        """Rename a home, unless there is none, or something is at its new place."""
        root = self._root
        if old != new and root.is_directory(old) and root.status(root.follow(new)) is None:
            with root.at(root.follow(old)) as here, root.at(root.follow(new)) as there:
                os.rename(here.name, there.name, src_dir_fd=here.directory, dst_dir_fd=there.directory)
            root.forget()

    def _give(self, home: str, uids: dict[int, int], gids: dict[int, int]) -> None:
        """Change the owners of a home and its contents from the old ids of its user to the new ones."""
        for here, found in _tree(self._root, home):
            here.chown(uids.get(found.st_uid, -1), gids.get(found.st_gid, -1))

    def _save(self) -> None:
        for file, rows in self._rows.items():
            text = "".join(f"{':'.join(row)}\n" for row in rows)
            if text != (self._texts[file] or ""):
                self._write(file, text)

    def _write(self, file: str, text: str) -> None:
        inside = f"/etc/{file}"
        with self._root.at(inside, follow=True, parents=PARENTS) as here:
            found = here.status()
            mode = stat.S_IMODE(found.st_mode) if found else _MODES[file]
            uid, gid = (found.st_uid, found.st_gid) if found else (-1, -1)
            here.write(text.encode("utf-8", "surrogateescape"), mode=mode, uid=uid, gid=gid)


def _is_regular(name: str, row: Row) -> bool:
    return len(row) == _FIELDS[name] and all(is_id(row[position]) for position in _NUMBERS.get(name, ()))


def _ended(text: str) -> str:
    return f"{text}\n" if text and not text.endswith("\n") else text


def _tree(root: Root, inside: str) -> Iterator[tuple[Dentry, os.stat_result]]:
    """A directory and its contents, symlinks not followed; empty if there is no such directory."""
    if not root.is_directory(inside):
        return

    def below(here: Dentry) -> Iterator[tuple[Dentry, os.stat_result]]:
        found = here.status()
        if found is None:
            return
        yield here, found
        if stat.S_ISDIR(found.st_mode):
            with here.entered() as entries:
                for entry in entries:
                    yield from below(entry)

    with root.at(inside, follow=True) as top:
        yield from below(top)
