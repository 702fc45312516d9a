"""Hands the machine id of the initramfs to the new root, where the first boot would make another one.

With one id the journal of the initramfs is the journal of this machine: journald moves it to /var, and it is there after the next
boot, too. Not written to /etc/machine-id, because then systemd would not apply presets (docs/reference/boot.md §6.2): of the
places where systemd looks when that file says "uninitialized", D-Bus' old one is the only one that is a file.
"""

from __future__ import annotations

import os

from ignition.errors import Failure
from ignition.host import log, paths, reading
from ignition.host.root import Root

PATH = "/etc/machine-id"
KEPT = "/var/lib/dbus/machine-id"
_LIMIT = 4096  # bytes; an id has 33 with its line end
_NONE_YET = ("", "uninitialized")  # machine-id(5), "Initialization"
_DIGITS = frozenset("0123456789abcdef")


def keep(root: Root, here: str = "/", *, initrd_release: str = paths.INITRD_RELEASE) -> None:
    """Called at the end of the files stage. Only a convenience for the reader of the journal: it never fails a machine.

    Does nothing outside an initramfs, or for a root with an id of its own, which a config may have set.
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
        log.warning(f"the journal of this boot keeps an id of its own: {error}")


def _first_line(root: Root, inside: str) -> str:
    text = reading.read_text(root, inside, limit=_LIMIT) or ""
    return text.partition("\n")[0].strip()
