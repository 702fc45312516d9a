"""A partition's new end in its table. Pure. Source: docs/reference/boot.md §8.2."""

from ignition.errors import Failure
from ignition.storage import gpt
from ignition.storage.grow.facts import MIN_GAIN


class Limit(Failure):
    """Why something is no longer than it is; no fault."""


def grown_table(table: gpt.Table, number: int, alignment: int = 1) -> tuple[gpt.Table, Limit | None]:
    """(the table with the backup at the end of the disk and partition `number` as long as it can be, why it is no longer).

    Nothing but that partition's end and the backup's place differs. A new end is at a multiple of `alignment` bytes.
    """
    target = table.relocated()
    entry = target.entries[number]
    following = [(other.first, index) for index, other in target.entries.items() if other.first > entry.last]
    limit, next_number = min(following, default=(target.last_usable + 1, 0))
    end = limit - limit % max(1, alignment // table.sector_size)
    if (end - 1 - entry.last) * table.sector_size >= MIN_GAIN:
        return target.with_entries({number: entry.resized(end - 1)}), None
    if not next_number:
        return target, Limit("it fills its disk already")
    name = target.entries[next_number].name
    return target, Limit(
        f"partition {next_number}" + (f" ({name})" if name else "") + " follows it on the disk",
        fix="put that partition before it, or on another disk, if it is to grow",
    )
