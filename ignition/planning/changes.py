"""The contents of a plan: each operation as the change that it makes, and the disks before and after."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from ignition.applied.machine import Machine
from ignition.display.changes import ADDED, CHANGED, GROWN, KEPT, LOST, MADE, REMOVED, SAME, SHRUNK, Change, DiskView, PartView
from ignition.errors import Failure
from ignition.facts import document
from ignition.fetch import sealed
from ignition.host import cmdline
from ignition.host.reading import lines, read_text
from ignition.operation import Left
from ignition.planning.stages import Planned, Planner
from ignition.planning.tree import UnknownContent
from ignition.stages.kargs import SetKernelArguments
from ignition.storage import filesystems, raid
from ignition.storage import luks_operations as steps
from ignition.sysroot.named_filesystems import Inside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ignition.facts.document import Content, Device
    from ignition.operation import Context
    from ignition.planning.machine import PlannedMachine
    from ignition.planning.overlay import Overlay

_NODES = {"write-file": "file", "make-directory": "directory", "make-symlink": "link", "make-hard-link": "hard link"}
_DIGESTS = ("sha512", "sha256")
_MOST_TEXT = 1 << 20
_CONTEXT = 3  # lines around a difference
_OTHERS_READ = 0o004
_SILENT = ("user", "group", "type")  # the numbers say it
_BLANK = document.Content()
_HEADINGS = {"kargs": "Kernel arguments", "disks": "Storage"}
_PEOPLE = ("user", "group", "SSH keys")
RUNNING = "cloudinit"  # the stage of operations on a machine that runs
HOSTNAME, ACTION = "host name", "action"  # kinds of changes of a machine that runs
_OWN_HEADINGS = {HOSTNAME: "Host name", ACTION: "Actions"}
_HOSTNAME_FILE = "/etc/hostname"


class Changes:
    """Collects the changes of a plan while it is made. `where` turns a place of the config into one of the author's text.

    `context` and `overlay` are the root that is planned for. `machine`: None without plans for devices. `shows_contents`: also of
    files that not everyone may read.
    """

    def __init__(
        self,
        context: Context,
        overlay: Overlay,
        machine: PlannedMachine | None,
        where: Callable[[str], str],
        *,
        shows_contents: bool,
    ) -> None:
        self._context, self._overlay, self._machine = context, overlay, machine
        self._where, self._shows = where, shows_contents
        self.steps: list[Planned] = []
        self.entries: list[tuple[str, Change]] = []  # stage, change
        self.reformatted: set[str] = set()  # nodes that are formatted
        self.lost: list[str] = []

    @classmethod
    def of(cls, planner: Planner, where: Callable[[str], str], *, shows_contents: bool) -> Changes:
        """Those of a boot."""
        return cls(planner.context, planner.overlay, planner.machine, where, shows_contents=shows_contents)

    def seen(self, planned: Planned) -> None:
        """Called for each operation before its effect."""
        self.steps.append(planned)
        self.entries += [(planned.stage, change) for change in self._changes(planned)]

    def _changes(self, planned: Planned) -> Iterator[Change]:
        operation = planned.operation
        if self._machine is not None and isinstance(operation, SetKernelArguments):
            yield from self._arguments(operation, self._machine)
        elif self._machine is not None and planned.stage == "disks":
            yield from self._of_device(planned, self._machine)
        elif isinstance(operation, Inside):
            yield from self._of_named(planned, operation)
        elif planned.stage == "files":
            yield from self._of_files(planned)
        elif planned.stage == RUNNING:
            for left in planned.lefts:
                yield self._hostname(planned, left) if left.kind == HOSTNAME else self._if_readable(planned, left)
            if not planned.lefts:
                sign = SAME if planned.is_there else ADDED
                yield Change(sign, ACTION, operation.describe(), place=self._where(operation.place))

    def _of_files(self, planned: Planned) -> Iterator[Change]:
        operation = planned.operation
        for left in planned.lefts:
            yield self._of_left(planned, left)
        if operation.sealed and not planned.lefts:  # which pins are needed is worth a line of its own
            yield Change(ADDED, ACTION, operation.describe(), place=self._where(operation.place))
        if operation.kind == "remove-user":
            self.lost.append(f"the home of user {operation.path}")

    def _arguments(self, operation: SetKernelArguments, machine: PlannedMachine) -> Iterator[Change]:
        present = machine.command_line()
        for name, argument in enumerate(operation.wanted.should_exist):
            sign = SAME if cmdline.has(present, argument) else ADDED
            yield Change(sign, "kernel argument", argument, place=self._where(f"$.kernelArguments.shouldExist.{name}"))
        for name, argument in enumerate(operation.wanted.should_not_exist):
            if cmdline.has(present, argument):
                yield Change(REMOVED, "kernel argument", argument, place=self._where(f"$.kernelArguments.shouldNotExist.{name}"))

    def _of_device(self, planned: Planned, machine: PlannedMachine) -> Iterator[Change]:
        operation = planned.operation
        place = self._where(operation.place)
        if isinstance(operation, filesystems.MakeFilesystem):
            wanted, node = operation.wanted, operation.node
            details = self._replacing(node, planned, machine)
            label = f"{wanted.format} {wanted.label!r}" if wanted.label else str(wanted.format)
            kind = "swap area" if wanted.format == "swap" else "file system"
            yield Change(SAME if operation.keeps else ADDED, kind, operation.path, place=place, details=[label, *details])
        elif isinstance(operation, raid.CreateArray | raid.AssembleArray):
            details = [f"{operation.raid.level} of {', '.join(operation.raid.devices)}"]
            is_new = isinstance(operation, raid.CreateArray)
            for device in operation.raid.devices if is_new else ():
                details += self._replacing(machine.real(device), planned, machine)
            yield Change(ADDED if is_new else SAME, "array", operation.path, place=place, details=details)
        elif isinstance(operation, steps.FormatVolume):
            volume = operation.volume
            key = sealed.words_of(volume.config.key_file)
            details = [f"on {volume.device}", *([f"key sealed ({key})"] if key else [])]
            details += self._replacing(volume.node, planned, machine)
            sign = SAME if operation.keeps else ADDED
            yield Change(sign, "encrypted volume", volume.name, place=self._where(volume.where), details=details)

    def _replacing(self, node: str, planned: Planned, machine: PlannedMachine) -> list[str]:
        """The content that a device loses when it is formatted."""
        if getattr(planned.operation, "keeps", False):
            return []
        device = machine.devices[node]
        self.reformatted.add(node)
        if device.content == _BLANK:
            return []
        held = words(device.content)
        self.lost.append(f"{held} on {node} ({_size(device.size)})")
        return [f"replaces {held}"]

    def _of_left(self, planned: Planned, left: Left) -> Change:
        operation = planned.operation
        found, place = self._present(left), self._where(left.place or operation.place)
        if left.members is None:
            return Change(SAME if found is None else REMOVED, left.kind, left.name, place=place)
        if found is not None and planned.is_there:
            return Change(SAME, left.kind, left.name, place=place)
        details, data = _differences(left, found)
        diff: list[str] = []
        if left.kind == "file":
            more, diff = self._content(planned, left, found)
            details += more
        elif left.kind == "SSH keys":
            count = len(left.members.get("keys", ()))
            details.append(f"{count} key{'' if count == 1 else 's'}")
        if found is not None and not details and not diff:
            details.append(operation.describe())
        return Change(
            ADDED if found is None else CHANGED, left.kind, left.name, place=place, details=details, diff=diff, data=data
        )

    def _of_named(self, planned: Planned, operation: Inside) -> Iterator[Change]:
        """A node of a 2.x named file system."""
        kind = _NODES.get(operation.kind)
        if kind:
            sign = SAME if planned.is_there else CHANGED if operation.exists(self._context) else ADDED
            details = [f"on file system {operation.filesystem}"]
            yield Change(sign, kind, operation.path, place=self._where(operation.place), details=details)

    def _if_readable(self, planned: Planned, left: Left) -> Change:
        """On a machine that runs, anybody may plan."""
        try:
            return self._of_left(planned, left)
        except Failure as failure:
            return Change(CHANGED, left.kind, left.name, details=[failure.what])

    def _hostname(self, planned: Planned, left: Left) -> Change:
        before = (read_text(self._context.root, _HOSTNAME_FILE) or "").strip()
        sign = SAME if planned.is_there else CHANGED if before else ADDED
        details = [f"instead of {before}"] if before not in ("", left.name) else []
        return Change(sign, HOSTNAME, left.name, details=details, data={"before": before} if details else {})

    def _present(self, left: Left) -> dict[str, Any] | None:
        """The thing as it is now, without its content if that is not known; None if there is none."""
        machine = Machine(self._context)
        try:
            return machine.look(left)
        except UnknownContent:
            known = {name: value for name, value in (left.members or {}).items() if name not in _DIGESTS}
            return machine.look(Left("file", left.name, known))
        except OSError:
            return None

    def _content(self, planned: Planned, left: Left, found: dict[str, Any] | None) -> tuple[list[str], list[str]]:
        """Size in words, and the lines of the diff where the content may be shown."""
        context = self._context
        if planned.operation.sealed:
            return [f"content sealed ({planned.operation.sealed})"], []
        try:
            after = planned.operation.content(context)
        except (Failure, OSError):
            after = None
        if after is None:
            return ["content from elsewhere, not fetched for this plan"], []
        before, path = b"", context.root.resolve(left.name)
        if found is not None:
            try:
                before = self._overlay.read(path)
            except (Failure, OSError):
                return [f"{len(after)} bytes", "its present content is not known"], []
        size = f"{len(after)} bytes" if found is None else f"{len(before)} → {len(after)} bytes"
        mode = int(str((left.members or {}).get("mode", "0644")), 8)
        is_open = self._shows or (mode & _OTHERS_READ and (found is None or int(str(found["mode"]), 8) & _OTHERS_READ))
        if before == after:
            return [], []
        if not is_open:
            return [size, "content not shown (--show-contents)"], []
        return [size], difference(before, after)


def _differences(left: Left, found: dict[str, Any] | None) -> tuple[list[str], dict[str, Any]]:
    """The members of a thing that change, in words and for tools; `found` are the present ones, None without them."""
    details: list[str] = []
    data: dict[str, Any] = {}
    for name, wanted in (left.members or {}).items():
        present = (found or {}).get(name)
        if name in _SILENT or name in _DIGESTS or name == "keys" or wanted == present:
            continue
        if isinstance(wanted, list):
            wanted = [one for one in wanted if one not in (present or ())]
            if not wanted:
                continue
            details.append(f"{name} with {_value(wanted)}")
            data[name] = {"before": present, "added": wanted}
            continue
        details.append(f"{name} {_value(wanted)}" if found is None else f"{name} {_value(present)} → {_value(wanted)}")
        data[name] = {"before": present, "after": wanted} if found is not None else wanted
    return details, data


def groups(entries: Iterable[tuple[str, Change]]) -> dict[str, list[Change]]:
    """Changes by heading, in the order of a boot."""
    found: dict[str, list[Change]] = {
        "Kernel arguments": [],
        "Storage": [],
        "Host name": [],
        "Users and groups": [],
        "Files and units": [],
        "Actions": [],
    }
    for stage, change in entries:
        of_files = "Users and groups" if change.kind in _PEOPLE else "Files and units"
        found[_HEADINGS.get(stage, _OWN_HEADINGS.get(change.kind, of_files))].append(change)
    return found


def difference(before: bytes, after: bytes) -> list[str]:
    """The lines of a unified diff without its header; empty for binary content."""
    try:
        one, other = before.decode("utf-8"), after.decode("utf-8")
    except UnicodeDecodeError:
        return []
    if "\0" in one or "\0" in other or max(len(one), len(other)) > _MOST_TEXT:
        return []
    found = list(difflib.unified_diff(lines(one), lines(other), lineterm="", n=_CONTEXT))
    return [line for line in found[2:] if before or not line.startswith("@@")]


def words(content: Content) -> str:
    """The content of a device: `ext4 'data'`."""
    if content.table:
        return f"a {content.table} partition table"
    return f"{content.format} {content.label!r}" if content.label else content.format


def disk_views(planner: Planner, changes: Changes) -> list[DiskView]:
    """The disks whose partitions or contents change, and the one with ROOT."""
    views = []
    for disk in planner.machine.facts.devices:
        if disk.kind == document.DISK and disk.node in planner.machine.devices:
            before = list(_parts_before(planner, disk))
            after = list(_parts_after(planner, disk, before, changes))
            wanted = {planner.machine.real(one.device) for one in planner.config.storage.disks}
            if disk.node in wanted or any(part.fate != KEPT for part in (*before, *after)):
                views.append(DiskView(disk.node, disk.size, before, after, model=", ".join(disk.models[:1])))
    return views


def _parts_before(planner: Planner, disk: Device) -> Iterator[PartView]:
    nodes = {one.number: one for one in planner.machine.facts.devices if one.below == (disk.node,) and one.number}
    if disk.table and disk.table.parts:
        for part in disk.table.parts:
            device = nodes.get(part.number)
            size = disk.sector_size
            yield PartView(
                part.number,
                part.start * size,
                part.size * size,
                label=part.label,
                type_guid=part.type_guid,
                guid=part.guid,
                content=words(device.content) if device else "",
            )
    elif disk.content != _BLANK or disk.contents:
        content = disk.content if disk.content != _BLANK else disk.contents[0]
        yield PartView(0, 0, disk.size, content=words(content))


def _parts_after(planner: Planner, disk: Device, before: list[PartView], changes: Changes) -> Iterator[PartView]:
    """The parts of the future table; the fates of those before are decided on the way."""
    machine = planner.machine
    table = machine.table(disk.node)
    old = {(part.number, part.start): part for part in before}
    kept: set[int] = set()
    for number, entry in sorted(table.entries.items()) if table else ():
        size = table.sector_size if table else 512
        node = next((one.node for one in machine.devices.values() if one.below == (disk.node,) and one.number == number), "")
        device = machine.devices.get(node)
        part = old.get((number, entry.first * size))
        fate = MADE
        length = planner.grown.get(node, entry.sectors * size)
        if part is not None:
            kept.add(id(part))
            fate = KEPT if length == part.size else GROWN if length > part.size else SHRUNK
            if node in changes.reformatted:
                part.fate = LOST if part.content else part.fate
                fate = MADE
        yield PartView(
            number,
            entry.first * size,
            length,
            label=entry.name,
            type_guid=entry.type_guid,
            guid=entry.unique_guid,
            content=words(device.content) if device else "",
            fate=fate,
        )
    if table is None and disk.node not in changes.reformatted:
        yield from (part for part in before if part.number == 0 and machine.devices[disk.node].content != _BLANK)
        kept |= {id(part) for part in before if machine.devices[disk.node].content != _BLANK}
    elif table is None:
        yield PartView(0, 0, disk.size, content=words(machine.devices[disk.node].content), fate=MADE)
    for part in before:
        if id(part) not in kept:
            part.fate = LOST


def losses(views: list[DiskView], changes: Changes) -> list[str]:
    """The losses, in words: contents of partitions and disks, and those that operations named."""
    found = [_loss(view, part) for view in views for part in view.before if part.fate == LOST and part.content]
    devices = [one for one in changes.lost if not any(f"on {view.device}" in one for view in views)]
    return [*found, *devices]


def _loss(view: DiskView, part: PartView) -> str:
    what = f"{part.content} ({_size(part.size)})"
    label = f" {part.label!r}" if part.label else ""
    return f"{view.device} partition {part.number}{label}: {what}" if part.number else f"{view.device}: {what}"


def _size(size: int) -> str:
    from ignition.host.devices import in_words

    return in_words(size)


def _value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value) if value not in ("", None) else "none"
