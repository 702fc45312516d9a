"""Writes new users, groups and passwords into the files of a root: what they get there is decided by new_accounts.

Sources: shadow 4.13 and 4.17, lib/commonio.c; lckpwdf(3).
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain

from ignition.host.limits import SYSTEM_FILE
from ignition.host.root import Root
from ignition.sysroot.new_accounts import (
    LOCK,
    ORDER,
    AccountFile,
    Etc,
    NewUser,
    Settings,
    encoded,
    group_texts,
    password_texts,
    reason_for_chpasswd,
    reason_for_groupadd,
    reason_for_useradd,
    reason_of_file,
    user_texts,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.sysroot.new_accounts import Texts


class DirectAccounts:
    """Writes new accounts of one root, or says why it leaves them to shadow-utils.

    The settings are read once; files of accounts are read again when something else has changed them.
    """

    def __init__(self, root: Root) -> None:
        self._root = root
        self._files: dict[str, AccountFile] = {}
        self.created: set[str] = set()  # names of users

    @cached_property
    def _settings(self) -> Settings:
        return Settings(self._root)

    def create_user(self, user: NewUser, following: Iterable[NewUser] = ()) -> str:
        """Create a user without its home. Returns the reason why that is left to useradd; "" if the user exists now.

        Of the `following` users those up to the first that is left to useradd are created in the same step: each file of accounts
        is replaced once, with the backup that the last of them would have made. Their homes must not affect each other.
        """
        etc = self._etc()
        changed: dict[str, tuple[str, str]] = {}
        names = set()
        for one in chain([user], following):
            if reason := reason_for_useradd(one, etc):
                if one is user:
                    return reason
                break
            texts = user_texts(one, etc)
            changed |= {name: (etc.files[name].text or "", text) for name, text in texts.items()}
            etc = Etc(self._settings, etc.files | {name: etc.files[name].changed(text) for name, text in texts.items()})
            names.add(one.name)
        self._write(changed)
        self.created |= names
        return ""

    def create_group(self, name: str, gid: int | None, *, is_system: bool) -> str:
        """As `create_user`, for a group."""
        etc = self._etc()
        reason = reason_for_groupadd(name, gid, etc, is_system=is_system)
        if not reason:
            self._write(_after_present(group_texts(name, gid, etc, is_system=is_system), etc))
        return reason

    def set_passwords(self, wanted: Sequence[tuple[str, str]]) -> str:
        """As `create_user`, for the passwords of these (user, crypt string)."""
        etc = self._etc()
        reason = reason_for_chpasswd(wanted, etc)
        if not reason:
            self._write(_after_present(password_texts(wanted, etc), etc))
        return reason

    def _etc(self) -> Etc:
        for name in ORDER:
            known = self._files.get(name)
            if known is None or not known.is_still(self._root.status(f"/etc/{name}")):
                self._files[name] = file = _read(self._root, name)
                file.reason = reason_of_file(name, file, self._root)
        return Etc(self._settings, self._files)

    def _write(self, texts: dict[str, tuple[str, str]]) -> None:
        """Replace files as shadow-utils does: each in one step and on disk, after a backup of its last version (`passwd-`).

        `texts`: file → the last version, and the new one.
        """
        with self._root.at(f"/etc/{LOCK}") as lock:
            if lock.status() is None:
                # Nothing needs a lock in a root that is not running; useradd leaves this file behind.
                os.close(lock.open(os.O_WRONLY | os.O_CREAT, 0o600))
            for name in filter(texts.__contains__, ORDER):
                (last, text), before = texts[name], self._files[name]
                assert before.status is not None  # noqa: S101  a missing file is a reason to leave it to useradd
                owner = {"mode": before.status.st_mode & 0o664, "uid": before.status.st_uid, "gid": before.status.st_gid}
                here, backup = (lock.beside(one) for one in (name, f"{name}-"))
                # On disk with the rest at the end of the stage: no attempt after a power cut needs a backup.
                backup.write(encoded(last), **owner, sync=False)
                # In seconds; a version that was never on disk by itself would have the time of now.
                times = (before.status.st_atime, before.status.st_mtime) if last == before.text else (time.time(), time.time())
                backup.set_times(int(times[0]) * 10**9, int(times[1]) * 10**9)
                here.write(encoded(text), **owner, sync=True)
                self._files[name] = AccountFile(here.status(), text)


def _after_present(texts: Texts, etc: Etc) -> dict[str, tuple[str, str]]:
    return {name: (etc.files[name].text or "", text) for name, text in texts.items()}


def _read(root: Root, name: str) -> AccountFile:
    try:
        with root.at(f"/etc/{name}") as here:
            found = here.status()
            if found is None or not stat.S_ISREG(found.st_mode):
                return AccountFile(found, None)
            with here.open_regular(found) as file:
                return AccountFile(found, file.read(SYSTEM_FILE).decode("utf-8", "surrogateescape"))
    except (FileNotFoundError, NotADirectoryError):
        return AccountFile(None, None)
