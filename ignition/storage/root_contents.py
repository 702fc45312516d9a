"""ROOT recreated by the config: its contents are held in memory while its disk changes, and copied back.

As on Fedora CoreOS (docs/reference/boot.md §8.3, transposefs), with everything checked before the first change: the contents fit
into memory and into the new ROOT, the kernel command line finds the new ROOT, and later boots can open it. The memory is a
compressed zram disk (Documentation/admin-guide/blockdev/zram.rst in the kernel), not a tmpfs: before Linux 6.6 tmpfs does not
keep user extended attributes, and compression saves space.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress

from ignition.config.stacking import below_volumes, volume_paths
from ignition.errors import Failure, at, refusing
from ignition.host import cmdline, devices, first_boot_mark, progress, temporary_mount
from ignition.host.command import run
from ignition.host.limits import MIB
from ignition.host.root_device import RootDevice
from ignition.operation import Context, Operation
from ignition.storage import new_root
from ignition.storage.capacity import Planned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model.storage import Filesystem, Luks, Storage
    from ignition.storage.machine import Machine
    from ignition.storage.signatures import Signature


def available_memory(path: str = "/proc/meminfo") -> tuple[int, int]:
    """(total memory, memory available without swapping) in bytes: MemTotal and MemAvailable, proc(5)."""
    with open(path, encoding="ascii") as file:
        rows = dict(line.split(":", 1) for line in file if ":" in line)
    total, available = (int(rows[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    return total, available


class MemoryDisk:
    """An ext4 file system in memory, mounted at `directory` between `open` and `close`."""

    def __init__(self, directory: str) -> None:
        self.directory, self._number = directory, ""

    def open(self, size: int) -> None:
        """Create and mount it for `size` bytes of contents. Raises Failure."""
        run(["modprobe", "zram", "num_devices=0"], why="loading zram, which holds ROOT in memory")
        try:
            with open(f"{devices.SYSFS}/class/zram-control/hot_add", encoding="ascii") as file:
                self._number = file.read().strip()
            self._set("disksize", str(size))
        except OSError as error:
            raise Failure(f"no disk in memory: {error.strerror}", fix="use a kernel with zram") from error
        node = f"/dev/zram{self._number}"
        devices.wait_for([node])
        # Without a journal: a power cut loses it anyway. Many inodes: it holds a whole root.
        run(["mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-m", "0", "-i", "4096", node], why="making a file system in memory")
        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        run(["mount", "-t", "ext4", node, self.directory], why="mounting the file system in memory")

    def close(self) -> None:
        """Unmount it and free the memory. Raises Failure."""
        run(["umount", self.directory], why="unmounting the file system in memory")
        os.rmdir(self.directory)
        self._set("reset", "1")
        with open(f"{devices.SYSFS}/class/zram-control/hot_remove", "w", encoding="ascii") as file:
            file.write(self._number)

    def _set(self, name: str, value: str) -> None:
        with open(f"{devices.SYSFS}/block/zram{self._number}/{name}", "w", encoding="ascii") as file:
            file.write(value)


DIRECTORY = "/run/ignition/root-contents"
COPY_TIMEOUT_S = 3600.0
RESERVE = 256 * MIB  # for the kernel and for the tools that create arrays and file systems
PBKDF = 1024 * MIB  # used by cryptsetup to derive a key, at most half of the memory (cryptsetup(8), --pbkdf-memory)
ROOM = 1.15  # a file system of another kind needs a little more for the same files
KARGS_HELPER = "ignition-kargs-helper"


class RootFacts:
    """The present ROOT: node, `used` bytes of files; `total` and `available` bytes of memory.

    `node`: "" without a ROOT. `lost_by`: the place in the config by which it loses its content, "" if it is kept. `names`: the
    config's names for it.
    """

    def __init__(
        self,
        node: str,
        *,
        used: int = 0,
        memory: tuple[int, int] = (0, 0),
        lost_by: str = "",
        names: frozenset[str] = frozenset(),
    ) -> None:
        self.node, self.used, self.lost_by, self.names = node, used, lost_by, names
        self.total, self.available = memory


def probe(storage: Storage, device: RootDevice, lost: Mapping[str, str], machine: Machine) -> RootFacts:
    """Find ROOT, by its link or among the devices that lose their content; one of the latter is mounted read-only meanwhile."""
    node = device.node(machine.real, machine.exists) or next(
        (one for one in lost if _is_root(device, machine.signature(one))), ""
    )
    hit = next((one for one in [node, *machine.below(node)] if one in lost), "") if node else ""
    if not hit:
        names = frozenset(entry.device for entry in storage.filesystems if node and machine.real(entry.device) == node)
        return RootFacts(node, names=names)
    return RootFacts(node, used=machine.used_bytes(node), memory=machine.memory(), lost_by=lost[hit])


def _is_root(device: RootDevice, found: Signature) -> bool:
    return bool(found.format) and device.is_file_system(found.label, found.uuid)


class RootPlan:
    """The operations before ROOT's device changes, and after all storage exists. Both empty: ROOT is kept.

    `volume`: the name of the encrypted volume that contains the new ROOT, "" without one. `storage`: the config's, with the label
    or UUID by which later boots find the new ROOT. `held`: its node if the contents are in memory meanwhile.
    """

    def __init__(
        self,
        storage: Storage,
        before: list[Operation],
        after: list[Operation],
        volume: str = "",
        held: str = "",
    ) -> None:
        self.storage, self.before, self.after, self.volume, self.held = storage, before, after, volume, held


@refusing()
def plan(storage: Storage, device: RootDevice, facts: RootFacts, planned: Planned) -> RootPlan:
    """Pure. Raises Failure if the machine would not boot with the ROOT of the config."""
    found = new_root.find(storage, device, facts, planned)
    new = found[0] if found else None
    if not facts.lost_by:
        if new and not facts.node:
            raise Failure(
                f"the config makes the file system {device.text}, and there is no ROOT to copy its contents from: "
                "the operating system would be missing",
                where=f"$.storage.filesystems.{new[0]}",
                fix="write the machine image to the disk again",
            )
        if new and new[1].device not in facts.names:
            raise Failure(
                f"there would be two file systems {device.text}: this one, and {facts.node}, which the config keeps",
                where=f"$.storage.filesystems.{new[0]}",
                fix="wipe the old one as well (wipeFilesystem), or use it for another purpose",
            )
        return RootPlan(storage, [], [])
    if new is None:
        raise Failure(
            f"this overwrites ROOT ({facts.node}), and the config does not create a file system {device.text}",
            where=facts.lost_by,
            fix=f"keep ROOT, or make another one: {_wish(device)}",
        )
    index, filesystem = new
    new_root.announce(storage.filesystems[index], filesystem, device)
    storage = storage.evolve(filesystems=tuple((dict(enumerate(storage.filesystems)) | dict(found)).values()))
    where = f"$.storage.filesystems.{index}"
    volume = _volume_of(storage, filesystem.device)
    # A key from the config may be chosen by a person; deriving generated ones needs little memory.
    derives_keys = any(volume.key_file.source for volume in storage.luks)
    _check_memory(facts, RESERVE + (min(PBKDF, facts.total // 2) if derives_keys else 0))
    _check_room(facts, planned.of(filesystem.device, storage), where)
    memory = MemoryDisk(DIRECTORY)
    after: list[Operation] = [ReturnRoot(filesystem, facts, memory, where)]
    if volume:
        after.append(TellBootLoader(*volume))
    return RootPlan(storage, [HoldRoot(facts, memory)], after, volume[0].name if volume else "", facts.node)


def _wish(device: RootDevice) -> str:
    member = {"LABEL": f"the label {device.value}", "UUID": f"the uuid {device.value}"}.get(device.kind)
    return f"set {member} on a file system" if member else f"create a file system on {device.link}"


def _check_memory(facts: RootFacts, reserve: int) -> None:
    if facts.used + reserve > facts.available:
        raise Failure(
            f"ROOT's contents do not fit into memory: {_mib(facts.used)} MiB of files and {_mib(reserve)} MiB of working memory, "
            f"and {_mib(facts.available)} MiB are available",
            where=facts.lost_by,
            fix="add memory to the machine for its first boot, or keep ROOT",
        )


def _check_room(facts: RootFacts, capacity: int | None, where: str) -> None:
    space = int(facts.used * ROOM)
    if capacity is not None and space > capacity:
        raise Failure(
            f"ROOT's contents do not fit into the new ROOT: {_mib(facts.used)} MiB of files need {_mib(space)} MiB, "
            f"and it will have {_mib(capacity)} MiB",
            where=where,
            fix="use a larger device",
        )


def _volume_of(storage: Storage, device: str) -> tuple[Luks, str] | None:
    """The encrypted volume that contains the new ROOT, and its place. Raises Failure for one that later boots could not open."""
    for index, volume in enumerate(storage.luks):
        if device in volume_paths(volume.name):
            where, clevis = f"$.storage.luks.{index}", volume.clevis
            if not (clevis.custom.pin or clevis.tang or clevis.tpm2 or clevis.threshold):
                raise Failure(
                    f"ROOT would be inside {volume.name}, with its key on ROOT itself: the next boot could not open it",
                    where=where,
                    fix="add clevis (a tang server, or tpm2)",
                )
            if below_volumes(storage.luks)[index]:
                raise Failure(
                    f"ROOT would be inside {volume.name}, which is inside another encrypted volume: the boot opens only one",
                    where=f"{where}.device",
                    fix="name a device that is not encrypted",
                )
            return volume, where
    return None


class HoldRoot(Operation):
    """Copy ROOT into memory, and note it beside the first-boot flag: from now on a power cut loses it."""

    kind = "hold-root"

    def __init__(self, facts: RootFacts, memory: MemoryDisk) -> None:
        self.path, self._facts, self._memory = facts.node, facts, memory

    def describe(self) -> str:
        return f"hold ROOT's contents ({_mib(self._facts.used)} MiB of files on {self.path}) in memory"

    def execute(self, context: Context) -> None:
        with at(self._facts.lost_by):
            self._memory.open(int(self._facts.used * ROOM) + 64 * MIB)
            with temporary_mount.mounted(self.path, ("auto",), ("ro",)) as source:
                copy(source, self._memory.directory)
            first_boot_mark.note(first_boot_mark.ROOT_IN_MEMORY)


class ReturnRoot(Operation):
    """Copy ROOT's contents from memory into the new file system."""

    kind = "return-root"

    def __init__(self, filesystem: Filesystem, facts: RootFacts, memory: MemoryDisk, where: str) -> None:
        self.path, self._filesystem, self._facts, self._memory = filesystem.device, filesystem, facts, memory
        self.place = where

    def describe(self) -> str:
        return f"put ROOT's contents ({_mib(self._facts.used)} MiB of files) back, onto {self.path} ({self.place})"

    def execute(self, context: Context) -> None:
        wanted = self._filesystem
        node = devices.resolve(wanted.device)
        with at(self.place), temporary_mount.mounted(node, (wanted.format or "auto",), wanted.mount_options) as target:
            copy(self._memory.directory, target)
            if wanted.format != "ext4":
                with suppress(OSError):  # missing, or fsck recovered something
                    os.rmdir(os.path.join(target, "lost+found"))
        self._memory.close()


class TellBootLoader(Operation):
    """Kernel arguments by which the initramfs opens the volume of ROOT from the next boot on."""

    kind = "set-kernel-arguments"

    def __init__(self, volume: Luks, where: str) -> None:
        self.path, self._volume, self.place = volume.device or "", volume, where

    def describe(self) -> str:
        return f"tell the boot loader to open {self._volume.name} for ROOT ({self.place})"

    def execute(self, context: Context) -> None:
        name, network = self._volume.name, needs_network(self._volume)
        with at(self.place):
            uuid = run(["cryptsetup", "luksUUID", self.path], why=f"reading the UUID of {self.path}").strip()
            argument = f"rd.luks.name={uuid}={name}"
            argv = [KARGS_HELPER, "--later", "--should-exist", argument, *(["--should-exist", "rd.neednet=1"] if network else [])]
            for stale in stale_arguments(cmdline.read(), argument, name):
                argv += ["--should-not-exist", stale]
            run(argv, why=f"telling the boot loader about {name}")


def needs_network(volume: Luks) -> bool:
    """Whether opening a volume at boot needs a network."""
    return bool(volume.clevis.tang) or volume.clevis.custom.needs_network is True


def stale_arguments(text: str, wanted: str, name: str) -> list[str]:
    """Leftovers of an earlier attempt on the kernel command line: other UUIDs for the same volume."""
    found = [f"{option}={value}" for option, value in cmdline.options(text) if option == "rd.luks.name"]
    return [argument for argument in found if argument.endswith(f"={name}") and argument != wanted]


def copy(source: str, target: str) -> None:
    """Everything of one directory into another: owners, modes, times, attributes, hard links, holes. Raises CommandFailed."""
    argv = ["cp", "--archive", "--one-file-system", f"{source}/.", f"{target}/"]
    with progress.working("copying ROOT's contents", done=lambda: progress.of_total(_used(target), _used(source))):
        run(argv, why="copying ROOT's contents", timeout_s=COPY_TIMEOUT_S)


def _used(directory: str) -> int:
    """Bytes in use on the file system of a directory, an estimate of the progress of a copy."""
    status = os.statvfs(directory)
    return (status.f_blocks - status.f_bfree) * status.f_frsize


def _mib(length: int) -> str:
    return f"{length / MIB:.0f}"
