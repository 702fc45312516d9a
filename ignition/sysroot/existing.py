"""Existing nodes compared with wanted ones, and the remedy for a node that is in the way."""

from __future__ import annotations

import os
import stat

from ignition.host.dentry import Dentry
from ignition.host.root import Root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.model.storage import Node


def first_missing(root: Root, inside: str) -> str:
    """The topmost missing component of a resolved path; the path itself if nothing is missing."""
    missing = inside
    parent = inside
    while parent != "/" and root.status(parent) is None:
        missing, parent = parent, os.path.dirname(parent)
    return missing


def has_attributes(found: os.stat_result, *, mode: int | None, uid: int, gid: int) -> bool:
    """Whether a node has a mode and an owner; None and -1 stand for any."""
    return (mode is None or stat.S_IMODE(found.st_mode) == mode) and uid in (-1, found.st_uid) and gid in (-1, found.st_gid)


def attributes(mode: int | None, uid: int, gid: int, node: Node | None = None) -> dict[str, Any]:
    """Mode and owner as members of an operation.Left, without None and -1.

    The owners that `node` names are there by name as well.
    """
    members: dict[str, Any] = {} if mode is None else {"mode": f"{mode:04o}"}
    if uid != -1:
        members["uid"] = uid
    if gid != -1:
        members["gid"] = gid
    if node is not None:
        if node.user.name and node.user.id is None:
            members["user"] = node.user.name
        if node.group.name and node.group.id is None:
            members["group"] = node.group.name
    return members


def attributes_of(found: os.stat_result, node: Node | None = None) -> dict[str, Any]:
    """As `attributes`, of an existing node."""
    return attributes(stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid, node)


def remedy(here: Dentry, found: os.stat_result, path: str) -> str:
    """The advice about a node that is in the way where `overwrite` is not set. It names every loss that following it would cause.

    `path`: the path in the config. At a symlink, `overwrite` would detach the whole tree behind it: on many images /home is one.
    """
    if stat.S_ISLNK(found.st_mode):
        target = here.readlink()
        there = os.path.normpath(os.path.join(os.path.dirname(path), target))
        return f"name {there}, which the symlink {path} leads to; overwrite would replace the symlink itself"
    if stat.S_ISDIR(found.st_mode) and here.names():
        return "choose another path; overwrite would remove the directory with all its contents"
    return "set overwrite, or choose another path"
