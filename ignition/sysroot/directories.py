"""The operation that creates one directory (spec path: storage.directories[])."""

from __future__ import annotations

import stat
from contextlib import suppress

from ignition.config.model.storage import Directory
from ignition.errors import Failure
from ignition.host.dentry import PARENT_MODE, Dentry
from ignition.host.root import PARENTS, Parents
from ignition.operation import Context, Left, Operation
from ignition.sysroot.account_database import AccountDatabase
from ignition.sysroot.attempt import Entry
from ignition.sysroot.existing import attributes, attributes_of, has_attributes, remedy

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterator


class PutDirectory(Operation):
    """Creates a directory, or changes owner and mode of an existing one; with `overwrite` that one is removed first."""

    kind = "make-directory"

    def __init__(self, entry: Entry, node: Directory, accounts: AccountDatabase) -> None:
        self.path, self.place = node.path, entry.place
        self._entry, self._node, self._accounts = entry, node, accounts
        self._found: os.stat_result | None = None  # the directory as this operation left it

    def describe(self) -> str:
        return f"create directory {self.path}"

    def already_there(self, context: Context) -> bool:
        try:
            with context.root.at(self._entry.resolved) as here:
                found = here.status()
                if found is None or not stat.S_ISDIR(found.st_mode) or (self._node.overwrite and here.names()):
                    return False
        except (FileNotFoundError, NotADirectoryError):
            return False  # the directory above is missing
        uid, gid = self._owner()
        self._found = found if has_attributes(found, mode=self._node.mode, uid=uid, gid=gid) else None
        return self._found is not None

    def check(self, context: Context) -> None:
        self._owner()
        with suppress(FileNotFoundError), context.root.at(self._entry.resolved) as here:
            if not self._node.overwrite and (found := here.status()):
                self._refuse_other_kind(here, found)

    def _refuse_other_kind(self, here: Dentry, found: os.stat_result) -> None:
        if not stat.S_ISDIR(found.st_mode):
            raise Failure(
                f"{self.path} exists and is not a directory",
                where=self._entry.place,
                fix=remedy(here, found, self.path),
                lasting=True,
            )

    def execute(self, context: Context) -> None:
        node, (uid, gid) = self._node, self._owner()
        # `parents_alike` is of 2.x, whose engine creates missing parents like the directory itself.
        alike = Parents(PARENT_MODE if node.mode is None else node.mode, uid, gid) if node.parents_alike else PARENTS
        with context.root.at(self._entry.resolved, parents=alike) as here:
            found = here.status()
            if found is not None and node.overwrite:
                here.remove()
                context.root.forget()  # the path may have led through a symlink
                found = None
            if found is None:
                here.mkdir()
            else:
                self._refuse_other_kind(here, found)
            here.set_attributes(mode=node.mode, uid=uid, gid=gid)
            self._found = here.status()

    def leaves(self, context: Context) -> Iterator[Left]:
        found, node = self._found, self._node
        owned = attributes(node.mode, *self._owner(), node) if found is None else attributes_of(found, node)
        yield Left("directory", self.path, owned, place=self.place)

    def _owner(self) -> tuple[int, int]:
        place = self._entry.place
        return self._accounts.uid(self._node.user, f"{place}.user"), self._accounts.gid(self._node.group, f"{place}.group")
