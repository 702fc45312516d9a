"""What stands at a path already: looked at without following symlinks, removed, or given parents."""

import os
import stat
from errno import ENOTDIR

from ignition.host.root import Root

PARENT_MODE = 0o755


def status(outside: str) -> os.stat_result | None:
    """lstat, or None where nothing is (a missing or non-directory parent included)."""
    try:
        return os.lstat(outside)
    except (FileNotFoundError, NotADirectoryError):
        return None


def remove(outside: str, found: os.stat_result | None) -> None:
    """Remove a node, a directory with all that is in it; symlinks are never followed."""
    if found is None:
        return
    if stat.S_ISDIR(found.st_mode):
        import shutil  # 15 ms, and few configs remove a directory

        shutil.rmtree(outside)
    else:
        os.unlink(outside)


def make_parents(outside: str, *, mode: int = PARENT_MODE, uid: int = -1, gid: int = -1) -> list[str]:
    """Create the missing directories above a path and return them, top first. Safe beside other threads doing the same."""
    missing: list[str] = []
    parent = os.path.dirname(outside)
    while not os.path.isdir(parent):
        missing.append(parent)
        parent = os.path.dirname(parent)
    made = [directory for directory in reversed(missing) if _make(directory)]
    for directory in made:
        if (uid, gid) != (-1, -1):
            os.chown(directory, uid, gid)
        if mode != PARENT_MODE:
            os.chmod(directory, mode)
    return made


def first_missing(root: Root, inside: str) -> str:
    """The topmost component of a resolved path that is not there yet; the path itself if all are."""
    missing = inside
    parent = inside
    while parent != "/" and status(root.outside(parent)) is None:
        missing, parent = parent, os.path.dirname(parent)
    return missing


def has_attributes(found: os.stat_result, *, mode: int | None, uid: int, gid: int) -> bool:
    """Whether a node has a mode and an owner; None and -1 stand for any."""
    return (mode is None or stat.S_IMODE(found.st_mode) == mode) and uid in (-1, found.st_uid) and gid in (-1, found.st_gid)


def _make(directory: str) -> bool:
    try:
        os.mkdir(directory, PARENT_MODE)
    except FileExistsError as error:
        if not os.path.isdir(directory):
            raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR), directory) from error
        return False  # another thread was faster
    return True
