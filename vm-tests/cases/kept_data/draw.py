"""Draws a config for the disks around a partition that it keeps. Pure: the same chance results in the same config.

Sizes are whole MiB. Nearly all draws are possible: most partitions get a place of their own, and there is enough
free space for the others to find one.
"""

from dataclasses import dataclass, field
from random import Random

from harness.configs import Json

LEAST_MIB, MOST_MIB = 6, 48
RAID_LEAST_MIB = 16
HIGHEST = 24  # partition number
FORMATS = ("ext4", "vfat", "swap")


@dataclass(frozen=True)
class Place:
    """A partition as it is or is to be; MiB, end exclusive."""

    start: int
    end: int
    label: str

    @property
    def size(self) -> int:
        """In MiB."""
        return self.end - self.start


@dataclass
class Round:
    """The draw for one disk: its config, and the expected result.

    expected: places by number; somewhere: sizes by label of partitions without a given place; untouched, deleted: numbers.
    """

    entry: Json
    expected: dict[int, Place] = field(default_factory=dict)
    somewhere: dict[str, int] = field(default_factory=dict)
    untouched: set[int] = field(default_factory=set)
    deleted: set[int] = field(default_factory=set)


def around(chance: Random, device: str, table: dict[int, Place], kept: int | None, end: int, name: str) -> Round:
    """A fate for every partition but the kept one, and new ones. name makes labels; end is the first MiB that is not usable."""
    drawn = Round({"device": device, "partitions": []})
    others = [number for number in sorted(table, key=lambda each: table[each].start) if number != kept]
    fates = {number: chance.choice(("leave", "name", "delete", "replace", "resize")) for number in others}
    if others and "delete" not in fates.values():
        fates[chance.choice(others)] = "delete"
    drawn.deleted = {number for number, fate in fates.items() if fate == "delete"}
    stays = {number: place for number, place in table.items() if number not in drawn.deleted}
    entries = [_fate(chance, drawn, number, table[number], fates[number], _limit(stays, number, end), name) for number in others]
    entries += _new(chance, drawn, stays, end, name, used=set(table))
    if kept is not None:
        drawn.untouched.add(kept)
        entries.append(_mention(chance, kept, table[kept]))
    drawn.entry["partitions"] = [entry for entry in entries if entry]
    chance.shuffle(drawn.entry["partitions"])
    return drawn


def wiped(chance: Random, device: str, end: int, name: str) -> Round:
    """A new table, from which nothing is kept."""
    drawn = Round({"device": device, "wipeTable": True})
    drawn.entry["partitions"] = _new(chance, drawn, {}, end, name, used=set())
    return drawn


def _fate(chance: Random, drawn: Round, number: int, place: Place, fate: str, limit: int, name: str) -> Json:
    """The config's entry for an existing partition, {} to leave it out."""
    if fate == "delete":
        return {"number": number, "shouldExist": False, "wipePartitionEntry": True}
    if fate in ("leave", "name"):
        drawn.untouched.add(number)
        # With wipePartitionEntry a start or a size that is left out is not the present one.
        where = {"startMiB": place.start, "sizeMiB": place.size, "wipePartitionEntry": True} if chance.random() < 0.5 else {}
        return {"number": number, "label": place.label} | where if fate == "name" else {}
    most = max(LEAST_MIB, limit - place.start) if fate == "resize" else place.size
    size = chance.randint(LEAST_MIB, most)
    label = place.label if fate == "resize" else f"{name}-again{number}"
    drawn.expected[number] = Place(place.start, place.start + size, label)
    how = {"resize": True} if fate == "resize" else {"wipePartitionEntry": True, "startMiB": place.start}
    return {"number": number, "label": label, "sizeMiB": size} | how


def _limit(stays: dict[int, Place], number: int, end: int) -> int:
    """Where a partition has to end: before the next one that stays."""
    start = stays[number].start if number in stays else end
    return min([other.start for other in stays.values() if other.start > start] + [end])


def _new(chance: Random, drawn: Round, stays: dict[int, Place], end: int, name: str, *, used: set[int]) -> list[Json]:
    """One to three new partitions, the last of them where the agent finds space."""
    occupied = list((stays | drawn.expected).values())
    entries: list[Json] = []
    for count in range(chance.randint(1, 3)):
        gaps = [gap for gap in _gaps(occupied, end) if gap[1] - gap[0] >= LEAST_MIB]
        if not gaps:
            break
        first, last = chance.choice(gaps)
        size = chance.randint(LEAST_MIB, min(MOST_MIB, last - first))
        start = chance.randint(first, last - size)
        number = chance.choice([each for each in range(1, HIGHEST) if each not in used])
        place = Place(start, start + size, f"{name}-new{count}")
        used.add(number)
        occupied.append(place)
        drawn.expected[number] = place
        entries.append({"number": number, "label": place.label, "startMiB": start, "sizeMiB": size})
    largest = max((last - first for first, last in _gaps(occupied, end)), default=0)
    if largest > LEAST_MIB + 1:
        size = chance.randint(LEAST_MIB, min(MOST_MIB, largest - 1))
        drawn.somewhere[f"{name}-free"] = size
        entries.append({"label": f"{name}-free", "sizeMiB": size})
    return entries


def _gaps(occupied: list[Place], end: int) -> list[tuple[int, int]]:
    """Free ranges in MiB."""
    found, position = [], 1
    for place in sorted(occupied, key=lambda each: each.start):
        if place.start > position:
            found.append((position, place.start))
        position = max(position, place.end)
    return [*found, (position, end)] if end > position else found


def _mention(chance: Random, kept: int, place: Place) -> Json:
    """Entries of careful and careless people for a partition that already matches."""
    ways: list[Json] = [
        {},
        {"number": kept},
        {"number": kept, "label": place.label},
        {"number": kept, "label": place.label, "resize": True},
        {"number": kept, "shouldExist": True},
    ]
    return chance.choice(ways)


def uses(chance: Random, rounds: list[Round], name: str) -> tuple[list[Json], list[Json]]:
    """Arrays and file systems on what is new, and nothing on the rest: (storage.raid, storage.filesystems)."""
    sizes = {place.label: place.size for drawn in rounds for place in drawn.expected.values() if place.label.startswith(name)}
    labels, large = list(sizes), [label for label, size in sizes.items() if size >= RAID_LEAST_MIB]
    arrays: list[Json] = []
    if len(large) >= 2:
        pair = chance.sample(large, 2)
        level = chance.choice(("raid1", "raid0", "linear"))
        arrays.append({"name": f"{name}-md", "level": level, "devices": [f"/dev/disk/by-partlabel/{label}" for label in pair]})
        labels = [label for label in labels if label not in pair]
    labels += [label for drawn in rounds for label in drawn.somewhere]
    devices = [f"/dev/disk/by-partlabel/{label}" for label in labels] + [f"/dev/md/{array['name']}" for array in arrays]
    systems = [{"device": device, "format": chance.choice(FORMATS), "wipeFilesystem": True} for device in devices]
    return arrays, systems
