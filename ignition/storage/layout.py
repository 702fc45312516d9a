"""Free space on a disk: the choices of sgdisk, as arithmetic on sectors. Pure.

Source: docs/reference/ignition-config.md §7.1, and the observed choices of sgdisk 1.0.9 (the tests compare with it). Unlike
sgdisk, new partitions always begin at whole MiB, even beside old ones that do not.
"""

from __future__ import annotations


class Layout:
    """The occupied ranges of one disk. All positions are logical sectors, ends inclusive."""

    def __init__(self, first_usable: int, last_usable: int, alignment: int) -> None:
        self.first_usable, self.last_usable, self.alignment = first_usable, last_usable, alignment
        self.taken: dict[int, tuple[int, int]] = {}

    def free_blocks(self) -> list[tuple[int, int]]:
        """Maximal free ranges, in disk order."""
        blocks, position = [], self.first_usable
        for first, last in sorted(self.taken.values()):
            if first > position:
                blocks.append((position, min(first - 1, self.last_usable)))
            position = max(position, last + 1)
        if position <= self.last_usable:
            blocks.append((position, self.last_usable))
        return blocks

    def start_of_largest(self) -> int | None:
        """The start of a partition without one: aligned, in the largest free block (the first of equals); None on a full disk."""
        blocks = self.free_blocks()
        if not blocks:
            return None
        first, last = max(blocks, key=lambda block: block[1] - block[0])
        aligned = -(-first // self.alignment) * self.alignment
        return aligned if aligned <= last else first

    def end_of_free(self, sector: int) -> int | None:
        """Last sector of the free block that holds `sector`; None if it is not free."""
        for first, last in self.free_blocks():
            if first <= sector <= last:
                return last
        return None

    def holder(self, first: int, last: int) -> int | None:
        """The number of a partition that overlaps the range."""
        for number, (begin, end) in sorted(self.taken.items()):
            if begin <= last and first <= end:
                return number
        return None
