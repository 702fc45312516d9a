"""What stands at a path already, compared with what is wanted."""

import os
import stat

from ignition.host.root import Root


def first_missing(root: Root, inside: str) -> str:
    """The topmost component of a resolved path that is not there yet; the path itself if all are."""
    missing = inside
    parent = inside
    while parent != "/" and root.status(parent) is None:
        missing, parent = parent, os.path.dirname(parent)
    return missing


def has_attributes(found: os.stat_result, *, mode: int | None, uid: int, gid: int) -> bool:
    """Whether a node has a mode and an owner; None and -1 stand for any."""
    return (mode is None or stat.S_IMODE(found.st_mode) == mode) and uid in (-1, found.st_uid) and gid in (-1, found.st_gid)
