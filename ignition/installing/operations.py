"""The operations of an installation, each on the open and locked disk.

The order on the disk: what made it boot goes first, what makes it boot comes last, each after an fsync(2). Meanwhile the kernel
learns the partitions from memory (linux/blkpg.h), so that files can be added to them before there is a table.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ignition.boot_loader import files
from ignition.boot_loader.kernel_arguments import Wanted
from ignition.errors import Failure, at
from ignition.host import atomic, blkpg, devices, log, progress
from ignition.host.command import run
from ignition.host.reading import read_text
from ignition.host.root import Root
from ignition.host.temporary_mount import mounted
from ignition.installing.image import HEAD
from ignition.installing.writing import Writer, zero
from ignition.operation import Context, Operation
from ignition.storage import gpt, gpt_disk
from ignition.storage.disk import locked, opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.installing.image import Image

RUN = "/run/coreos-install"
CONFIG = "/config.ign"  # docs/configs.md, "Left by an installer"
GRUB_CONFIG = "/grub.cfg"
USER_DATA = "/var/lib/coreos-install/user_data"  # as coreos-install -c; user-cloudinit@.path waits for it
NETWORK = "/etc/systemd/network"
_GROUP_FILE = "/etc/group"
_READABLE_BY_GROUP = 0o640


class NetworkFile:
    """A file of networkd: its content, and whether every user may read it (a WireGuard key must not be)."""

    def __init__(self, content: bytes, *, is_public: bool) -> None:
        self.content, self.is_public = content, is_public


class Disk:
    """The disk that the operations share. `hold` opens and locks it for all of them; before and after, nothing is open."""

    def __init__(self, node: str, sector_size: int, sectors: int) -> None:
        self.node, self.sector_size, self.sectors = node, sector_size, sectors
        self.descriptor = -1

    @contextmanager
    def hold(self) -> Iterator[None]:
        """The disk, open for writing and locked against udevd. Raises Failure if somebody has begun to use it."""
        try:
            with opened(self.node, os.O_RDONLY | os.O_EXCL):  # open(2): EBUSY for a device that is mounted or held
                pass
        except OSError as error:
            raise Failure(
                f"the disk is not free: {error.strerror}",
                where=self.node,
                fix="stop using it first, or name another disk",
            ) from error
        with locked(self.node) as self.descriptor:
            try:
                yield
            finally:
                self.descriptor = -1

    @contextmanager
    def mounted(self, number: int, *options: str) -> Iterator[str]:
        """A partition, mounted to write until the end of the block, and on the disk after it."""
        node = devices.partition_node(self.node, number)
        devices.wait_for([node])
        with mounted(node, ("auto",), options, base=RUN) as directory:
            yield directory
            atomic.sync_file_system(directory)


class DiskOperation(Operation):
    """One of a disk; `path` is its node."""

    def __init__(self, disk: Disk) -> None:
        self.disk, self.path = disk, disk.node


class MarkIncomplete(DiskOperation):
    """Erase what could boot, and leave a table of the kept partitions alone, or none.

    It survives an interrupted installation, so kept partitions are never without an entry. Their table is written before the rest
    is erased.
    """

    kind = "mark-incomplete"

    def __init__(self, disk: Disk, kept: Mapping[int, gpt.Entry]) -> None:
        super().__init__(disk)
        self._kept = dict(kept)

    def describe(self) -> str:
        but = f", but for partition {', '.join(map(str, self._kept))}" if self._kept else ""
        return f"erase boot code and partition table of {self.path}{but}"

    def execute(self, context: Context) -> None:
        disk, descriptor = self.disk, self.disk.descriptor
        wanted: dict[int, tuple[int, int]] = {}
        begin = 0
        if self._kept:
            table = gpt.empty(disk.sector_size, disk.sectors).with_entries(self._kept).drawn()
            gpt_disk.write(descriptor, table)
            begin = (2 + table.array_sectors) * disk.sector_size
            wanted = {number: (e.first * disk.sector_size, e.sectors * disk.sector_size) for number, e in self._kept.items()}
        else:
            gpt_disk.wipe(descriptor, disk.sector_size, disk.sectors)
            run(["wipefs", "--all", "--", self.path], why=f"erasing the signatures of {self.path}")
            size = disk.sector_size * disk.sectors
            last = min(HEAD, size)  # ZFS and mdadm's old formats keep theirs at the end
            zero(descriptor, size - last, last)
        zero(descriptor, begin, HEAD - begin)
        os.fsync(descriptor)
        blkpg.synchronise(descriptor, devices.name_of(self.path), wanted)


class WriteImage(DiskOperation):
    """Write the image without its head, up to `limit`, and check its signature. `end`: the byte behind its last partition."""

    kind = "write-image"

    def __init__(self, disk: Disk, image: Image, limit: int, end: int) -> None:
        super().__init__(disk)
        self._image, self._limit, self._end = image, limit, end
        self._written = self._skipped = 0

    def describe(self) -> str:
        return f"write {self._image.name} to {self.path} and verify it"

    def execute(self, context: Context) -> None:
        image = self._image
        writer = Writer(self.disk.descriptor, HEAD, self._limit)
        size = self.disk.sector_size * self.disk.sectors
        with progress.working(f"writing {image.name} to {self.path}", done=image.done):
            for piece in image.rest:
                writer.write(piece)
                if writer.reached > size:
                    raise Failure("the image is larger than the disk", where=image.name, fix="install it to a larger disk")
            signer = image.finish()
            log.info(f"signed by {signer}" if signer else "not verified: --insecure was given")
            if writer.reached < self._end:
                raise Failure("the image ends before its last partition", where=image.name, fix="check the image on the server")
            writer.finish()
        self._written, self._skipped = writer.position, writer.skipped

    def facts(self) -> dict[str, object]:
        return {"bytes": self._written, "zeros": self._skipped}


class ShowPartitions(DiskOperation):
    """Tell the kernel of the partitions of a table that is not on the disk yet."""

    kind = "show-partitions"

    def __init__(self, disk: Disk, table: gpt.Table) -> None:
        super().__init__(disk)
        self._table = table

    def describe(self) -> str:
        return f"make the partitions of {self.path} known to the kernel"

    def execute(self, context: Context) -> None:
        blkpg.synchronise(self.disk.descriptor, devices.name_of(self.path), places(self._table))


def places(table: gpt.Table) -> dict[int, tuple[int, int]]:
    """Number → (start, length) in bytes."""
    size = table.sector_size
    return {number: (entry.first * size, entry.sectors * size) for number, entry in table.entries.items()}


class PartitionOperation(DiskOperation):
    """One of a file system on the disk."""

    def __init__(self, disk: Disk, number: int) -> None:
        super().__init__(disk)
        self._number = number
        self.path = devices.partition_node(disk.node, number)


class WriteConfig(PartitionOperation):
    """The Ignition config for the first boot, on OEM: the machine provisions itself without a network."""

    kind = "write-config"

    def __init__(self, disk: Disk, number: int, content: bytes) -> None:
        super().__init__(disk, number)
        self._content = content

    def describe(self) -> str:
        return f"write {CONFIG} for the first boot to {self.path} (OEM)"

    def execute(self, context: Context) -> None:
        with at(self.path), self.disk.mounted(self._number) as directory:
            _root(directory).write(CONFIG, self._content, mode=0o600, uid=0, gid=0, sync=True)


class SetOem(PartitionOperation):
    """The platform, for GRUB of our image and of Container Linux's: a line in the OEM's grub.cfg."""

    kind = "set-oem"

    def __init__(self, disk: Disk, number: int, oem: str) -> None:
        super().__init__(disk, number)
        self._oem = oem

    def describe(self) -> str:
        return f"set oem_id to {self._oem} in {GRUB_CONFIG} of {self.path} (OEM)"

    def execute(self, context: Context) -> None:
        with at(self.path), self.disk.mounted(self._number) as directory:
            root = _root(directory)
            text = with_oem(read_text(root, GRUB_CONFIG) or "", self._oem)
            root.write(GRUB_CONFIG, text.encode(), mode=0o644, uid=0, gid=0, sync=True)


def with_oem(text: str, oem: str) -> str:
    """GRUB's file of the OEM with this oem_id; other lines stay."""
    lines = [line for line in text.split("\n") if not line.lstrip().startswith("set oem_id=")]
    return "\n".join(lines).rstrip("\n") + f'\nset oem_id="{oem}"\n'


class WriteUserData(PartitionOperation):
    """The cloud-config, on ROOT, where coreos-cloudinit finds it at every boot."""

    kind = "write-user-data"

    def __init__(self, disk: Disk, number: int, content: bytes) -> None:
        super().__init__(disk, number)
        self._content = content

    def describe(self) -> str:
        return f"write {USER_DATA} to {self.path} (ROOT)"

    def execute(self, context: Context) -> None:
        with at(self.path), self.disk.mounted(self._number) as directory:
            Root(directory).write(USER_DATA, self._content, mode=0o600, uid=0, gid=0, sync=True)


class CopyNetwork(PartitionOperation):
    """networkd's files of the running system, on ROOT; those of the image stay, as with coreos-install -n."""

    kind = "copy-network"

    def __init__(self, disk: Disk, number: int, network: Mapping[str, NetworkFile]) -> None:
        super().__init__(disk, number)
        self._network = network

    def describe(self) -> str:
        return f"copy {', '.join(self._network)} to {NETWORK} of {self.path} (ROOT)"

    def execute(self, context: Context) -> None:
        with at(self.path), self.disk.mounted(self._number) as directory:
            root = Root(directory)
            group = _group(root, "systemd-network")
            for name, file in self._network.items():
                if root.status(f"{NETWORK}/{name}") is not None:
                    log.warning(f"{NETWORK}/{name} of the image stays as it is")
                    continue
                mode, gid = (0o644, 0) if file.is_public else (_READABLE_BY_GROUP, group)
                root.write(f"{NETWORK}/{name}", file.content, mode=mode, uid=0, gid=gid, sync=True)


def _group(root: Root, name: str) -> int:
    """The ID of a group of an image; 0 without it."""
    for line in (read_text(root, _GROUP_FILE) or "").split("\n"):
        fields = line.split(":")
        if fields[0] == name and len(fields) > 2 and fields[2].isascii() and fields[2].isdecimal():
            return int(fields[2])
    return 0


class AppendArguments(PartitionOperation):
    """Kernel arguments for every boot, in the boot loader's files."""

    kind = "set-kernel-arguments"

    def __init__(self, disk: Disk, number: int, arguments: tuple[str, ...]) -> None:
        super().__init__(disk, number)
        self._arguments = arguments

    def describe(self) -> str:
        return f"append kernel arguments on {self.path}: {' '.join(self._arguments)}"

    def execute(self, context: Context) -> None:
        with at(self.path), self.disk.mounted(self._number, "umask=0077") as directory:
            edits = files.plan([directory], Wanted(self._arguments))
            if not edits:
                raise Failure(
                    f"unknown boot loader: neither a {files.GRUB_CONFIG} that reads {files.GRUB_KARGS.lstrip('/')} nor"
                    f" {files.ENTRIES}/*.conf",
                    fix="leave --append-karg out, and set the arguments in the config (kernelArguments)",
                )
            for edit in edits:
                if edit.needed():
                    edit.write()


def _root(directory: str) -> Root:
    """A file system that is not the root of a machine."""
    return Root(directory, leaving_is_an_error=True)


class MakeBootable(DiskOperation):
    """Write what was held back: the rest of the head, the table at the disk's end, the table at its beginning, boot code."""

    kind = "make-bootable"

    def __init__(self, disk: Disk, image: Image, table: gpt.Table) -> None:
        super().__init__(disk)
        self._image, self._table = image, table

    def describe(self) -> str:
        numbers = ", ".join(map(str, self._table.entries))
        return f"write boot code and the partition table of {self.path}: {numbers}"

    def execute(self, context: Context) -> None:
        descriptor, table, head = self.disk.descriptor, self._table.drawn(), self._image.head
        begin = (table.entries_lba + table.array_sectors) * table.sector_size
        Writer(descriptor, begin, HEAD).put_all(head[begin:])
        gpt_disk.write(descriptor, table)  # the backup first, and boot code last
        blkpg.synchronise(descriptor, devices.name_of(self.path), places(table))
