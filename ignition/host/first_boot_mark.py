"""Notes beside the first-boot flag on EFI-SYSTEM: what an earlier, interrupted attempt of the same config got done.

The mark itself is the shell's (dracut/35coreos-ignition/esp), which copies the notes to where this module reads them. Without a
flag (PXE, `coreos.first_boot=1`) there is no mark, and then nothing is noted.
"""

from __future__ import annotations

import os

from ignition.host.command import run

EARLIER = "/run/ignition/earlier"
PROGRAM = "/usr/lib/coreos-ignition/esp"
DISKS_DONE = "disks-done"  # all of the disks stage is on disk
ROOT_IN_MEMORY = "root-in-memory"  # what ROOT held is nowhere else


def earlier(path: str = EARLIER) -> frozenset[str]:
    """The notes of the attempt before; empty if there was none, or one with another config."""
    try:
        with open(path, encoding="utf-8") as file:
            return frozenset(file.read().split())
    except FileNotFoundError:
        return frozenset()


def note(word: str) -> None:
    """Write one note, synced. Raises CommandFailed."""
    if os.path.exists(PROGRAM):
        run([PROGRAM, "note", word], why=f"noting {word} beside the first-boot flag")
