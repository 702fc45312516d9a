"""The disk to install to: its contents, its user, and the partitions to be kept. Nothing here changes it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase

from ignition.display.changes import PartView
from ignition.errors import Failure
from ignition.host import devices, machine_disks
from ignition.host.command import status_and_output
from ignition.patterns import lazy_pattern
from ignition.storage import gpt, gpt_disk, signatures
from ignition.storage.disk import is_inside, opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.host.machine_disks import MachineDisk

# flatcar-install -s has the same limit: smaller disks are the system's own flash, or carry firmware.
SMALLEST = 10 * 1000**3
_NUMBERS = lazy_pattern(r"[0-9]{1,4}(-([0-9]{1,4})?)?")


class Target:
    """Facts about a disk. `node`: the resolved device; `user`: who uses it or a part of it, "" if nobody does.

    `table`: its GPT, None without one; `before`: all that it holds, partitions and content of the disk itself.
    """

    def __init__(
        self,
        node: str,
        sector_size: int,
        sectors: int,
        *,
        user: str = "",
        table: gpt.Table | None = None,
        before: Sequence[PartView] = (),
    ) -> None:
        self.node, self.sector_size, self.sectors = node, sector_size, sectors
        self.user, self.table, self.before = user, table, tuple(before)

    @property
    def size(self) -> int:
        """Bytes."""
        return self.sectors * self.sector_size


def probe(device: str) -> Target:
    """Inspect a disk. Raises Failure for a device that is missing, not a block device or not a whole disk."""
    node = os.path.realpath(device)
    name = devices.name_of(node)
    if place := devices.partition_of(name):
        raise Failure(f"partition {place[1]} of {devices.node_of(place[0])}, not a disk", where=device, fix="name the disk")
    user = devices.Users().of_any_part(name)
    with opened(node, os.O_RDONLY) as descriptor:
        sector_size, sectors = devices.geometry(descriptor)
        if not sectors:
            raise Failure("the device has no medium", where=device, fix="name another disk")
        table = None
        with suppress(Failure):  # a damaged table keeps nothing; what libblkid still finds is shown
            table = gpt_disk.read(descriptor, sector_size, sectors)
    return Target(node, sector_size, sectors, user=user, table=table, before=_contents(node, name, table, sectors * sector_size))


def _contents(node: str, name: str, table: gpt.Table | None, size: int) -> list[PartView]:
    found = signatures.all_of(node)
    parts = []
    if table is not None:
        unit = table.sector_size
        for number, entry in table.entries.items():
            start, length = entry.first * unit, entry.sectors * unit
            view = PartView(number, start, length, label=entry.name, type_guid=entry.type_guid, guid=entry.unique_guid)
            view.content = _content_at(node, start, length)
            parts.append(view)
    else:
        for number, (_, start, length) in devices.partitions(name).items():
            parts.append(PartView(number, start, length, content=_content_at(node, start, length)))
    own = [
        one
        for one in found
        if (one.format or (one.table and one.table not in signatures.GPT)) and not (table and is_inside(one.offset, table))
    ]
    if own and not parts:
        parts.append(PartView(0, 0, size, content=signatures.described(own)))
    return parts


def _content_at(node: str, start: int, length: int) -> str:
    """The content of a range of a disk, in words; the kernel may not know the partition."""
    argv = ["blkid", "-p", "-o", "udev", f"--offset={start}", f"--size={length}", "--", node]
    found = signatures.parse(status_and_output(argv, why=f"probing {node}", ok=(0, signatures.NOTHING, signatures.AMBIVALENT))[1])
    return signatures.described([found]) if found.format or found.table else ""


def smallest(disks: Iterable[MachineDisk] | None = None) -> str:
    """The node of the smallest disk of at least 10 GB that nobody uses. Raises Failure without one, and for a tie."""
    known = list(machine_disks.probe() if disks is None else disks)
    free = [disk for disk in known if not disk.user and not disk.removable and disk.size >= SMALLEST]
    least = min((disk.size for disk in free), default=0)
    found = [devices.node_of(disk.name) for disk in free if disk.size == least]
    if len(found) != 1:
        what = f"{' and '.join(found)} are equally small" if found else "no unused disk of at least 10 GB was found"
        raise Failure(f"-s: {what}; {devices.there_are()}", fix="name the disk by -d")
    return found[0]


def kept(table: gpt.Table | None, words: Iterable[str], where: str) -> dict[int, gpt.Entry]:
    """The partitions that these words name, by number: a number, a range (`5-7`, `5-`), or a pattern of labels.

    Raises Failure for a word without a partition, and for any word on a disk without a GPT: better now than when its data is
    lost.
    """
    names = list(words)
    if names and table is None:
        raise Failure(
            f"--keep-partitions {names[0]}: {where} does not have a GPT, and partitions of another table cannot be kept",
            where=where,
            fix="convert a DOS partition table by sgdisk --mbrtogpt, after a backup, or leave the option out",
        )
    entries = table.entries if table is not None else {}
    found: dict[int, gpt.Entry] = {}
    for word in names:
        named = {number: entry for number, entry in entries.items() if _is_named(word, number, entry.name)}
        if not named:
            raise Failure(
                f"--keep-partitions {word}: {where} does not have such a partition",
                where=where,
                fix="name it by its number or label in the GPT, as sgdisk --print or lsblk -o +PARTLABEL shows them",
            )
        found |= named
    return found


def is_numeric(word: str) -> bool:
    """Whether a word names partitions by number, not by label."""
    return bool(_NUMBERS.fullmatch(word))


def _is_named(word: str, number: int, label: str) -> bool:
    first, dash, last = word.partition("-")
    if is_numeric(word):
        # `5-` has no upper end, `5` is its own.
        return int(first) <= number and (number <= int(last) if last else bool(dash) or number == int(first))
    return bool(label) and fnmatchcase(label, word)
