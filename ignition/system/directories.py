"""The operation that puts one directory (spec path: storage.directories[])."""

import os
import stat

from ignition.config.model.storage import Directory
from ignition.errors import Failure
from ignition.operation import Context, Operation
from ignition.system.account_database import AccountDatabase
from ignition.system.entry import Entry
from ignition.system.existing import PARENT_MODE, has_attributes, make_parents, remove, status


class PutDirectory(Operation):
    """Creates a directory or changes owner and mode of an existing one, which `overwrite` empties first."""

    kind = "make-directory"

    def __init__(self, entry: Entry, node: Directory, accounts: AccountDatabase) -> None:
        self.path = node.path
        self._entry, self._node, self._accounts = entry, node, accounts

    def describe(self) -> str:
        return f"create directory {self.path}"

    def already_there(self, context: Context) -> bool:
        outside = context.root.outside(self._entry.resolved)
        found = status(outside)
        if found is None or not stat.S_ISDIR(found.st_mode):
            return False
        if self._node.overwrite and os.listdir(outside):
            return False
        uid, gid = self._owner()
        return has_attributes(found, mode=self._node.mode, uid=uid, gid=gid)

    def execute(self, context: Context) -> None:
        node, outside = self._node, context.root.outside(self._entry.resolved)
        uid, gid = self._owner()
        found = status(outside)
        if found is not None and node.overwrite:
            remove(outside, found)
            context.root.forget()
            found = None
        if found is None:
            self._create(outside, uid, gid)
        elif not stat.S_ISDIR(found.st_mode):
            raise Failure(
                f"{self.path} exists and is not a directory", where=self._entry.place, fix="set overwrite, or choose another path"
            )
        if (uid, gid) != (-1, -1):
            os.chown(outside, uid, gid)
        if node.mode is not None:
            os.chmod(outside, node.mode)

    def _create(self, outside: str, uid: int, gid: int) -> None:
        if self._node.parents_alike:
            mode = PARENT_MODE if self._node.mode is None else self._node.mode
            make_parents(outside, mode=mode, uid=uid, gid=gid)
        else:
            make_parents(outside)
        os.mkdir(outside, PARENT_MODE)

    def _owner(self) -> tuple[int, int]:
        place = self._entry.place
        return self._accounts.uid(self._node.user, f"{place}.user"), self._accounts.gid(self._node.group, f"{place}.group")
