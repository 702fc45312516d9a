"""The first-boot flag in the boot directory, and the notes beside it, on a running system: `status` reads, `reset` sets it.

During a first boot a shell script handles them: dracut/35coreos-ignition/esp, which explains their contents.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from ignition.errors import Failure
from ignition.host import boot_directory, first_boot_attempts, mounts
from ignition.host.reading import read_text
from ignition.host.root import Root
from ignition.host.temporary_mount import mounted_to_read

FLAGS = ("/coreos/first_boot", "/flatcar/first_boot")
MARK = "/coreos/first_boot.in-progress"
COUNT = "/coreos/failed-boots"
NOTES = (MARK, COUNT, *first_boot_attempts.BESIDE_FLAG)  # of earlier attempts
LOADER = "/loader"  # with systemd-boot, whose entries contain FIRST_BOOT while the flag is set
FIRST_BOOT = "coreos.first_boot=detected"
BEGUN = "begun"  # the note that disks may have been changed
_MOST = 4096  # bytes of the mark and of the count


class FirstBootFlag:
    """`flag`: its path on the partition, "" if the next boot is an ordinary one.

    `digest` and `notes` are those of an attempt that is not complete, and `failures` counts how often its config was at fault.
    `attempts` are the records of those that failed, the oldest first. `marked`: such notes exist, whatever they contain.
    `with_loader`: the flag counts together with an argument in the entries of systemd-boot. `is_flatcar`: the boot loader looks
    for Flatcar's flag.
    """

    def __init__(
        self,
        flag: str = "",
        *,
        marked: bool = False,
        digest: str = "",
        notes: tuple[str, ...] = (),
        failures: int = 0,
        attempts: tuple[first_boot_attempts.FailedAttempt, ...] = (),
        with_loader: bool = False,
        is_flatcar: bool = False,
    ) -> None:
        self.flag, self.marked, self.digest, self.notes = flag, marked, digest, notes
        self.failures, self.with_loader, self.is_flatcar, self.attempts = failures, with_loader, is_flatcar, attempts

    @property
    def has_begun(self) -> bool:
        """Whether a first boot has begun and is not complete. A mark without a flag is a leftover."""
        return bool(self.flag) and self.marked


def partition() -> str:
    """The node of the device with the boot directory; "" if the machine does not have it. Raises Failure."""
    return boot_directory.find().node()


@contextmanager
def opened(node: str) -> Iterator[str]:
    """The boot directory, to read: where its device is mounted, otherwise on a mount for the block. Raises Failure."""
    present, inside = _mounted(node), boot_directory.find().inside
    if present:
        yield present + inside
    elif os.geteuid() != 0:
        raise Failure("it is not mounted, and only root can mount it", where=node)
    else:
        with mounted_to_read(node) as directory:
            yield directory + inside


def read(directory: str) -> FirstBootFlag:
    """The flag in a boot directory. Raises Failure."""
    top = Root(directory, leaving_is_an_error=True)
    try:
        flag = next((name for name in FLAGS if top.status(name) is not None), "")
        marked, with_loader = top.status(MARK) is not None, top.is_directory(LOADER)
    except OSError as error:
        raise Failure(f"it cannot be read: {error.strerror}", where=directory) from error
    digest, *notes = (read_text(top, MARK, limit=_MOST) or "").split("\n")
    times = (read_text(top, COUNT, limit=_MOST) or "").partition("\n")[0].rpartition(" ")[2]
    return FirstBootFlag(
        flag,
        marked=marked,
        digest=digest,
        notes=tuple(filter(None, notes)),
        failures=int(times) if times.isascii() and times.isdigit() else 0,
        attempts=tuple(first_boot_attempts.read(top)),
        with_loader=with_loader,
        is_flatcar=top.is_directory("/flatcar") and not top.is_directory("/coreos"),
    )


def _mounted(node: str) -> str:
    """Where the device is mounted as a whole; "" if it is not."""
    number = os.stat(node).st_rdev
    for one in mounts.current():
        # A bind mount of one of its directories has the same device.
        if one.device == (os.major(number), os.minor(number)) and one.inside == "/":
            return one.target.rstrip("/")
    return ""
