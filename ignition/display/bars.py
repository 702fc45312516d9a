"""The geometry of a disk's bar, for terminals and pages: partitions and free space from left to right, each wide enough to see.

Pure. A bar is drawn to scale, but for two things: space that alignment leaves between partitions is not shown, and a partition
that would be too narrow to see is widened, at the expense of the others.
"""

from __future__ import annotations

from ignition.display.changes import ADDED, CHANGED, GROWN, LOST, MADE, REMOVED, SHRUNK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ignition.display.changes import DiskView, PartView

SIGNS = {LOST: REMOVED, MADE: ADDED, GROWN: CHANGED, SHRUNK: CHANGED}  # a kept partition has none
_LEAST_FREE = 0.005  # of the disk; less is the space of alignment and tables


class Segment:
    """One partition of a bar, or free space if `part` is None. `begin` and `width` are fractions of the bar."""

    __slots__ = ("begin", "part", "width")

    def __init__(self, part: PartView | None, begin: float, width: float) -> None:
        self.part, self.begin, self.width = part, begin, width


def segments(parts: Sequence[PartView], size: int, narrowest: float) -> list[Segment]:
    """The bar of a disk of `size` bytes; its widths add up to 1. `narrowest`: the least width of a segment, as a fraction."""
    whole = max([size, 1, *(part.start + part.size for part in parts)])
    shares: list[tuple[PartView | None, float]] = []
    position = 0
    for part in sorted(parts, key=lambda part: part.start):
        if (free := (part.start - position) / whole) > _LEAST_FREE:
            shares.append((None, free))
        shares.append((part, max(part.size if part.number else whole, 0) / whole))
        position = max(position, part.start + part.size)
    if (free := (whole - position) / whole) > _LEAST_FREE and all(part.number for part in parts):
        shares.append((None, free))
    if not shares:
        shares = [(None, 1.0)]
    widths = _widened([share for _, share in shares], narrowest)
    begin, found = 0.0, []
    for (shown, _), width in zip(shares, widths, strict=True):
        found.append(Segment(shown, begin, width))
        begin += width
    return found


def _widened(shares: list[float], narrowest: float) -> list[float]:
    """The shares scaled to a sum of 1, none below `narrowest`, or all equal where even that does not fit."""
    if narrowest * len(shares) >= 1:
        return [1 / len(shares)] * len(shares)
    narrow: set[int] = set()
    while True:
        rest = sum(share for index, share in enumerate(shares) if index not in narrow)
        left = 1 - narrowest * len(narrow)
        scale = left / rest if rest else 0.0
        more = {index for index, share in enumerate(shares) if index not in narrow and share * scale < narrowest}
        if not more:
            return [narrowest if index in narrow else share * scale for index, share in enumerate(shares)]
        narrow |= more


class PartRow:
    """One partition before and after, for the table below a bar: either may be None. `fate` is one of changes.py."""

    __slots__ = ("after", "before", "fate")

    def __init__(self, before: PartView | None, after: PartView | None, fate: str) -> None:
        self.before, self.after, self.fate = before, after, fate

    @property
    def shown(self) -> PartView:
        """The partition that the row is about: the later one, if there is one."""
        found = self.after or self.before
        assert found is not None, "a row has a partition"  # noqa: S101  of `rows`, which makes them
        return found


def rows(disk: DiskView) -> list[PartRow]:
    """A row for each partition, in the order of the disk. One that is replaced has two: the lost one and the made one."""
    before, after = ({part.number: part for part in parts} for parts in (disk.before, disk.after))
    found = []
    for number in sorted({*before, *after}):
        old, new = before.get(number), after.get(number)
        if old and new and old.fate == LOST:
            found += [PartRow(old, None, LOST), PartRow(None, new, new.fate)]
        else:
            found.append(PartRow(old, new, new.fate if new else LOST))
    return sorted(found, key=lambda row: (row.shown.start, row.fate != LOST))
