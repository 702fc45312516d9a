"""md arrays: kept or created. Source: docs/reference/ignition-config.md §7.2, mdadm(8).

More lenient than Ignition: an array that is already right is kept and, if necessary, assembled. Stricter: an array with the
wanted name and shape that lacks some of the config's devices is never overwritten, and devices in use are refused. Options are
not compared: they are mdadm's own language.

Also stricter: the content of a device is overwritten only with a wipe flag, which Ignition and `mdadm --force` do not require.
The spec does not have a flag for arrays: those of the layers below (wipeTable, wipePartitionEntry) and above the array
(wipeFilesystem, wipeVolume) apply.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from ignition.config import stacking
from ignition.errors import Failure, at
from ignition.host import devices, log
from ignition.host.command import run, status_and_output
from ignition.host.reading import lines
from ignition.host.threads import side_by_side
from ignition.operation import Context, Left, Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.model.storage import Raid, Storage

LEVELS = {  # every spelling of the spec → the kernel's
    **dict.fromkeys(("raid0", "0", "stripe"), "raid0"),
    **dict.fromkeys(("raid1", "1", "mirror"), "raid1"),
    **{f"{prefix}{number}": f"raid{number}" for number in ("4", "5", "6", "10") for prefix in ("", "raid")},
    "linear": "linear",
}
UUID_LINK = "md-uuid-"  # udev's links in /dev/disk/by-id
NO_SUPERBLOCK = 1  # exit status of `mdadm --examine`
CREATE_TIMEOUT_S = 600.0
BROKEN_FIX = "add the missing devices with `mdadm --add`, or erase all of them with `wipefs -a` to lose the array's content"
CONTENT_FIX = "to lose its content, set wipeFilesystem or wipeVolume on the array, or wipeTable or wipePartitionEntry below it"


class Superblock:
    """The superblock of a member. `name` is without the host; `events` is 0 until the array has been started."""

    __slots__ = ("devices", "events", "level", "name", "uuid")

    def __init__(self, uuid: str, name: str, level: str, devices: int, events: int) -> None:
        self.uuid, self.name, self.level, self.devices, self.events = uuid, name, level, devices, events


class Member:
    """One device: its node, its superblock if it has one, the array that holds it now, and its user ("" if unused).

    `content` describes any other content.
    """

    def __init__(self, node: str, superblock: Superblock | None, *, array: str = "", user: str = "", content: str = "") -> None:
        self.node, self.superblock, self.array, self.user, self.content = node, superblock, array, user, content


def path_of(raid: Raid) -> str:
    """The device of an array."""
    return stacking.array_path(raid.name)


def waves(arrays: Sequence[Raid]) -> list[list[Raid]]:
    """The order of creation: all arrays of a wave at once, of existing devices or of arrays of earlier waves."""
    return [[arrays[index] for index in wave] for wave in stacking.waves(stacking.below_arrays(arrays))]


def _bare_name(raid: Raid) -> str:
    return raid.name.rpartition("/")[2]


def probe(arrays: Sequence[Raid], users: devices.Users) -> dict[str, list[Member]]:
    """The members of each array, by its name in the config. The devices must exist. Changes nothing."""
    return {raid.name: side_by_side(lambda node: member(devices.resolve(node), users), raid.devices) for raid in arrays}


def member(node: str, users: devices.Users) -> Member:
    """Inspect one device."""
    from ignition.storage import signatures

    status, output = status_and_output(
        ["mdadm", "--examine", "--export", node], why=f"looking for an array on {node}", ok=(0, NO_SUPERBLOCK)
    )
    superblock = parse(output) if status == 0 else None
    name = devices.name_of(node)
    array = next((holder for holder in devices.holders(name) if holder.startswith("md")), "")
    content = "" if superblock else signatures.described(signatures.all_of(node))
    return Member(node, superblock, array=array, user=users.of_any_part(name), content=content)


def parse(output: str) -> Superblock | None:
    """`mdadm --examine --export` output; None for a container or a partition table."""
    members = dict(line.split("=", 1) for line in lines(output) if "=" in line)
    if "MD_UUID" not in members or "MD_LEVEL" not in members:
        return None
    name = members.get("MD_NAME", "").rpartition(":")[2]
    events = members.get("MD_EVENTS", "0")
    count = int(events) if events.isascii() and events.isdigit() else 1
    return Superblock(
        members["MD_UUID"],
        name,
        members["MD_LEVEL"],
        int(members.get("MD_DEVICES", "0")),
        count,
    )


def plan(
    arrays: Sequence[Raid], facts: Mapping[str, Sequence[Member]], may_lose: Callable[[Raid, str], bool] = lambda *_: False
) -> list[Operation]:
    """One operation per array of `facts`, in config order; other arrays are skipped.

    `may_lose`: whether the content of a node may be lost to an array. Raises Failure for content that must not be overwritten.
    """
    operations: list[Operation] = []
    claimed: dict[str, str] = {}
    for index, raid in enumerate(arrays):
        if raid.name not in facts:
            continue
        members, where = facts[raid.name], f"$.storage.raid.{index}"
        _refuse_shared(raid, members, claimed, where)
        if is_right(raid, members):
            operations.append(AssembleArray(raid, members, where))
        else:
            _refuse(raid, members, where)
            _refuse_content(raid, members, may_lose, where)
            operations.append(CreateArray(raid, members, where))
    return operations


def is_right(raid: Raid, members: Sequence[Member]) -> bool:
    """Whether all devices are members of one array with the wanted name, level and number of devices, and of nothing else."""
    uuids = {one.superblock.uuid if one.superblock else "" for one in members}
    return len(uuids) == 1 and all(_belongs(raid, one) and (one.array or not one.user) for one in members)


def _belongs(raid: Raid, member: Member) -> bool:
    found, wanted = member.superblock, LEVELS.get(raid.level or "", raid.level)
    if found is None or found.name != _bare_name(raid):
        return False
    # A spare has level and size of its array, like the others.
    return found.level == wanted and found.devices == len(raid.devices) - (raid.spares or 0)


def _refuse_shared(raid: Raid, members: Sequence[Member], claimed: dict[str, str], where: str) -> None:
    for number, one in enumerate(members):
        place = f"{where}.devices.{number}"
        if one.node in claimed:
            raise Failure(
                f"{raid.devices[number]} is also the device at {claimed[one.node]}", where=place, fix="use each device once"
            )
        claimed[one.node] = place


def _refuse(raid: Raid, members: Sequence[Member], where: str) -> None:
    """Raises Failure if creating the array would take a device in use, or destroy a degraded array."""
    for number, one in enumerate(members):
        if one.user:
            raise Failure(
                f"{raid.devices[number]} is in use ({one.user})",
                where=f"{where}.devices.{number}",
                fix="stop using it first, or name another device",
            )
    alive = [number for number, one in enumerate(members) if _belongs(raid, one) and one.superblock and one.superblock.events]
    others = [raid.devices[number] for number in range(len(members)) if number not in alive]
    uuids = {one.superblock.uuid for one in members if one.superblock and _belongs(raid, one)}
    if alive and others:
        raise Failure(
            f"{raid.devices[alive[0]]} belongs to the array {_bare_name(raid)}, unlike {', '.join(others)}",
            where=where,
            fix=BROKEN_FIX,
        )
    if alive and len(uuids) > 1:
        raise Failure(f"the devices belong to {len(uuids)} arrays named {_bare_name(raid)}", where=where, fix=BROKEN_FIX)


def _refuse_content(raid: Raid, members: Sequence[Member], may_lose: Callable[[Raid, str], bool], where: str) -> None:
    """Raises Failure for a device whose content was not given up. An array that never ran is empty: it was interrupted."""
    for number, one in enumerate(members):
        is_held = bool(one.superblock.events) if one.superblock else bool(one.content)
        if is_held and not may_lose(raid, one.node):
            raise Failure(
                f"{raid.devices[number]} holds {_held(one)}, and would become part of {path_of(raid)}",
                where=f"{where}.devices.{number}",
                fix=CONTENT_FIX,
            )


def flagged(storage: Storage) -> frozenset[str]:
    """The arrays (by path) whose content a wipe flag gives up, and with it that of their devices."""
    found = {one.device for one in storage.filesystems if one.wipe_filesystem}
    found |= {one.device or "" for one in storage.luks if one.wipe_volume}
    for wave in reversed(waves(storage.raid)):  # an array of arrays passes it on to its devices
        found.update(device for raid in wave if path_of(raid) in found for device in raid.devices)
    return frozenset(found)


class _OfArray(Operation):
    """An operation on one array."""

    def __init__(self, raid: Raid, members: Sequence[Member], where: str) -> None:
        self.path, self.raid, self._members, self.place = path_of(raid), raid, members, where

    def leaves(self, context: Context) -> Iterator[Left]:
        level, uuid = self.raid.level or "", devices.identifier(self.path, "by-id", UUID_LINK)
        members = {"level": LEVELS.get(level, level), "devices": len(self.raid.devices) - (self.raid.spares or 0)}
        yield Left("array", self.path, members | ({"uuid": uuid} if uuid else {}), place=self.place)


class CreateArray(_OfArray):
    """Create an array, and erase signatures of earlier content that appear in it."""

    kind = "create-array"

    def describe(self) -> str:
        return f"create the {self.raid.level} array {self.path} of {', '.join(self.raid.devices)} ({self.place})"

    def execute(self, context: Context) -> None:
        for one in self._members:
            if one.superblock or one.content:
                log.warning(f"{one.node} held {_held(one)}: it is overwritten by {self.path}")
        with at(self.place):
            run(create_command(self.raid, [one.node for one in self._members]), why=f"creating {self.path}",
                timeout_s=CREATE_TIMEOUT_S)  # fmt: skip
            node = devices.resolve(self.path)
            run(["wipefs", "-a", node], why=f"erasing the signatures of {self.path}")
        devices.settle([node, *(one.node for one in self._members)])

    def facts(self) -> dict[str, object]:
        return _members_hold(self.path, self._members)


def _members_hold(array: str, members: Sequence[Member]) -> dict[str, object]:
    return {"holds": [{"node": one.node, "content": f"member of {array}"} for one in members]}


def _held(one: Member) -> str:
    return f"the array {one.superblock.name}" if one.superblock else one.content


def create_command(raid: Raid, nodes: Sequence[str]) -> list[str]:
    """Options of the config come after ours. With the home host "any", the name is local on every machine.

    The full path: mdadm treats a bare name as a file of the current directory if that exists (/root in an initramfs).
    """
    spares = raid.spares or 0
    argv = ["mdadm", "--create", path_of(raid), "--force", "--run", "--homehost", "any", "--level", raid.level or ""]
    argv += ["--raid-devices", str(len(nodes) - spares), *(["--spare-devices", str(spares)] if spares else [])]
    return [*argv, *raid.options, *nodes]


class AssembleArray(_OfArray):
    """Assemble an array that is right already."""

    kind = "assemble-array"

    def describe(self) -> str:
        return f"use the array {self.path} as it is ({self.place})"

    def already_there(self, context: Context) -> bool:
        running = {one.array for one in self._members}
        return "" not in running and len(running) == 1 and os.path.exists(self.path)

    def execute(self, context: Context) -> None:
        with at(self.place):
            for array in {one.array for one in self._members if one.array}:
                # Partly assembled, or under another name.
                run(["mdadm", "--stop", devices.node_of(array)], why=f"stopping {array}")
            nodes = [one.node for one in self._members]
            run(["mdadm", "--assemble", "--run", "--homehost", "any", self.path, *nodes], why=f"assembling {self.path}")
            node = devices.resolve(self.path)
        devices.settle([node])

    def facts(self) -> dict[str, object]:
        return _members_hold(self.path, self._members)
