"""The validation rules of spec 1: rows "1" and "1+" of docs/reference/ignition-config.md §3.6, by the numbers of v2/rules.

A rule about one member alone is a check in the model. Rules that are equal in 2.0 or 3.x are registered from there. Unit
contents, colons in labels and similar are not checked before 2.0.
"""

from __future__ import annotations

from collections.abc import Iterator

from ignition.config.rules import Context, error, paths, reachable, rule
from ignition.config.rules.storage import level_has_room_for_spares
from ignition.config.v1.model import Disk, Raid, Storage1
from ignition.config.v2 import rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.report import Finding

rule(Disk, "V11")(rules.partitions_do_not_overlap)
rule(Raid, "V20")(level_has_room_for_spares)
rule(Storage1, "O20")(rules.devices_are_made_in_time)


@rule(Disk, "V10")
def numbers_are_used_once(disk: Disk, _: Context) -> Iterator[Finding]:
    """Number 0 counts as well: only one partition may get the next free number."""
    seen: dict[int, int] = {}
    for index, partition in enumerate(disk.partitions):
        if partition.number in seen:
            message = f"number {partition.number} is already used by partitions.{seen[partition.number]}"
            yield error(f"partitions.{index}", message, "use a different number for each partition")
        seen.setdefault(partition.number, index)


@rule(Storage1, "O1")
def entries_can_be_written(storage: Storage1, _: Context) -> Iterator[Finding]:
    """O1 and O8. Each file system has its own files, which replace existing ones."""
    entries = [
        reachable.Written(
            f"filesystems.{number}.files", index, (number, paths.simplest(file.path)), holds_others=False, removes=True
        )
        for number, filesystem in enumerate(storage.filesystems)
        for index, file in enumerate(filesystem.files)
        if file.path.startswith("/")
    ]
    yield from reachable.below(entries)
    yield from reachable.hidden(entries, [((number, "/"), f"filesystems.{number}") for number in range(len(storage.filesystems))])
