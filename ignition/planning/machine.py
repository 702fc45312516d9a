"""The machine that a plan is for: devices as the facts have them, changed by each operation as it would change the real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import singledispatchmethod
from itertools import count
from typing import TYPE_CHECKING, Any, cast

from ignition.config.stacking import volume_paths
from ignition.errors import Failure
from ignition.facts import document
from ignition.facts.document import Content, Device, Facts, replace
from ignition.host import boot_directory, cmdline, devices, machine_disks, root_device
from ignition.host.root_device import encoded
from ignition.operation import Operation
from ignition.storage import clevis, crypt_mapping, filesystems, gpt, guid, luks, luks_header, raid, selection, signatures
from ignition.storage import luks_operations as steps
from ignition.storage.capacity import LUKS_HEADER, Planned
from ignition.storage.disk import DiskFacts, WipeTable, WriteTable, is_inside
from ignition.storage.machine import Machine

if TYPE_CHECKING:
    from ignition.config.model import Config
    from ignition.config.model.storage import Disk, Filesystem, Luks, Raid
    from ignition.host.root_device import RootDevice
    from ignition.operation import Context
    from ignition.storage.gpt import Table
    from ignition.storage.luks import VolumeFacts
    from ignition.storage.luks_keys import Keys
    from ignition.storage.raid import Member
    from ignition.storage.signatures import Signature

_UNNAMED_ROOT = "LABEL=ROOT"
_BLANK = Content()


class PlannedMachine(Machine):
    """Answers as the machine of the facts would, at the moment before the next operation; `apply` moves on.

    `unknown`: the assumptions of the plan, in words.
    """

    def __init__(self, facts: Facts, config: Config) -> None:
        self.facts, self._config = facts, config
        self.devices = {device.node: device for device in facts.devices}
        self._tables = {one.node: table_of(one) for one in facts.devices if one.kind == document.DISK}
        self._selected: dict[str, str] = {}
        self._remains: dict[tuple[str, int], Device] = {}  # (disk, first byte) → what lay there: a table does not erase it
        self._formatted: set[str] = set()  # nodes whose file system is made by the plan
        self.unknown: list[str] = []
        self._closed: list[Device] = []  # open on the running machine, and closed when the disks stage begins
        if not facts.initramfs:
            self._come_to_rest()

    def _come_to_rest(self) -> None:
        """Facts of a running machine: at the next boot nothing is mounted, and only the layers below ROOT are open."""
        root = self.root_node()
        of_root = {root, *self.below(root)} if root in self.devices else set()
        self._closed = [one for one in self.devices.values() if self._is_opened_by_the_stage(one) and one.node not in of_root]
        for one in self._closed:
            del self.devices[one.node]
        open_still = {node for one in self.devices.values() for node in one.below if one.kind != document.PARTITION}
        for node, one in self.devices.items():
            if one.user and node not in open_still:
                self.devices[node] = replace(one, user="")

    def _is_opened_by_the_stage(self, device: Device) -> bool:
        """Arrays and encrypted volumes; volumes of LVM are opened by udev."""
        below = [self.devices[one] for one in device.below if one in self.devices]
        return device.kind == document.ARRAY or (device.kind == document.MAPPING and any(one.luks for one in below))

    # Answers to the stages

    def earlier_steps(self) -> frozenset[str]:
        return frozenset()

    def wait_for(self, devices_: Sequence[str]) -> None:
        missing = [one for one in devices_ if not self.exists(one)]
        if missing:
            raise Failure(
                f"no such device after {devices.WAIT_S:g} s: {', '.join(missing)}",
                fix=f"check the device's name, and that the machine has it; {self._there_are()}",
            )
        for one in devices_:
            if reason := self.devices[self.real(one)].unread:
                raise Failure(f"{one} cannot be read here: {reason}", fix="run the command as root")

    def _there_are(self) -> str:
        disks = [f"{one.node} ({devices.in_words(one.size)})" for one in self.devices.values() if one.kind == document.DISK]
        return f"there {'is' if len(disks) == 1 else 'are'} {', '.join(disks)}" if disks else "there is no disk"

    def exists(self, device: str) -> bool:
        return self.real(device) in self.devices

    def real(self, device: str) -> str:
        if device in self.devices:
            return device
        return next((node for node, one in self.devices.items() if device in self.links(one)), device)

    def links(self, device: Device) -> set[str]:
        """The paths below /dev that lead to a device: those of its hardware, and those of its present contents."""
        of_disk = self.devices.get(device.below[0]) if device.kind == document.PARTITION and device.below else None
        found = {link for link in (of_disk or device).links if "/by-id/" in link or "/by-path/" in link or "/by-diskseq/" in link}
        found |= {link for link, node in self._selected.items() if node == (of_disk or device).node}
        if of_disk:
            found = {f"{link}-part{device.number}" for link in found}
            table = self._tables.get(of_disk.node)
            entry = table.entries.get(device.number) if table else None
            if entry:
                found.add(f"/dev/disk/by-partuuid/{entry.unique_guid}")
                found |= {f"/dev/disk/by-partlabel/{encoded(entry.name)}"} if entry.name else set()
        else:
            found |= {link for link in device.links if link.startswith(("/dev/md/", "/dev/mapper/"))}
        if device.content.label:
            found.add(f"/dev/disk/by-label/{encoded(device.content.label)}")
        if device.content.uuid:
            found.add(f"/dev/disk/by-uuid/{encoded(device.content.uuid)}")
        return found

    def length(self, device: str) -> int | None:
        found = self.devices.get(self.real(device))
        return found.size if found else None

    def below(self, node: str) -> list[str]:
        found, todo = [], [node]
        while todo:
            for one in self.devices[todo.pop()].below:
                found.append(one)
                todo += [one] if one in self.devices else []
        return found

    def partitions(self, node: str) -> list[str]:
        return [one.node for one in self._parts(node)]

    def _parts(self, node: str) -> list[Device]:
        found = [one for one in self.devices.values() if one.kind == document.PARTITION and one.below == (node,)]
        return sorted(found, key=lambda one: one.number)

    def users(self) -> devices.Users:
        return cast("devices.Users", None)  # `user` and the others ask the facts

    def user(self, node: str, users: devices.Users | None = None) -> str:
        found = self.devices[node]
        parts = (f"{one.node.removeprefix('/dev/')} is {one.user}" for one in self._parts(node) if one.user)
        return found.user or next(parts, "")

    def signature(self, node: str) -> Signature:
        found = self.devices[node].content
        return signatures.Signature(found.format, found.label, found.uuid, found.table)

    def table(self, node: str) -> Table | None:
        """The partition table of a disk."""
        return self._tables.get(node)

    def disk(self, wanted: Disk, users: devices.Users) -> DiskFacts:
        node = self.real(wanted.device)
        found = self.devices[node]
        contents = [] if wanted.wipe_table else [_found(one) for one in found.contents]
        table = None if wanted.wipe_table else self._tables.get(node)
        if table is None:
            faults = found.table.faults if found.table else ()
            if found.table and found.table.kind == document.GPT and faults and not wanted.wipe_table:
                raise Failure(faults[0], fix=gpt.DAMAGED_FIX)
            signatures.refuse_other_tables(node, contents)
            table = gpt.empty(found.sector_size, found.size // found.sector_size).drawn()
        return DiskFacts(
            node,
            table,
            in_use={one.number: one.user for one in self._parts(node) if one.user},
            used_whole=found.user,
            content=[one for one in contents if one.format and not is_inside(one.offset, table)],
        )

    def member(self, device: str, users: devices.Users) -> Member:
        found = self.devices[self.real(device)]
        known = found.member
        block = raid.Superblock(known.uuid, known.name, known.level, known.devices, known.events) if known else None
        holder = next((one.node for one in self.devices.values() if one.kind == document.ARRAY and found.node in one.below), "")
        content = "" if block else signatures.described([_found(found.content)] if found.content != _BLANK else [])
        return raid.Member(found.node, block, array=holder.removeprefix("/dev/"), user=self.user(found.node), content=content)

    def members(self, arrays: Sequence[Raid]) -> dict[str, list[Member]]:
        return {one.name: [self.member(device, self.users()) for device in one.devices] for one in arrays}

    def volumes(self, volumes: tuple[Luks, ...], wave: Sequence[int], keys: Keys, context: Context) -> dict[str, VolumeFacts]:
        bindings = luks.check(volumes)
        self.wait_for([volumes[index].device or "" for index in wave])
        return {volumes[index].name: self._volume(volumes[index], bindings[volumes[index].name]) for index in wave}

    def _volume(self, wanted: Luks, binding: clevis.Binding | None) -> VolumeFacts:
        device = self.devices[self.real(wanted.device or "")]
        found = luks.VolumeFacts(device.node, self.signature(device.node))
        found.device = device.node.removeprefix("/dev/")
        known = device.luks
        if known is not None:
            found.binary = luks_header.Binary(known.version, known.label, known.subsystem, known.uuid)
            if known.version == 2:
                tokens = tuple(luks_header.Token(tuple(slots), header) for slots, header in known.tokens)
                found.header = luks_header.Header(
                    uuid=known.uuid,
                    label=known.label,
                    subsystem=known.subsystem,
                    flags=frozenset(known.flags),
                    tokens=tokens,
                )
            if not wanted.wipe_volume:
                self.unknown.append(f"{wanted.device} is assumed to open with the key or pins of the config")
                found.key_opens = True
                found.unlocks_not = {number: "" for number in range(len(known.tokens))}
        mapped = next((one for one in self.devices.values() if one.kind == document.MAPPING and one.name == wanted.name), None)
        if mapped is not None:
            uuid = known.uuid if known and device.node in mapped.below else ""
            below = tuple(one.removeprefix("/dev/") for one in mapped.below)
            found.mapping = crypt_mapping.Mapping(mapped.name, mapped.node.removeprefix("/dev/"), uuid, below)
            found.used = mapped.user
        elif device.user:
            found.in_use = self.user(device.node)
        return found

    def root_device(self) -> RootDevice | None:
        given = self.facts.kernel_arguments
        named, flags = cmdline.last(given, "root") or _UNNAMED_ROOT, cmdline.last(given, "rootflags")
        return root_device.named(named, format=cmdline.last(given, "rootfstype"), flags=flags)

    def root_node(self) -> str:
        """The node of the present ROOT; "" without one."""
        device = self.root_device()
        return (device.node(self.real, self.exists) if device else "") or self.facts.root

    def command_line(self) -> str:
        return self.facts.kernel_arguments

    def boot_partition(self) -> str:
        place = boot_directory.find(self.command_line())
        # The label of a FAT that is made by the image is that of its partition.
        node = self.real(place.link if place.is_given else "/dev/disk/by-partlabel/EFI-SYSTEM")
        return node if node in self.devices else ""

    def filled(self, node: str) -> int:
        """Bytes that the file system on a device takes: all that there were before the plan, unless it is made by the plan."""
        size = self.devices[node].size
        before = next((one.size for one in self.facts.devices if one.node == node), size)
        return size if node in self._formatted else min(before, size)

    def is_formatted(self, device: str) -> bool:
        """Whether the plan makes the file system on a device."""
        return self.real(device) in self._formatted

    def _new_node(self, kind: str, name: str = "") -> str:
        """The kernel's node of a new array or mapping: mdadm(8) counts from 127 downwards, the device mapper from 0."""
        if kind == document.ARRAY and name.isascii() and name.isdecimal():
            return f"/dev/md{name}"
        names = (f"/dev/md{127 - number}" if kind == document.ARRAY else f"/dev/dm-{number}" for number in count())
        return next(node for node in names if node not in self.devices)

    def has_efi(self) -> bool:
        return self.facts.efi

    def table_around(self, node: str) -> tuple[str, Table | None] | None:
        found = self.devices[node]
        return (found.below[0], self._tables.get(found.below[0])) if found.kind == document.PARTITION else None

    def used_bytes(self, node: str) -> int:
        return self.devices[node].used

    def memory(self) -> tuple[int, int]:
        if not self.facts.memory:
            self.unknown.append("the machine is assumed to have memory enough to keep ROOT's contents in")
            return 1 << 50, 1 << 50
        return self.facts.memory, self.facts.available

    def disks(self) -> list[machine_disks.MachineDisk]:
        """For the selection of disks by their properties."""
        root = self.root_node()
        of_system = {root, *self.below(root)} if root in self.devices else set()
        return [
            machine_disks.MachineDisk(
                one.node.removeprefix("/dev/"),
                one.size,
                serials=one.serials,
                models=one.models,
                transport=one.transport,
                removable=one.removable,
                user="it holds ROOT" if one.node in of_system else self.user(one.node),
            )
            for one in self.devices.values()
            if one.kind == document.DISK
        ]

    # Effects of operations

    @singledispatchmethod
    def apply(self, operation: Operation) -> None:
        """Change the devices as this operation will. Raises Failure if it would fail."""

    @apply.register
    def _select(self, operation: selection.SelectDisk) -> None:
        matching, others = selection.choose(operation.wanted, self.disks())
        if len(matching) != 1:
            failure = selection.problem(operation.wanted, matching, others)
            failure.where = f"{operation.place}.x-coreos.select"
            raise failure
        self._selected[operation.path] = devices.node_of(matching[0].name)

    @apply.register
    def _wipe(self, operation: WipeTable) -> None:
        node = operation.table[0]
        self._drop(node, self.partitions(node))
        self._tables[node] = None
        self.devices[node] = replace(self.devices[node], content=_BLANK, contents=(), table=None, member=None, luks=None)

    @apply.register
    def _write(self, operation: WriteTable) -> None:
        node, table = operation.table
        if table is None:
            return
        before = {one.number: one for one in self._parts(node)}
        size = table.sector_size
        changed = {change.number for change in operation.changes}
        kept = {number for number in before if number in table.entries and number not in changed}
        self._drop(node, [one.node for number, one in before.items() if number not in kept])
        self._tables[node] = table
        for number, entry in table.entries.items():
            if number not in kept:
                self._appear(node, number, entry.first * size, entry.sectors * size)

    def _drop(self, node: str, gone: Sequence[str]) -> None:
        table = self._tables.get(node)
        for one in gone:
            found = self.devices.pop(one)
            entry = table.entries.get(found.number) if table else None
            if table and entry:
                self._remains[node, entry.first * table.sector_size] = found

    def _appear(self, disk_node: str, number: int, start: int, size: int) -> None:
        node = devices.partition_node(disk_node, number)
        left = self._remains.get((disk_node, start))
        found = Device(node, document.PARTITION, size, below=(disk_node,), number=number)
        if left is not None:
            found = replace(
                found, content=left.content, contents=left.contents, member=left.member, luks=left.luks, used=left.used
            )
        self.devices[node] = found

    @apply.register
    def _array(self, operation: raid.CreateArray) -> None:
        array = operation.raid
        tables = {node: table for node, table in self._tables.items() if table}
        size = Planned(tables, self.length, real=self.real).of(operation.path, self._config.storage) or 0
        members = tuple(self.real(one) for one in array.devices)
        level = raid.LEVELS.get(array.level or "", array.level or "")
        block = document.Member(f"new {array.name}", array.name, level, len(members) - (array.spares or 0), 0)
        for one in members:
            content = Content("linux_raid_member", array.name)
            held = f"member of the array {operation.path}"
            self.devices[one] = replace(self.devices[one], content=content, member=block, user=held)
        self._put_array(operation.path, size, members)

    def _put_array(self, path: str, size: int, members: tuple[str, ...]) -> str:
        node = self.real(path) if self.exists(path) else self._new_node(document.ARRAY, path.rpartition("/")[2])
        self.devices[node] = Device(node, document.ARRAY, size, below=members, links=(path,))
        return node

    @apply.register
    def _assemble(self, operation: raid.AssembleArray) -> None:
        if self.exists(operation.path) or self._reopen(lambda one: operation.path in one.links):
            return
        array = next(one for one in self._config.storage.raid if raid.path_of(one) == operation.path)
        members = tuple(self.real(one) for one in array.devices)
        sizes = min(self.devices[one].size for one in members)
        self._assume(self._put_array(operation.path, sizes, members), operation.path)

    def _assume(self, node: str, path: str) -> None:
        """A device that is closed until the boot: its content is assumed to be as the config wants it."""
        wanted = next((one for one in self._config.storage.filesystems if one.device == path), None)
        inner = next((one for one in self._config.storage.luks if one.device == path), None)
        content = Content("crypto_LUKS", inner.label or "", inner.uuid or "") if inner else _content(wanted)
        header = document.Luks(2, inner.label or "", inner.uuid or "") if inner else None
        self.devices[node] = replace(self.devices[node], content=content, luks=header)
        self.unknown.append(f"{path} is closed: it is assumed to be as the config wants it")

    def _reopen(self, is_it: Callable[[Device], bool]) -> bool:
        """A device that was open when the facts were collected, so that its content is known; False if it was not."""
        for one in filter(is_it, self._closed):
            node = self._new_node(one.kind, one.name)
            self.devices[node] = replace(one, node=node, user="")
            others = [other for other in self._closed if other is not one]
            self._closed = [
                replace(other, below=tuple(node if below == one.node else below for below in other.below)) for other in others
            ]
            return True
        return False

    @apply.register
    def _format_volume(self, operation: steps.FormatVolume) -> None:
        volume, node = operation.volume, operation.volume.node
        if operation.keeps:
            return
        found = volume.config
        for mapped in [one for one in self.devices.values() if one.kind == document.MAPPING and one.name == volume.name]:
            del self.devices[mapped.node]
        header = document.Luks(2, found.label or "", (found.uuid or "").lower(), luks_header.UNFINISHED)
        content = Content("crypto_LUKS", header.label, header.uuid)
        self.devices[node] = replace(self.devices[node], content=content, luks=header, member=None)
        self._open(volume, is_new=True)

    @apply.register
    def _open_volume(self, operation: steps.OpenVolume) -> None:
        self._open(operation.volume, is_new=False)

    @apply.register
    def _unlock_volume(self, operation: steps.UnlockVolume) -> None:
        self._open(operation.volume, is_new=False)

    @apply.register
    def _bind(self, operation: steps.BindVolume) -> None:
        found = self.devices[operation.volume.node]
        if found.luks is not None and not operation.keeps:
            slot = max((slot for slots, _ in found.luks.tokens for slot in slots), default=0) + 1  # the key has the first
            self.devices[found.node] = replace(found, luks=replace(found.luks, tokens=(*found.luks.tokens, ((slot,), {}))))

    @apply.register
    def _finish(self, operation: steps.FinishVolume) -> None:
        found = self.devices[operation.volume.node]
        if found.luks is not None:
            self.devices[found.node] = replace(found, luks=replace(found.luks, subsystem=""))

    def is_finished(self, node: str) -> bool:
        """Whether a volume has no mark of an unfinished one."""
        found = self.devices[node].luks
        return found is None or found.subsystem != luks_header.UNFINISHED

    def _open(self, volume: steps.Volume, *, is_new: bool) -> None:
        path, other = volume_paths(volume.name)
        if any(one.kind == document.MAPPING and one.name == volume.name for one in self.devices.values()):
            return
        if not is_new and self._reopen(lambda one: one.name == volume.name and volume.node in one.below):
            return
        below = self.devices[volume.node]
        size = max(0, below.size - LUKS_HEADER)
        node = self._new_node(document.MAPPING)
        self.devices[node] = Device(node, document.MAPPING, size, below=(volume.node,), name=volume.name, links=(path, other))
        self.devices[volume.node] = replace(below, user=f"held by the encrypted volume {volume.name}")
        if not is_new:
            self._assume(node, path)

    @apply.register
    def _make(self, operation: filesystems.MakeFilesystem) -> None:
        if not operation.keeps:
            found = self.devices[operation.node]
            self.devices[operation.node] = replace(found, content=_content(operation.wanted), member=None, luks=None, used=0)
            self._formatted.add(operation.node)


def _content(wanted: Filesystem | None) -> Content:
    if wanted is None or wanted.format in (None, filesystems.NONE):
        return _BLANK
    return Content(wanted.format or "", wanted.label or "", (wanted.uuid or "").lower())


def _found(one: Content) -> signatures.Found:
    row: Mapping[str, Any] = {
        "type": one.table or one.format,
        "usage": "partition-table" if one.table else "",
        "label": one.label,
        "uuid": one.uuid,
        "offset": str(one.offset),
    }
    return signatures.Found(row)


def table_of(device: Device) -> Table | None:
    """The GPT of a disk as the stages know it; None without a readable one."""
    found = device.table
    if found is None or found.kind != document.GPT or not found.guid:
        return None
    table = gpt.empty(device.sector_size, device.size // device.sector_size)
    table = table.laid_out(
        disk_guid=guid.to_bytes(found.guid),
        first_usable=found.first_usable,
        last_usable=found.last_usable,
        alternate=found.backup_at,
        entry_count=found.places,
    )
    entries = {}
    for part in found.parts:
        made = gpt.new_entry(
            part.start,
            part.start + part.size - 1,
            type_guid=part.type_guid,
            unique=guid.to_bytes(part.guid),
            name=part.label,
        )
        entries[part.number] = made.with_attributes(part.attributes)
    table = table.with_entries(entries)
    table.faults = found.faults
    return table
