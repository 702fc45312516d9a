"""The plan of an installation: from facts about disk and image to operations. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ignition.boot_loader.partitions import ESP_TYPE
from ignition.display.changes import KEPT, LOST, MADE, DiskView, PartView
from ignition.errors import Failure
from ignition.host.limits import MIB
from ignition.installing import operations as steps
from ignition.installing.image import HEAD
from ignition.storage.layout import Layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.installing.image import Image
    from ignition.installing.target import Target
    from ignition.operation import Operation
    from ignition.storage import gpt

OEM, ROOT = "OEM", "ROOT"
_FIX_IMAGE = "use an image that has it, or leave the option out"


class Options:
    """Additions to the image. `config`, `cloud_config`: contents, None without one.

    `oem`: the platform for GRUB's oem_id; `arguments`: kernel arguments to append; `network`: name → content of networkd's files.
    """

    def __init__(
        self,
        *,
        config: bytes | None = None,
        cloud_config: bytes | None = None,
        oem: str = "",
        arguments: Sequence[str] = (),
        network: Mapping[str, steps.NetworkFile] | None = None,
    ) -> None:
        self.config, self.cloud_config, self.oem = config, cloud_config, oem
        self.arguments, self.network = tuple(arguments), network or {}


def new_table(target: Target, image: gpt.Table, kept: Mapping[int, gpt.Entry], by_number: frozenset[int]) -> gpt.Table:
    """The image's table on this disk, with the kept partitions behind its own. `by_number`: those that were named by number.

    One named by its label gets the next free number if the image uses its own, as with coreos-installer's --save-partlabel; one
    named by number is refused then. Raises Failure for these, and for partitions that overlap the image, as coreos-installer does
    (its SavedPartitions::get_offset); unlike there, one may begin at the sector behind the image's last partition.
    """
    own = image.entries
    _refuse_overlap(target, kept, max([HEAD // image.sector_size - 1, *(entry.last for entry in own.values())]))
    changes: dict[int, gpt.Entry | None] = {}
    for number, entry in kept.items():
        if number in own and number in by_number:
            raise Failure(
                f"the image has a partition {number} of its own ({own[number].name!r})",
                where=target.node,
                fix="name the partition to keep by its label: it gets another number then",
            )
        while number in own or number in changes:
            number = max([number, *own, *changes, *(kept.keys() - {number})]) + 1
        if number > image.entry_count:
            raise Failure(f"the table has no room for partition {number}", where=target.node, fix="keep fewer partitions")
        changes[number] = entry
    # In this order: the sector of the image's backup header is erased unless a partition holds it, and a kept one may.
    return image.with_entries(changes).relocated()


def _refuse_overlap(target: Target, kept: Mapping[int, gpt.Entry], end: int) -> None:
    """Raises Failure for kept partitions that begin at or before `end`, the last sector that the image needs."""
    overlapping = {number: entry for number, entry in kept.items() if entry.first <= end}
    if not overlapping:
        return
    named = ", ".join(
        f"partition {number} ({entry.name!r}, sectors {entry.first} to {entry.last})" for number, entry in overlapping.items()
    )
    # One after the other: where the second one can go depends on where the first one went.
    number, entry = max(overlapping.items(), key=lambda one: one[1].first)
    place = _place_behind(target, number, entry, end)
    if place is None:
        fix = f"back up partition {number}, as {entry.sectors} sectors are free nowhere behind that one, or use a smaller image"
    else:
        fix = f"after a backup, move partition {number} by: echo {place} | sfdisk --move-data -N {number} {target.node}"
    what = "lies" if len(overlapping) == 1 else "lie"
    raise Failure(f"{named} {what} where the image does, which needs all sectors up to {end}", where=target.node, fix=fix)


def _place_behind(target: Target, number: int, entry: gpt.Entry, end: int) -> int | None:
    """The first sector behind `end`, at a whole MiB, where a partition fits beside the others of the disk; None without one."""
    if target.table is None:
        return None
    table, alignment = target.table.relocated(), max(1, MIB // target.sector_size)
    layout = Layout(-(-(end + 1) // alignment) * alignment, table.last_usable, alignment)
    layout.taken = {other: (one.first, one.last) for other, one in table.entries.items() if other != number}
    for first, last in layout.free_blocks():
        start = -(-first // alignment) * alignment
        if start + entry.sectors - 1 <= last:
            return start
    return None


def view(target: Target, table: gpt.Table, kept: Mapping[int, gpt.Entry], new: Mapping[int, gpt.Entry], name: str) -> DiskView:
    """The disk before and after, as `ignition plan` shows it. `new`: the kept partitions by their new numbers."""
    before = []
    for part in target.before:
        part.fate = KEPT if part.number in kept else LOST
        before.append(part)
    contents = {part.start: part.content for part in before}
    unit = table.sector_size
    after = [
        PartView(
            number,
            entry.first * unit,
            entry.sectors * unit,
            label=entry.name,
            type_guid=entry.type_guid,
            guid=entry.unique_guid,
            content=contents.get(entry.first * unit, "") if number in new else f"from {name.rpartition('/')[2]}",
            fate=KEPT if number in new else MADE,
        )
        for number, entry in table.entries.items()
    ]
    return DiskView(target.node, target.size, before, after)


def lost(target: Target, kept: Mapping[int, gpt.Entry]) -> list[str]:
    """The losses of an installation in words, one per partition or content."""
    return [_words(part) for part in target.before if part.number not in kept]


def _words(part: PartView) -> str:
    what = f"partition {part.number}" if part.number else "the whole disk"
    label = f" {part.label!r}" if part.label else ""
    return f"{what}{label}{f' with {part.content}' if part.content else ''}"


def refuse(target: Target, kept: Mapping[int, gpt.Entry], *, overwrite: bool) -> None:
    """Raises Failure for a disk in use, and unless `overwrite` is given for one with data that would be lost."""
    if target.user:
        raise Failure(f"the disk is in use ({target.user})", where=target.node, fix="stop using it first, or name another disk")
    if (gone := lost(target, kept)) and not overwrite:
        raise Failure(
            f"the disk holds data that would be lost: {'; '.join(gone)}",
            where=target.node,
            fix="look at it with --plan, keep it with --keep-partitions, or pass --overwrite",
        )


def plan(target: Target, image: Image, table: gpt.Table, kept: Mapping[int, gpt.Entry], options: Options) -> list[Operation]:
    """The operations, in order. `table`: from `new_table`; `kept`: the kept partitions by their present numbers.

    The table comes last: a disk on which anything else failed or was cut short has none, and never boots. Raises Failure for an
    option that the image has no partition for.
    """
    disk = steps.Disk(target.node, target.sector_size, target.sectors)
    first_kept = min((entry.first for entry in kept.values()), default=target.sectors)
    plan: list[Operation] = [
        steps.MarkIncomplete(disk, kept),
        steps.WriteImage(disk, image, first_kept * target.sector_size, _end(table, kept)),
        steps.ShowPartitions(disk, table),
    ]
    labels = {entry.name: number for number, entry in table.entries.items() if entry not in kept.values()}
    if options.config is not None:
        plan.append(steps.WriteConfig(disk, _partition(labels, OEM, "-i", image), options.config))
    if options.oem:
        plan.append(steps.SetOem(disk, _partition(labels, OEM, "-o", image), options.oem))
    if options.cloud_config is not None:
        plan.append(steps.WriteUserData(disk, _partition(labels, ROOT, "-c", image), options.cloud_config))
    if options.network:
        plan.append(steps.CopyNetwork(disk, _partition(labels, ROOT, "--copy-network", image), options.network))
    if options.arguments:
        esp = {entry.type_guid: number for number, entry in table.entries.items() if entry not in kept.values()}
        plan.append(steps.AppendArguments(disk, _partition(esp, ESP_TYPE, "--append-karg", image), options.arguments))
    return [*plan, steps.MakeBootable(disk, image, table)]


def _end(table: gpt.Table, kept: Mapping[int, gpt.Entry]) -> int:
    """The byte behind the last partition of the image: an image that ends before it is truncated."""
    own = [entry.last for entry in table.entries.values() if entry not in kept.values()]
    return (max(own, default=0) + 1) * table.sector_size


def _partition(numbers: Mapping[str, int], name: str, option: str, image: Image) -> int:
    if name not in numbers:
        shown = "an EFI system partition" if name == ESP_TYPE else f"a partition {name}"
        raise Failure(f"{option}: the image does not have {shown}", where=image.name, fix=_FIX_IMAGE)
    return numbers[name]
