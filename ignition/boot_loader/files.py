"""The files of the boot loaders on mounted partitions: finding, planning and writing them.

All new texts are computed before the first one is written: a request that one file cannot meet changes none of them.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator

from ignition.boot_loader import bls, grub
from ignition.boot_loader.replace import replace
from ignition.errors import Failure, at
from ignition.host.limits import MIB
from ignition.host.reading import read_text
from ignition.host.root import Root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.boot_loader.kernel_arguments import Wanted

GRUB_CONFIG, GRUB_KARGS = "/grub/grub.cfg", "/coreos/kargs.cfg"
ENTRIES = "/loader/entries"
_EVAL = "eval "  # with it grub.cfg reads the arguments as a script; GRUB 2.06 does not see the quotes in a variable otherwise
LARGEST = MIB  # bytes; these files have a few hundred


class Edit:
    """One file of a partition with its present text ("" if it does not exist) and the wanted one.

    `name` is its path on the partition, in messages as well: /coreos/kargs.cfg.
    """

    def __init__(self, partition: Root, name: str, before: str, after: str) -> None:
        self.partition, self.name, self.before, self.after = partition, name, before, after

    def needed(self) -> bool:
        """Whether the file differs from the wanted text."""
        return self.before != self.after

    def write(self) -> None:
        """Replace the file. Raises Failure."""
        try:
            with self.partition.at(self.name) as here:
                replace(here, self.after.encode(errors="surrogateescape"))
        except OSError as error:
            fix = "is its file system full, damaged or read-only?"
            raise Failure(f"cannot be written: {error.strerror}", where=self.name, fix=fix) from error


def plan(directories: Iterable[str], wanted: Wanted) -> list[Edit]:
    """All files of boot loaders below these mount points, each with its wanted text. Raises Failure.

    A partition is not the root of a machine: a symlink that leads out of it is an error.
    """
    partitions = [Root(directory, leaving_is_an_error=True) for directory in directories]
    return [edit for partition in partitions for edit in (*_grub(partition, wanted), *_entries(partition, wanted))]


def _grub(partition: Root, wanted: Wanted) -> Iterator[Edit]:
    config = _read(partition, GRUB_CONFIG)
    if GRUB_KARGS.lstrip("/") not in config:
        return  # a GRUB that takes its arguments from elsewhere
    before = _read(partition, GRUB_KARGS)
    with at(GRUB_KARGS):
        present = before or grub.initial(config)
        after = grub.edited(present, wanted, quotes=_EVAL in config)
    yield Edit(partition, GRUB_KARGS, before, before if after == present else after)


def _entries(partition: Root, wanted: Wanted) -> Iterator[Edit]:
    for name in partition.names(ENTRIES):
        # The name keeps its counters (name+3-0.conf), which belong to the boot loader.
        inside = f"{ENTRIES}/{name}"
        found = partition.status(inside)
        if name.lower().endswith(bls.SUFFIX) and found is not None and not stat.S_ISDIR(found.st_mode):
            before = _read(partition, inside)
            with at(inside):
                after = bls.edited(before, wanted)
            yield Edit(partition, inside, before, after)


def _read(partition: Root, inside: str) -> str:
    """The text of a file; "" if it does not exist. Raises Failure for anything but a small text file."""
    try:
        return read_text(partition, inside, limit=LARGEST) or ""
    except Failure as failure:
        failure.fix = "check that it is a file of the boot loader"
        raise
