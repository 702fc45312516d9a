"""Which things `ignition verify` does not look at: a list of its own, the machine's, and that of the command line.

A pattern is a path or a glob (fnmatch(3), where `*` matches slashes as well), and covers everything below it. `KIND:NAME` stands
for all others: `unit:docker.service`, `user:*`, `partition:/dev/vdb*`, `kernel argument:quiet`.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from ignition.host.reading import lines, read_text
from ignition.host.root import Root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.operation import Left

OF_PATHS = ("file", "directory", "link", "hard link", "SSH keys")
FILE = "/etc/ignition/verify.ignore"
# Emptied at each boot, or changed by the system itself in the course of its work.
DEFAULT = (
    "/dev",
    "/proc",
    "/run",
    "/sys",
    "/tmp",  # noqa: S108  a path to leave out, not to write to
    "/var/cache",
    "/var/log",
    "/var/tmp",  # noqa: S108  as well
    "/etc/.updated",
    "/etc/adjtime",
    "/etc/ld.so.cache",
    "/etc/machine-id",
    "/etc/mtab",
    "/etc/resolv.conf",
    "/var/.updated",
    "/var/lib/dbus/machine-id",
    "/var/lib/systemd/random-seed",
)


def of_machine(root: Root) -> tuple[str, ...]:
    """The patterns in the machine's file, one on a line; a line that begins with # is a comment."""
    found = (line.strip() for line in lines(read_text(root, FILE) or ""))
    return tuple(line for line in found if line and not line.startswith("#"))


def covers(patterns: Iterable[str], left: Left) -> bool:
    """Whether a thing is ignored."""
    names = [f"{left.kind}:{left.name}"]
    path = left.name if left.kind in OF_PATHS else ""  # the file system on /dev/vdb1 does not lie below /dev
    while path.strip("/"):
        names.append(path)
        path = path.rpartition("/")[0]
    return any(fnmatchcase(name, pattern.rstrip("/")) for pattern in patterns for name in names)
