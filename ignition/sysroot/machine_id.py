"""Passes the machine ID of the initramfs on to the new root, where the first boot would otherwise generate another one.

With one ID the journal of the initramfs belongs to this machine: journald moves it to /var, where later boots still find it. The
ID is not written to /etc/machine-id, because systemd would then skip presets (docs/reference/boot.md §6.2). Of the places where
systemd looks when that file says "uninitialized", the old one of D-Bus is the only regular file.
"""

from __future__ import annotations

import os

from ignition.errors import Failure
from ignition.host import log, paths, reading
from ignition.host.root import Root

PATH = "/etc/machine-id"
KEPT = "/var/lib/dbus/machine-id"
_LIMIT = 4096  # bytes; an ID with its newline has 33
_NONE_YET = ("", "uninitialized")  # machine-id(5), "Initialization"
_DIGITS = frozenset("0123456789abcdef")


def keep(root: Root, here: str = "/", *, initrd_release: str = paths.INITRD_RELEASE) -> None:
    """Called at the end of the files stage. A convenience for readers of the journal only: it never fails a boot.

    Does nothing outside an initramfs, or for a root that already has an ID, which the config may have set.
    """
    if not os.path.exists(initrd_release):
        return
    try:
        if _first_line(root, PATH) not in _NONE_YET:
            return
        own = _first_line(Root(here), PATH)
        if len(own) != 32 or not _DIGITS.issuperset(own):
            return
        root.write(KEPT, f"{own}\n".encode(), mode=0o644)
    except (Failure, OSError) as error:
        log.warning(f"the journal of this boot keeps a machine ID of its own: {error}")


def _first_line(root: Root, inside: str) -> str:
    text = reading.read_text(root, inside, limit=_LIMIT) or ""
    return text.partition("\n")[0].strip()
