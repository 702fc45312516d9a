"""SELinux labels of what was written: only for a root that has a policy, and only if setfiles is there to set them.

Source: reference, ignition-config.md 7.10. Ignition makes a root without a policy an error; most distributions have none, and
there the labels mean nothing.
"""

import os
import re

from ignition.errors import Failure
from ignition.host import command
from ignition.host.reading import lines, open_inside, read_text
from ignition.host.root import Root

_CONFIG = "/etc/selinux/config"
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")  # a directory of its own below /etc/selinux


def policy(root: Root, search: str = command.ENVIRONMENT["PATH"]) -> str:
    """Name of the root's policy (`SELINUXTYPE=`), "" if there is none, or no setfiles on the search path to apply it."""
    text = read_text(root, _CONFIG) or ""
    names = [line.partition("=")[2].strip() for line in lines(text) if line.strip().startswith("SELINUXTYPE=")]
    if not names:
        return ""
    if not _NAME.fullmatch(names[-1]):
        raise Failure(f"SELINUXTYPE={names[-1]!r} is not the name of a policy", where=_CONFIG, fix="correct it in the image")
    return names[-1] if _has_setfiles(search) else ""


def relabel(root: Root, name: str, wanted: list[str], program: str = "setfiles") -> None:
    """Set the labels of paths of the root and of all below them; what does not exist is passed over."""
    present = [root.locate(path) for path in wanted if root.status(path) is not None]
    if not present:
        return
    inside = f"/etc/selinux/{name}/contexts/files/file_contexts"
    open_inside(root, inside, where=inside).close()  # setfiles would wait for a FIFO for ever
    contexts = root.outside(root.follow(inside))
    argv = [program, "-vF0", "-r", root.path or "/", contexts, "-f", "-"]
    command.run(argv, why="set the SELinux labels", stdin="\0".join(present) + "\0")


def _has_setfiles(search: str) -> bool:
    return any(os.access(f"{directory}/setfiles", os.X_OK) for directory in search.split(":"))
