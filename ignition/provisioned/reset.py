"""`ignition reset`: the operations that make the next boot of a running machine a first boot again.

They take the identity of the machine and the notes of its first boot; users, files and data are left to the config of the next
boot. The flag is set when all else is on the disk: after a power cut before it the machine boots as usual, and the reset can be
repeated. Two operations follow it, each for that reason.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from ignition.boot_loader import files as boot_files
from ignition.boot_loader import partitions
from ignition.boot_loader.kernel_arguments import Wanted
from ignition.errors import Failure
from ignition.host import atomic, boot_directory, first_boot_flag, limits, paths
from ignition.host.reading import read_text
from ignition.host.root import PARENTS, Root
from ignition.host.temporary_mount import mounted
from ignition.operation import Operation
from ignition.provisioned.status import VERIFIED
from ignition.storage.grow.operations import KEEP_SIZE
from ignition.sysroot import machine_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.host.first_boot_flag import FirstBootFlag
    from ignition.operation import Context

# The words for `-keep`.
MACHINE_ID, NETWORK, SIZES, SSH_HOST_KEYS = "machine-id", "network", "sizes", "ssh-host-keys"
KEEPABLE = (MACHINE_ID, NETWORK, SIZES, SSH_HOST_KEYS)
UNINITIALIZED = "uninitialized"  # machine-id(5): the next boot counts as the first one of systemd, too
NETPLAN = "/etc/netplan/50-afterburn.yaml"  # coreos-metadata --netplan-config
GROWN = "/var/lib/ignition/grown"
_SSH = "/etc/ssh"
_UNITS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
_VFAT = ("umask=0077", "dirsync")  # see ignition.boot_loader.replace


class Facts:
    """The machine as far as the plan depends on it.

    `host_keys`: the files of the SSH host keys; `key_maker`: the unit that makes new ones, "" if there is none. `unfinished`: the
    record of an attempt that was interrupted exists. `node` is the device of the boot directory, "" without one.
    """

    def __init__(
        self,
        root: Root,
        *,
        host_keys: Sequence[str] = (),
        key_maker: str = "",
        unfinished: bool = False,
        node: str = "",
        flag: FirstBootFlag | None = None,
    ) -> None:
        self.root, self.host_keys, self.key_maker, self.unfinished = root, tuple(host_keys), key_maker, unfinished
        self.node, self.flag = node, flag


class RemoveFiles(Operation):
    """Removes files; `what` names them for people, and `path` is the first one."""

    kind = "remove-file"

    def __init__(self, what: str, files: Sequence[str]) -> None:
        self._what, self._files, self.path = what, tuple(files), files[0]

    def describe(self) -> str:
        return f"remove {self._what}: {', '.join(self._files)}"

    def already_there(self, context: Context) -> bool:
        return all(context.root.status(file) is None for file in self._files)

    def execute(self, context: Context) -> None:
        for file in self._files:
            if context.root.status(file) is not None:
                with context.root.at(file) as here:
                    here.unlink()


class ResetMachineId(Operation):
    """Lets the next boot generate a machine ID, and apply presets."""

    kind, path = "reset-machine-id", machine_id.PATH

    def describe(self) -> str:
        return f"make the machine ID in {self.path} {UNINITIALIZED}"

    def already_there(self, context: Context) -> bool:
        text = read_text(context.root, self.path)
        return text is None or text.strip() == UNINITIALIZED

    def execute(self, context: Context) -> None:
        context.root.write(self.path, f"{UNINITIALIZED}\n".encode(), mode=0o444, sync=True)


class ClearNotes(Operation):
    """Removes the notes beside the flag, with which the next first boot would count as another attempt of the last one."""

    kind = "clear-first-boot-notes"

    def __init__(self, node: str) -> None:
        self.path = node

    def describe(self) -> str:
        names = ", ".join(name.lstrip("/") for name in (first_boot_flag.MARK, first_boot_flag.COUNT, "/coreos/failed-attempt.*"))
        return f"remove the notes of the last first boot from {boot_directory.find().name}: {names}"

    def already_there(self, context: Context) -> bool:
        with first_boot_flag.opened(self.path) as directory:
            top = Root(directory, leaving_is_an_error=True)
            return all(top.status(name) is None for name in first_boot_flag.NOTES)

    def execute(self, context: Context) -> None:
        with _to_write(self.path) as directory:
            top = Root(directory, leaving_is_an_error=True)
            for name in first_boot_flag.NOTES:
                if top.status(name) is not None:
                    with top.at(name) as here:
                        here.unlink()
            atomic.sync_file_system(directory)


class SetFlag(Operation):
    """Creates the flag that the boot loader looks for, once everything before it is on the disk."""

    kind = "set-first-boot-flag"

    def __init__(self, node: str, flag: str) -> None:
        self.path, self._flag = node, flag

    def describe(self) -> str:
        return f"set the first-boot flag on {boot_directory.find().name} ({self.path}): {self._flag.lstrip('/')}"

    def already_there(self, context: Context) -> bool:
        with first_boot_flag.opened(self.path) as directory:
            return bool(first_boot_flag.read(directory).flag)

    def execute(self, context: Context) -> None:
        os.sync()
        with _to_write(self.path) as directory:
            with Root(directory, leaving_is_an_error=True).at(self._flag, parents=PARENTS) as here:
                os.close(here.open(os.O_WRONLY | os.O_CREAT, 0o644))
            atomic.sync_file_system(directory)


class AddFirstBootArgument(Operation):
    """Adds the argument of a first boot to the entries of systemd-boot, which does not know flags.

    After the flag: with the argument alone the next boot would fail, with the flag alone it is an ordinary one.
    """

    kind, path = "set-kernel-arguments", boot_files.ENTRIES

    def describe(self) -> str:
        return f"add {first_boot_flag.FIRST_BOOT} to the entries of the boot loader: {self.path.lstrip('/')}/*.conf"

    def execute(self, context: Context) -> None:
        with ExitStack() as stack:
            nodes = [node for node in partitions.find() if node]
            directories = [
                stack.enter_context(mounted(node, ("vfat",) if number == 0 else ("auto",), _VFAT[number:]))
                for number, node in enumerate(nodes)
            ]
            edits = boot_files.plan(directories, Wanted((first_boot_flag.FIRST_BOOT,)))
            entries = [edit for edit in edits if edit.name.startswith(f"{boot_files.ENTRIES}/")]
            if not entries:
                raise Failure("the boot loader does not have entries", where=self.path, fix="restore loader/entries/*.conf")
            for edit in entries:
                if edit.needed():
                    edit.write()
            for directory in directories:
                atomic.sync_file_system(directory)


@contextmanager
def _to_write(node: str) -> Iterator[str]:
    place = boot_directory.find()
    with mounted(node, *place.how_to_mount(node)) as directory:
        yield directory + place.inside


def probe(root: Root) -> Facts:
    """Look at the running machine, change nothing. Raises Failure."""
    facts = identity_of(root)
    facts.node = first_boot_flag.partition()
    if facts.node:
        with first_boot_flag.opened(facts.node) as directory:
            facts.flag = first_boot_flag.read(directory)
    return facts


def identity_of(root: Root) -> Facts:
    """The facts that files of the root tell: all but the flag. Changes nothing, raises Failure."""
    return Facts(
        root,
        host_keys=[f"{_SSH}/{name}" for name in root.names(_SSH) if name.startswith("ssh_host_") and "key" in name],
        key_maker=next(_key_makers(root), ""),
        unfinished=_is_unfinished(root),
    )


def plan(facts: Facts, keep: Collection[str] = ()) -> list[Operation]:
    """The operations in order."""
    operations: list[Operation] = []
    if removes_host_keys(facts, keep):
        operations.append(RemoveFiles("the SSH host keys", facts.host_keys))
    if NETWORK not in keep:
        operations.append(RemoveFiles("the network configuration of coreos-metadata", [NETPLAN]))
    if facts.unfinished:
        # A finished one stays: with it the next first boot does not append to the same files again.
        operations.append(RemoveFiles("the record of an interrupted attempt", [paths.ATTEMPT]))
    operations.append(RemoveFiles("the last verification", [VERIFIED]))
    operations.append(RemoveFiles("the sizes of grown disks", [GROWN]))
    if MACHINE_ID not in keep:
        # The next boot would take the ID from D-Bus' file.
        operations += [RemoveFiles("the machine ID of D-Bus", [machine_id.KEPT]), ResetMachineId()]
    if facts.node and facts.flag:
        operations += [ClearNotes(facts.node), SetFlag(facts.node, facts.flag.flag or _flag_name(facts))]
        if facts.flag.with_loader:
            operations.append(AddFirstBootArgument())
    if SIZES not in keep:
        # After the flag: in an ordinary boot ROOT would grow beyond the size that its config sets, which nothing can take back.
        operations.append(RemoveFiles("the notes of partition sizes that the last config set", [KEEP_SIZE]))
    return [one for one in operations if not isinstance(one, RemoveFiles) or not _is_absent(one, facts.root)]


def removes_host_keys(facts: Facts, keep: Collection[str]) -> bool:
    """Whether the SSH host keys are removed: not if they would be missing for good, and nobody could log in."""
    return bool(facts.host_keys) and bool(facts.key_maker) and SSH_HOST_KEYS not in keep


def _is_absent(operation: RemoveFiles, root: Root) -> bool:
    from ignition.operation import Context

    return operation.already_there(Context(root, None))  # type: ignore[arg-type]  # nothing is fetched here


def _flag_name(facts: Facts) -> str:
    return first_boot_flag.FLAGS[1] if facts.flag and facts.flag.is_flatcar else first_boot_flag.FLAGS[0]


def _is_unfinished(root: Root) -> bool:
    try:
        stored = json.loads(read_text(root, paths.ATTEMPT) or "{}")
    except (ValueError, RecursionError):
        return True  # damaged: no first boot can use it
    return isinstance(stored, dict) and stored.get("unfinished") is True


def _key_makers(root: Root) -> Iterator[str]:
    """Units, or drop-ins of units, that make missing SSH host keys."""
    for directory in _UNITS:
        for name in root.names(directory):
            if name.endswith(".service"):
                yield from [name] * _makes_keys(root, f"{directory}/{name}")
            elif name.endswith(".service.d"):
                for part in root.names(f"{directory}/{name}"):
                    yield from [f"{name}/{part}"] * _makes_keys(root, f"{directory}/{name}/{part}")


def _makes_keys(root: Root, unit: str) -> bool:
    try:
        text = read_text(root, unit, limit=limits.UNIT_FILE) or ""
    except Failure:
        return False  # masked: a link to /dev/null
    return any(line.startswith("Exec") and "keygen" in line for line in text.split("\n"))
