"""SSH keys from local files, one in each line. Source: docs/reference/config-transpiler.md §B8."""

import re

from ignition.config.report import Path
from ignition.transpile.butane.local_files import NO_DIRECTORY
from ignition.transpile.butane.model import User
from ignition.transpile.butane.work import Work, mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NAME = "ssh_authorized_keys_local"


def put_in(work: Work, user: User, members: "dict[str, Any]", path: Path) -> None:
    """Append them to the user's other keys. Lines are taken as they are, comments too; empty ones are left out."""
    names = user.ssh_authorized_keys_local
    if not names:
        return
    if not work.files.are_there:
        work.error((*path, _NAME), NO_DIRECTORY, "give -d DIRECTORY; on a machine itself: write them into ssh_authorized_keys")
        return
    keys = list(members.get("ssh_authorized_keys", ()))
    for index, name in enumerate(names):
        there = (*path, _NAME, index)
        content = work.read(name, there)
        lines = re.split("\r?\n", content.decode("utf-8", "replace")) if content else []
        keys += [mark(line, there) for line in lines if line]
    members["ssh_authorized_keys"] = tuple(keys)
