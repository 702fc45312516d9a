"""The future partitions of a disk: the matching rules of the spec, applied to a table. Pure.

Source: docs/reference/ignition-config.md §7.1 and §7.11. Stricter than Ignition: changes of partitions in use are refused for 2.x
configs as well. More lenient: a number-0 entry that an earlier, interrupted run created is recognised by the GUID which that run
derived, and a fill-the-rest partition (size 0) may end where the disk ended before it was enlarged.
"""

from __future__ import annotations

from collections.abc import Mapping

from ignition.config.checks import attribute_bit
from ignition.errors import Failure
from ignition.host.limits import MIB
from ignition.storage import gpt, guid
from ignition.storage.layout import Layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model.storage import Disk, Partition

LINUX_DATA = "0fc63daf-8483-4772-8e79-3d69d8477de4"
MISMATCH_FIX = "correct the config, or set wipePartitionEntry to replace the partition and lose its content"


class Change:
    """The change of one partition: `action` is create, delete, resize, replace, or mark if only attribute bits change.

    `where` is the entry's place in the config.
    """

    __slots__ = ("action", "entry", "number", "where")

    def __init__(self, action: str, number: int, where: str, entry: gpt.Entry | None) -> None:
        self.action, self.number, self.where, self.entry = action, number, where, entry

    def __repr__(self) -> str:
        return f"Change({self.action} {self.number})"


class Decision:
    """The wanted table of a disk, and its differences from the present one. Without changes, nothing is written.

    `named`: the numbers of the partitions that the config wants → the place of the entry.
    """

    __slots__ = ("changes", "named", "table")

    def __init__(self, table: gpt.Table, changes: tuple[Change, ...], named: Mapping[int, str] | None = None) -> None:
        self.table, self.changes, self.named = table, changes, named or {}


class _Wish:
    """One entry of the config while it is resolved: `number`, `first` and `last` are filled in step by step."""

    def __init__(self, partition: Partition, index: int, device: str, where: str, sector_size: int) -> None:
        self.partition, self.index, self.device, self.where = partition, index, device, where
        self.number = partition.number
        self.start = _sectors(partition.start_mib, partition.start_sectors, sector_size)
        self.size = _sectors(partition.size_mib, partition.size_sectors, sector_size)
        self.first = self.last = 0
        self.exists: gpt.Entry | None = None
        self.may_wipe = partition.wipe_partition_entry is True

    @property
    def wanted(self) -> bool:
        return self.partition.should_exist is not False

    def fail(self, what: str, fix: str = MISMATCH_FIX) -> Failure:
        return Failure(what, where=self.where, fix=fix)


def _sectors(mib: int | None, sectors: int | None, sector_size: int) -> int | None:
    return sectors if mib is None else mib * MIB // sector_size


def derived_guid(table: gpt.Table, disk: Disk, index: int) -> bytes:
    """The unique GUID of a number-0 entry without one: as random as the disk's own, and the same in a second run."""
    return guid.derived(table.disk_guid, f"{index}:{disk.partitions[index].label or ''}")


def decide(disk: Disk, table: gpt.Table, in_use: Mapping[int, str], where: str, *, translated: bool = False) -> Decision:
    """Apply a disk's entries to its table, whose GUID is drawn already. `in_use`: partition number → its user.

    `where` is the disk's place in the config; `translated`: the config was 2.x, where MiB apply to new partitions only.
    Raises Failure with the place of an entry that cannot be met.
    """
    target = table.relocated()
    wishes = _numbered(disk, target, where)
    if translated:
        _forget_mib_of_existing(wishes)
    _resolve(wishes, target)
    changes = []
    recreated = {wish.number for wish in wishes if wish.wanted}
    for wish in wishes:
        if not wish.wanted and wish.number in recreated:
            continue
        change = _decide_one(wish, table, derived_guid(table, disk, wish.index))
        if change and change.action != "mark" and wish.exists and wish.number in in_use:
            raise wish.fail(
                f"partition {wish.number} of {disk.device} is in use ({in_use[wish.number]}): cannot {change.action} it",
                fix="stop using it first, or correct the config",
            )
        if change:
            changes.append(change)
    named = {wish.number: wish.where for wish in wishes if wish.wanted}
    return Decision(target.with_entries({change.number: change.entry for change in changes}), tuple(changes), named)


def _numbered(disk: Disk, table: gpt.Table, where: str) -> list[_Wish]:
    """The entries in the order of creation (number 0 last), all with numbers."""
    wishes = [_Wish(part, i, disk.device, f"{where}.partitions.{i}", table.sector_size) for i, part in enumerate(disk.partitions)]
    wishes.sort(key=lambda wish: wish.number == 0)
    requested = {wish.number for wish in wishes if wish.wanted}
    own = {entry.unique_guid: number for number, entry in table.entries.items() if number not in requested}
    freed = {wish.number for wish in wishes if not wish.wanted and wish.may_wipe}
    used = (set(table.entries) | requested) - freed
    for wish in wishes:
        if wish.number == 0:
            mark = wish.partition.guid or guid.to_text(derived_guid(table, disk, wish.index))
            wish.number = own.get(mark.lower()) or next(n for n in range(1, len(used) + 2) if n not in used)
            used.add(wish.number)
            wish.may_wipe |= wish.number in freed  # the entry that deletes it allowed that
        if wish.wanted and not 0 < wish.number <= table.entry_count:
            raise wish.fail(
                f"the table of {disk.device} has no place for partition {wish.number}, only for {table.entry_count}",
                fix="use a lower number",
            )
        wish.exists = table.entries.get(wish.number)
    return wishes


def _forget_mib_of_existing(wishes: list[_Wish]) -> None:
    """2.x (7.11): an existing partition never differs in startMiB or sizeMiB; they apply if it is replaced for another reason."""
    for wish in wishes:
        if wish.exists and not _other_differences(wish, wish.exists):
            wish.start = wish.exists.first if wish.partition.start_mib is not None else wish.start
            wish.size = wish.exists.sectors if wish.partition.size_mib is not None else wish.size


def _resolve(wishes: list[_Wish], table: gpt.Table) -> None:
    """Find the first and last sector of every wanted entry, as if all named ones were deleted and recreated in order."""
    layout = Layout(table.first_usable, table.last_usable, max(1, MIB // table.sector_size))
    layout.taken = {number: (entry.first, entry.last) for number, entry in table.entries.items()}
    for wish in wishes:
        layout.taken.pop(wish.number, None)
    for wish in wishes:
        if wish.wanted:
            _place(wish, layout, table.sector_size)
            if wish.number in layout.taken:
                raise wish.fail(f"partition number {wish.number} is used twice", fix="use a different number for each entry")
            layout.taken[wish.number] = (wish.first, wish.last)


def _place(wish: _Wish, layout: Layout, sector_size: int) -> None:
    start, size = wish.start, wish.size
    if wish.exists and not wish.may_wipe:
        start = wish.exists.first if start is None else start
        size = wish.exists.sectors if size is None else size
    first = start or layout.start_of_largest()
    if first is None:
        raise wish.fail(
            f"no free space for partition {wish.number} of {wish.device}", fix="use a larger disk, or remove partitions"
        )
    end = layout.end_of_free(first)
    if end is None:
        raise wish.fail(
            f"partition {wish.number} of {wish.device} cannot begin at sector {first}: {_why_not(first, layout)}",
            fix="choose another start",
        )
    if size and first + size - 1 > end:
        other = layout.holder(first, first + size - 1)
        behind = f"partition {other}" if other else "the end of the disk"
        space = (end - first + 1) * sector_size
        whole = f" (at most {space // MIB} MiB, or 0 for all of it)" if wish.partition.size_mib and space >= MIB else ""
        raise wish.fail(
            f"partition {wish.number} of {wish.device} does not fit: from {_mib(first, sector_size)} MiB to {behind} there are "
            f"{_mib(end - first + 1, sector_size)} MiB, and {_mib(size, sector_size)} MiB are wanted",
            fix=f"make it smaller{whole}, or use a larger disk",
        )
    wish.first, wish.last = first, first + size - 1 if size else end


def _why_not(sector: int, layout: Layout) -> str:
    other = layout.holder(sector, sector)
    if other:
        return f"that is inside partition {other}"
    return f"partitions lie between the sectors {layout.first_usable} and {layout.last_usable}"


def _mib(sectors: int, sector_size: int) -> str:
    """Rounded down, so that a partition that does not fit is never shown as long as its space."""
    return f"{sectors * sector_size * 100 // MIB / 100:.2f}".removesuffix("0").removesuffix(".0")


def _decide_one(wish: _Wish, table: gpt.Table, own: bytes) -> Change | None:
    """One row of the decision table (7.1, step 6)."""
    number, where, existing = wish.number, wish.where, wish.exists
    if existing is None:
        return Change("create", number, where, _new_entry(wish, own)) if wish.wanted else None
    if not wish.wanted:
        if not wish.may_wipe:
            raise wish.fail(
                f"partition {number} exists, and shouldExist is false",
                fix="set wipePartitionEntry to delete it and lose its content",
            )
        return Change("delete", number, where, None)
    differences = _differences(wish, existing, table)
    marked = existing.with_attributes(_attributes(wish, existing.attributes))
    if not differences:
        return Change("mark", number, where, marked) if marked != existing else None
    if wish.may_wipe:
        return Change("replace", number, where, _new_entry(wish, own))
    if list(differences) == ["size"] and wish.partition.resize is True:
        return Change("resize", number, where, marked.resized(wish.last))
    if wish.partition.resize is True:
        others = "; ".join(text for name, text in differences.items() if name != "size")
        raise wish.fail(
            f"partition {number} exists and differs in more than its size, which is all that resize changes: {others}"
        )
    raise wish.fail(f"partition {number} exists and differs: {'; '.join(differences.values())}")


def _differences(wish: _Wish, existing: gpt.Entry, table: gpt.Table) -> dict[str, str]:
    """The differences of an existing partition from the entry: field → "label 'a' instead of 'b'"."""
    found: dict[str, str] = {}
    if existing.first != wish.first:
        found["start"] = f"start {existing.first} instead of {wish.first} sectors"
    if existing.sectors != wish.last - wish.first + 1 and not _filled_before(wish, existing, table):
        found["size"] = f"size {existing.sectors} instead of {wish.last - wish.first + 1} sectors"
    return found | _other_differences(wish, existing)


def _other_differences(wish: _Wish, existing: gpt.Entry) -> dict[str, str]:
    """The differences apart from start and size."""
    partition = wish.partition
    found: dict[str, str] = {}
    if partition.guid and partition.guid.lower() != existing.unique_guid:
        found["guid"] = f"guid {existing.unique_guid} instead of {partition.guid.lower()}"
    if partition.type_guid and partition.type_guid.lower() != existing.type_guid:
        found["typeGuid"] = f"typeGuid {existing.type_guid} instead of {partition.type_guid.lower()}"
    if partition.label is not None and partition.label != existing.name:
        found["label"] = f"label {existing.name!r} instead of {partition.label!r}"
    return found


def _filled_before(wish: _Wish, existing: gpt.Entry, table: gpt.Table) -> bool:
    """Whether it filled the disk before the disk was enlarged: still a match, unless it is to be resized."""
    return wish.size == 0 and wish.partition.resize is not True and table.misplaced and existing.last == table.last_usable


def _new_entry(wish: _Wish, own: bytes) -> gpt.Entry:
    partition = wish.partition
    if partition.guid:
        unique = guid.to_bytes(partition.guid)
    else:
        unique = own if partition.number == 0 else guid.ZERO
    made = gpt.new_entry(
        wish.first, wish.last, type_guid=partition.type_guid or LINUX_DATA, unique=unique, name=partition.label or ""
    )
    return made.with_attributes(_attributes(wish, made.attributes))


def _attributes(wish: _Wish, present: int) -> int:
    """The attribute bits that the entry will have; those that the config does not mention are kept."""
    wanted = wish.partition.extension.attributes
    for name in wanted.set:
        present |= 1 << (attribute_bit(name) or 0)
    for name in wanted.clear:
        present &= ~(1 << (attribute_bit(name) or 0))
    return present
