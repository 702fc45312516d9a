"""Creates disks for machines, and raw copies of them for inspection. Nothing is ever mounted on this host."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.programs import run

MIB = 1 << 20
GIB = 1 << 30


@dataclass(frozen=True)
class Attachment:
    """How a machine sees a disk. bus is virtio (vda, vdb …), scsi (sda …), cdrom (sr0 …) or nvme (nvme0n1 …): what Debian's cloud
    kernel drives.

    sector_size is the logical and physical one, 512 or 4096. serial "" lets the machine number it. Only a scsi disk has a product
    name (16 characters at most) and can be removable.
    """

    bus: str = "virtio"
    sector_size: int = 512
    serial: str = ""
    product: str = ""
    removable: bool = False


@dataclass(frozen=True)
class Disk:
    """A file that is a machine's disk; unsafe ignores flushes, which is faster and right unless QEMU gets killed.

    iops limits requests per second (0: no limit), so that a moment to interrupt is long enough to meet.
    """

    path: Path
    format: str = "qcow2"
    unsafe: bool = True
    iops: int = 0
    attachment: Attachment = Attachment()


def overlay(base: Disk, path: Path, size: int | None = None, *, unsafe: bool = True) -> Disk:
    """A disk that starts as base and keeps its changes in path; size in bytes, never smaller than base."""
    run(
        [
            "qemu-img",
            "create",
            "-q",
            "-f",
            "qcow2",
            "-F",
            base.format,
            "-b",
            base.path,
            path,
            *([str(size)] if size else []),
        ]
    )
    return Disk(path, "qcow2", unsafe)


def blank(path: Path, size: int, *, unsafe: bool = True) -> Disk:
    """An empty disk."""
    run(["qemu-img", "create", "-q", "-f", "qcow2", path, str(size)])
    return Disk(path, "qcow2", unsafe)


def disc(path: Path, label: str, files: Mapping[str, str | bytes], *, udf: bool = False) -> Disk:
    """An optical disc with files: ISO 9660, or UDF, as Azure's are."""
    content = path.with_suffix(".content")
    for name, data in files.items():
        (content / name).parent.mkdir(parents=True, exist_ok=True)
        (content / name).write_bytes(data.encode() if isinstance(data, str) else data)
    run(["genisoimage", "-quiet", *(["-udf"] if udf else []), "-V", label, "-R", "-J", "-o", path, content])
    return Disk(path, "raw", attachment=Attachment("cdrom"))


def blank_raw(path: Path, size: int, attachment: Attachment = Attachment()) -> Disk:
    """An empty disk whose file can be read on this host while a machine uses it (what the machine has flushed)."""
    with path.open("wb") as file:
        file.truncate(size)
    return Disk(path, "raw", attachment=attachment)


def grow(disk: Disk, size: int) -> None:
    """Enlarges a disk of a machine that is off."""
    run(["qemu-img", "resize", "-q", "-f", disk.format, disk.path, str(size)])


def virtual_size(disk: Disk) -> int:
    """The size that the machine sees, in bytes."""
    report = json.loads(run(["qemu-img", "info", "--output=json", "-f", disk.format, disk.path]))
    return int(report["virtual-size"])


def raw_copy(disk: Disk, path: Path, *, shared: bool = False) -> Path:
    """The disk's content as a sparse raw file; a disk that is raw already is returned unchanged.

    shared reads a disk that a machine has open; pause the machine first, or the copy mixes contents of different moments.
    """
    if disk.format == "raw":
        return disk.path
    share = ["--force-share"] if shared else []
    run(["qemu-img", "convert", "-q", *share, "-f", disk.format, "-O", "raw", disk.path, path], timeout_s=300)
    return path


def raw_beginning(disk: Disk, path: Path, size: int) -> Path:
    """The disk's first bytes as a raw file; size is a multiple of MIB."""
    run(["qemu-img", "dd", "-f", disk.format, "-O", "raw", "bs=1M", f"count={size // MIB}", f"if={disk.path}", f"of={path}"])
    return path


def write(disk: Disk, offset: int, content: Path) -> None:
    """Puts the content of a file at a place (bytes) of a disk of a machine that is off."""
    command = f"write -q -s {content} {offset} {content.stat().st_size}"
    run(["qemu-io", "-f", disk.format, "-c", command, disk.path], timeout_s=300)
