"""W14: partitions that cannot all be created.

Rules D4 and V11 compare partitions that have both start and size. Here they are placed on an empty disk, in the order of
docs/reference/ignition-config.md §7.1: one without a size, or with size 0, fills the free block and leaves no space for the rest.
"""

from __future__ import annotations

from collections.abc import Iterator

from ignition.config.advice.subject import advice
from ignition.config.model.storage import Disk
from ignition.config.report import Finding, Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.advice.subject import Subject

_MIB = 2048  # sectors of 512 bytes
_END = 1 << 62  # of a disk whose size is not known


def advise(subject: Subject) -> Iterator[Finding]:
    """Disk by disk."""
    for index, disk in enumerate(subject.config.storage.disks):
        yield from _collisions(disk, ("storage", "disks", index, "partitions"))


class _Taken:
    """A piece of the disk: first sector, and the one after the last."""

    __slots__ = ("end", "fills", "index", "start")

    def __init__(self, index: int, start: int, end: int, *, fills: bool) -> None:
        self.index, self.start, self.end, self.fills = index, start, end, fills


def _collisions(disk: Disk, here: Path) -> Iterator[Finding]:
    wanted = [(index, one) for index, one in enumerate(disk.partitions) if one.should_exist is not False]
    # Partitions with a number come first; those with number 0 get the numbers that are left.
    wanted.sort(key=lambda pair: pair[1].number == 0)
    taken: list[_Taken] = []
    for index, partition in wanted:
        start = partition.start_sectors or (partition.start_mib or 0) * _MIB
        size = partition.size_sectors or (partition.size_mib or 0) * _MIB
        if not start:
            room = _room(taken) if disk.wipe_table else None
            if room is None:
                return  # the position of the largest free block depends on the disk
            start = room
        between = [one for one in taken if one.start < (start + size if size else start + 1) and start < one.end]
        if between or start >= _END:
            other = between[0] if between else taken[-1]
            if not other.fills:
                message = f"overlaps partitions.{other.index} (MiB {other.start / _MIB:.10g} to {other.end / _MIB:.10g})"
                yield advice("W14", (*here, index), message, "move one of them, or make it smaller")
            elif disk.wipe_table:
                taker = f"partitions.{other.index}"
                message = f"no space is left: {taker} has no size and takes all free space of an empty disk"
                yield advice("W14", (*here, index), message, f"set a size for {taker}, or move it to the end")
            continue
        end = start + size if size else min([one.start for one in taken if one.start > start], default=_END)
        # A partition without a size ends where the next one begins.
        taken.append(_Taken(index, start, end, fills=not size))


def _room(taken: list[_Taken]) -> int | None:
    """The start of the largest free block; _END if there is none, None if it is uncertain."""
    if not taken:
        return _MIB
    gaps = 0
    end = _MIB
    for one in sorted(taken, key=lambda one: one.start):
        gaps += one.start > end
        end = max(end, one.end)
    if gaps:
        return None
    return end
