"""SELinux labels of what was written: only for a root that has a policy, and only if setfiles is there to set them.

Source: reference, ignition-config.md 7.10. Ignition makes a root without a policy an error; most distributions have none, and
there the labels mean nothing.
"""

import os

from ignition.host import command
from ignition.host.root import Root

_CONFIG = "/etc/selinux/config"


def policy(root: Root, search: str = command.ENVIRONMENT["PATH"]) -> str:
    """Name of the root's policy (`SELINUXTYPE=`), "" if there is none, or no setfiles on the search path to apply it."""
    try:
        with open(root.outside(root.follow(_CONFIG)), encoding="utf-8", errors="replace") as file:
            names = [line.partition("=")[2].strip() for line in file if line.strip().startswith("SELINUXTYPE=")]
    except OSError:
        return ""
    return names[-1] if names and _has_setfiles(search) else ""


def relabel(root: Root, name: str, wanted: list[str], program: str = "setfiles") -> None:
    """Set the labels of paths of the root and of all below them; what does not exist is passed over."""
    present = [root.locate(path) for path in wanted if os.path.lexists(root.locate(path))]
    if not present:
        return
    contexts = root.outside(f"/etc/selinux/{name}/contexts/files/file_contexts")
    argv = [program, "-vF0", "-r", root.path or "/", contexts, "-f", "-"]
    command.run(argv, why="set the SELinux labels", stdin="\0".join(present) + "\0")


def _has_setfiles(search: str) -> bool:
    return any(os.access(f"{directory}/setfiles", os.X_OK) for directory in search.split(":"))
