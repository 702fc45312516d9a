"""Accounts that a plan creates: with the ids, groups and homes that shadow-utils select by the settings of the planned root."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ignition.facts.document import Node
from ignition.sysroot import users
from ignition.sysroot.account_database import is_id
from ignition.sysroot.new_accounts import AccountFile, Etc, Settings

if TYPE_CHECKING:
    from ignition.host.root import Root
    from ignition.planning.overlay import Overlay
    from ignition.sysroot.new_accounts import NewUser

PASSWD, GROUP = "/etc/passwd", "/etc/group"
# Where the root has no /etc/default/useradd: as useradd of Debian is built.
_BUILT_IN = {"GROUP": "100", "HOME": "/home", "SHELL": "/bin/sh"}
_USERS = 100  # the group where a default group does not exist
_FIELDS = {PASSWD: 7, GROUP: 4}


class PlannedSettings(Settings):
    """Of a root that only the plan knows: useradd of this machine is not asked."""

    def __init__(self, root: Root) -> None:
        self.root, self.login_defs = root, users.login_defs(root)

    @cached_property
    def defaults(self) -> dict[str, str]:
        return _BUILT_IN | {name: value for name, value in users.useradd_defaults(self.root).items() if value}

    def number(self, name: str, default: int) -> int:
        """As getdef of shadow-utils: octal and hexadecimal as well, and the default for anything else."""
        text = self.login_defs.get(name, "")
        try:
            return int(text, 8 if text.startswith("0") and text.isascii() and text.isdecimal() else 0)
        except ValueError:
            return default


def create_user(user: NewUser, root: Root, overlay: Overlay) -> None:
    """A new user in the account files of the root, and its home."""
    etc = _etc(root, overlay)
    uid, gid = etc.uid_of(user), etc.gid_of(user)
    uid, gid = _last(overlay, PASSWD) if uid is None else uid, _USERS if gid is None else gid
    if etc.has_own_group(user):
        overlay.rewrite(GROUP, [*overlay.lines(GROUP), f"{user.name}:x:{gid}:"])
    shell = user.shell or etc.settings.defaults["SHELL"]
    line = ":".join([user.name, "x", str(uid), str(gid), user.gecos, etc.home_of(user), shell])
    overlay.rewrite(PASSWD, [*overlay.lines(PASSWD), line])
    for group in user.groups:
        overlay.join(user.name, group)
    home = root.follow(etc.home_of(user))
    if user.creates_home and overlay.node(home) is None:
        overlay.put(home, Node("directory", users.new_home_mode(root), uid, gid))


def create_group(name: str, gid: int | None, root: Root, overlay: Overlay, *, is_system: bool) -> None:
    """A new group in the account files of the root."""
    found = _etc(root, overlay).free_id("GID", is_system=is_system) if gid is None else gid
    overlay.rewrite(GROUP, [*overlay.lines(GROUP), f"{name}:x:{_last(overlay, GROUP) if found is None else found}:"])


def _etc(root: Root, overlay: Overlay) -> Etc:
    return Etc(PlannedSettings(root), {"passwd": _file(overlay, PASSWD), "group": _file(overlay, GROUP)})


def _file(overlay: Overlay, path: str) -> AccountFile:
    """Without malformed lines."""
    rows = (line.split(":") for line in overlay.lines(path))
    return AccountFile(None, "".join(f"{':'.join(row)}\n" for row in rows if len(row) == _FIELDS[path] and is_id(row[2])))


def _last(overlay: Overlay, path: str) -> int:
    """An id where none of the range is free: the boot fails there, by the message of shadow-utils."""
    return max(_file(overlay, path).ids, default=0) + 1
