"""Notes beside the first-boot flag on EFI-SYSTEM: the steps that an earlier, interrupted attempt of the same config completed.

A shell script maintains the mark itself (dracut/35coreos-ignition/esp), and copies the notes to where this module reads them.
Without a flag (PXE, `coreos.first_boot=1`) there is no mark, and nothing is noted.
"""

from __future__ import annotations

import os

from ignition.host import paths
from ignition.host.command import run

EARLIER = "/run/ignition/earlier"
RECORD = "failed-attempt."
FAILURES = "/run/ignition/earlier-failures"
PROGRAM = "/usr/lib/coreos-ignition/esp"
DISKS_DONE = "disks-done"  # all changes of the disks stage are on disk
ROOT_IN_MEMORY = "root-in-memory"  # the contents of ROOT are nowhere else


def earlier(path: str = EARLIER) -> frozenset[str]:
    """The notes of the previous attempt; empty if there was none, or if it had another config."""
    try:
        with open(path, encoding="utf-8") as file:
            return frozenset(file.read().split())
    except FileNotFoundError:
        return frozenset()


def earlier_failures(path: str = FAILURES) -> int:
    """How often the first boot of this machine has failed because of one config; 0 if it has not."""
    try:
        with open(path, encoding="ascii") as file:
            _, times = file.read(128).split()
            return int(times) if times.isascii() and times.isdigit() else 0
    except (OSError, ValueError):
        return 0


def failed_attempts(directory: str = paths.RUN) -> list[dict[str, object]]:
    """The records of earlier attempts that failed, the oldest first; most machines do not have any, and load nothing for them."""
    if not os.path.isdir(directory) or not any(name.startswith(RECORD) for name in os.listdir(directory)):
        return []
    from ignition.host import first_boot_attempts

    return [one.plain() for one in first_boot_attempts.of_boot(directory)]


def note(word: str) -> None:
    """Write one note, and sync it. Raises CommandFailed."""
    if os.path.exists(PROGRAM):
        run([PROGRAM, "note", word], why=f"noting {word} beside the first-boot flag")
