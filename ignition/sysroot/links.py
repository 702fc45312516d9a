"""The operations that create symlinks and hard links (spec path: storage.links[])."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from ignition.config.model.storage import Link
from ignition.errors import Failure
from ignition.host.dentry import Dentry
from ignition.host.root import PARENTS, Root
from ignition.operation import Context, Left, Operation
from ignition.sysroot.account_database import AccountDatabase
from ignition.sysroot.attempt import Attempt, Entry
from ignition.sysroot.existing import remedy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class PutSymlink(Operation):
    """Creates a symlink. One with the same target stays unchanged, owner included; any other node needs `overwrite`."""

    kind = "make-symlink"

    def __init__(self, entry: Entry, node: Link, accounts: AccountDatabase, attempt: Attempt) -> None:
        self.path, self.place = node.path, entry.place
        self._entry, self._node, self._accounts, self._attempt = entry, node, accounts, attempt
        self._target = node.target or ""

    def describe(self) -> str:
        return f"create symlink {self.path} to {self._target}"

    def already_there(self, context: Context) -> bool:
        try:
            with context.root.at(self._entry.resolved) as here:
                found = here.status()
                if found is None or not stat.S_ISLNK(found.st_mode):
                    return False
                target = here.readlink()
        except (FileNotFoundError, NotADirectoryError):
            return False  # its directory is missing
        if self._attempt.may_replace(self._entry) and target != self._target:
            return False  # with overwrite the spelling of the target counts: `a//b` becomes `a/b`
        return os.path.normpath(target) == os.path.normpath(self._target)

    def check(self, context: Context) -> None:
        self._owner()
        with suppress(FileNotFoundError), context.root.at(self._entry.resolved) as here:
            if not self.already_there(context):
                _make_way(here, self.path, self._entry.place, may_replace=self._attempt.may_replace(self._entry))

    def execute(self, context: Context) -> None:
        uid, gid = self._owner()
        with context.root.at(self._entry.resolved, parents=PARENTS) as here:
            _make_way(here, self.path, self._entry.place, may_replace=self._attempt.may_replace(self._entry))
            here.symlink(self._target, uid=uid, gid=gid)
        context.root.forget()

    def _owner(self) -> tuple[int, int]:
        place, node = self._entry.place, self._node
        return self._accounts.uid(node.user, f"{place}.user"), self._accounts.gid(node.group, f"{place}.group")

    def leaves(self, context: Context) -> Iterator[Left]:
        # Not the owner: one of an existing link stays, and means nothing.
        yield Left("link", self.path, {"target": os.path.normpath(self._target)}, place=self.place)


class PutHardLink(Operation):
    """Creates a hard link; owner and mode stay those of the file."""

    kind = "make-hard-link"

    def __init__(self, entry: Entry, node: Link, attempt: Attempt) -> None:
        self.path, self.place = node.path, entry.place
        self._entry, self._attempt, self._target = entry, attempt, node.target or ""

    def describe(self) -> str:
        return f"create hard link {self.path} to {self._target}"

    def already_there(self, context: Context) -> bool:
        found, source = context.root.status(self._entry.resolved), context.root.status(self._target)
        return found is not None and source is not None and os.path.samestat(found, source)

    def check(self, context: Context) -> None:
        self._refuse_missing_target(context.root)
        with suppress(FileNotFoundError), context.root.at(self._entry.resolved) as here:
            if not self.already_there(context):
                _make_way(here, self.path, self._entry.place, may_replace=self._attempt.may_replace(self._entry))

    def _refuse_missing_target(self, root: Root) -> None:
        if root.status(self._target) is None:
            what = f"{self._target}, the target of {self.path}, does not exist"
            raise Failure(what, where=f"{self._entry.place}.target", lasting=True)

    def execute(self, context: Context) -> None:
        root, place = context.root, self._entry.place
        self._refuse_missing_target(root)
        with root.at(self._target) as source, root.at(self._entry.resolved, parents=PARENTS) as here:
            _make_way(here, self.path, place, may_replace=self._attempt.may_replace(self._entry))
            here.link(source)

    def leaves(self, context: Context) -> Iterator[Left]:
        yield Left("hard link", self.path, {"target": self._target}, place=self.place)


def _make_way(here: Dentry, path: str, place: str, *, may_replace: bool) -> None:
    """Remove a directory; any other node is replaced in one step later. Raises Failure for a node that must not be replaced."""
    found = here.status()
    if found is not None and not may_replace:
        # Unlike files and directories, a link may well replace a symlink: that is what overwrite is for.
        fix = "set overwrite, or choose another path" if stat.S_ISLNK(found.st_mode) else remedy(here, found, path)
        raise Failure(f"{path} already exists", where=place, fix=fix, lasting=True)
    if found is not None and stat.S_ISDIR(found.st_mode):
        here.remove()
