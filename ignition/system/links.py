"""The operations that put symlinks and hard links (spec path: storage.links[])."""

import os
import stat
from contextlib import suppress

from ignition.config.model.storage import Link
from ignition.errors import Failure
from ignition.operation import Context, Operation
from ignition.system.account_database import AccountDatabase
from ignition.system.attempt import Attempt
from ignition.system.entry import Entry
from ignition.system.existing import make_parents, remove, status


class PutSymlink(Operation):
    """Creates a symlink. One with the same target stays as it is, its owner, too; anything else there needs `overwrite`."""

    kind = "make-symlink"

    def __init__(self, entry: Entry, node: Link, accounts: AccountDatabase, attempt: Attempt) -> None:
        self.path = node.path
        self._entry, self._node, self._accounts = entry, node, accounts
        self._target = node.target or ""
        self._may_replace = bool(node.overwrite) or entry.key in attempt.made

    def describe(self) -> str:
        return f"create symlink {self.path} to {self._target}"

    def already_there(self, context: Context) -> bool:
        outside = context.root.outside(self._entry.resolved)
        found = status(outside)
        if found is None or not stat.S_ISLNK(found.st_mode):
            return False
        if self._may_replace and os.readlink(outside) != self._target:
            return False
        return os.path.normpath(os.readlink(outside)) == os.path.normpath(self._target)

    def execute(self, context: Context) -> None:
        outside = context.root.outside(self._entry.resolved)
        found = status(outside)
        if found is not None and not self._may_replace:
            raise _occupied(self.path, self._entry.place)
        place, node = self._entry.place, self._node
        uid, gid = self._accounts.uid(node.user, f"{place}.user"), self._accounts.gid(node.group, f"{place}.group")
        if found is not None and stat.S_ISDIR(found.st_mode):
            remove(outside, found)
        make_parents(outside)
        _appear(outside, lambda temporary: _symlink(self._target, temporary, uid, gid))
        context.root.forget()


class PutHardLink(Operation):
    """Creates a hard link; owner and mode stay those of the file."""

    kind = "make-hard-link"

    def __init__(self, entry: Entry, node: Link, attempt: Attempt) -> None:
        self.path = node.path
        self._entry, self._target = entry, node.target or ""
        self._may_replace = bool(node.overwrite) or entry.key in attempt.made

    def describe(self) -> str:
        return f"create hard link {self.path} to {self._target}"

    def already_there(self, context: Context) -> bool:
        found = status(context.root.outside(self._entry.resolved))
        source = status(context.root.locate(self._target))
        return found is not None and source is not None and os.path.samestat(found, source)

    def execute(self, context: Context) -> None:
        outside, source = context.root.outside(self._entry.resolved), context.root.locate(self._target)
        found = status(outside)
        if status(source) is None:
            raise Failure(f"there is no {self._target} to link {self.path} to", where=f"{self._entry.place}.target")
        if found is not None and not self._may_replace:
            raise _occupied(self.path, self._entry.place)
        if found is not None and stat.S_ISDIR(found.st_mode):
            remove(outside, found)
        make_parents(outside)
        _appear(outside, lambda temporary: os.link(source, temporary, follow_symlinks=False))


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def _appear(outside: str, make: "Callable[[str], None]") -> None:
    temporary = os.path.join(os.path.dirname(outside), f".ignition-{os.getpid()}-0")
    with suppress(FileNotFoundError):
        os.unlink(temporary)
    try:
        make(temporary)
        os.rename(temporary, outside)
    finally:
        with suppress(FileNotFoundError):  # rename of two names of one inode does nothing: rename(2)
            os.unlink(temporary)


def _symlink(target: str, path: str, uid: int, gid: int) -> None:
    os.symlink(target, path)
    if (uid, gid) != (-1, -1):
        os.chown(path, uid, gid, follow_symlinks=False)


def _occupied(path: str, place: str) -> Failure:
    return Failure(f"{path} exists already", where=place, fix="set overwrite, or choose another path")
