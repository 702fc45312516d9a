"""Formats of disk images by the name of a file, conversion by qemu-img, and compression.

NAME.FORMAT[.COMPRESSION], such as disk.vmdk or disk.raw.bz2. qemu-img draws identifiers by lot: those of .vmdk and .vhd are set
to values that follow from the content, so that the same disk results in the same bytes. (.vhdx and .vdi keep those of qemu-img.)
"""

import hashlib
import re
import struct
import tempfile
from pathlib import Path
from typing import NamedTuple

from tools import BuildError, run

# Arguments of `qemu-img convert -O`.
FORMATS = {
    ".raw": ["raw"],
    ".bin": ["raw"],  # as Container Linux names it
    ".img": ["raw"],
    ".qcow2": ["qcow2"],
    # The compressed format of OVF packages, which vSphere imports, and the controller that it expects.
    ".vmdk": ["vmdk", "-o", "subformat=streamOptimized,adapter_type=lsilogic"],
    # Azure takes fixed disks of whole MiB. Without force_size the size is rounded to cylinders, and the backup of the partition
    # table is not at the end.
    ".vhd": ["vpc", "-o", "subformat=fixed,force_size=on"],
    ".vhdx": ["vhdx"],
    ".vdi": ["vdi"],
}
# Filters. Two threads whatever the machine has: xz and zstd write other bytes with one than with several.
COMPRESSIONS = {
    ".zst": ["zstd", "-q", "-T2", "-12", "-c"],
    ".xz": ["xz", "-T2", "-6", "-c"],
    ".bz2": ["bzip2", "-9", "-c"],
}

_FOOTER = 512  # of a VHD: big-endian, at the end of a fixed disk ("Virtual Hard Disk Image Format Specification", 2006)
_VHD_TIME, _VHD_CHECKSUM, _VHD_ID = 24, 64, 68
_VHD_EPOCH = 946_684_800  # 2000-01-01 00:00:00 UTC
_VMDK_DESCRIPTOR = slice(512, 512 + 20 * 512)  # qemu-img has it in the second sector ("Virtual Disk Format 5.0")


class Name(NamedTuple):
    """Format and compression by the name of a file."""

    arguments: list[str]  # of qemu-img convert -O
    compression: list[str]  # a filter, or empty
    suffix: str


def parse(output: Path) -> Name:
    """Format and compression of a file of that name. Raises BuildError for a name without a known suffix."""
    path, compression = output, []
    if output.suffix.lower() in COMPRESSIONS:
        compression = COMPRESSIONS[output.suffix.lower()]
        path = output.with_suffix("")
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise BuildError(
            f"{output}: the format is unknown: the name must end in one of {', '.join(FORMATS)},"
            f" and then, for a compressed image, in one of {', '.join(COMPRESSIONS)}"
        )
    return Name(FORMATS[suffix], compression, suffix)


def write(disk: Path, output: Path, epoch: int) -> None:
    """Convert a qcow2 image to the format of the name `output`, which appears complete or not at all. Raises BuildError."""
    name = parse(output)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".writing-") as scratch:
        # A VMDK has its own name in it.
        plain = Path(scratch) / (output.stem if name.compression else output.name)
        run(["qemu-img", "convert", "-f", "qcow2", "-O", *name.arguments, "--", str(disk), str(plain)])
        if name.suffix == ".vhd":
            _name_vhd(plain, epoch)
        elif name.suffix == ".vmdk":
            _name_vmdk(plain)
        if name.compression:
            packed = plain.with_name(output.name)
            compress(plain, packed, name.compression)
            plain = packed
        plain.chmod(0o644)
        plain.rename(output)


def compress(source: Path, target: Path, program: list[str]) -> None:
    """The output of a filter for a file."""
    run(["sh", "-euc", 'from=$1 to=$2; shift 2; exec "$@" <"$from" >"$to"', "compress", str(source), str(target), *program])


def _name_vhd(path: Path, epoch: int) -> None:
    """A time and an identifier that follow from the footer, and its checksum: the complement of the sum of its bytes."""
    with path.open("r+b") as file:
        file.seek(-_FOOTER, 2)
        footer = bytearray(file.read(_FOOTER))
        if footer[:8] != b"conectix":
            raise BuildError(f"{path}: qemu-img did not write the footer of a VHD")
        struct.pack_into(">I", footer, _VHD_TIME, max(0, epoch - _VHD_EPOCH))
        footer[_VHD_CHECKSUM : _VHD_ID + 16] = bytes(4 + 16)
        footer[_VHD_ID : _VHD_ID + 16] = hashlib.sha256(footer).digest()[:16]
        struct.pack_into(">I", footer, _VHD_CHECKSUM, ~sum(footer) & 0xFFFFFFFF)
        file.seek(-_FOOTER, 2)
        file.write(footer)


def _name_vmdk(path: Path) -> None:
    """A content id that is always the same: it only tells a parent from its changed copy, and this disk has no parent."""
    with path.open("r+b") as file:
        file.seek(_VMDK_DESCRIPTOR.start)
        text = file.read(_VMDK_DESCRIPTOR.stop - _VMDK_DESCRIPTOR.start)
        # qemu-img writes it without leading zeros, so that the length of the text differs.
        changed, times = re.subn(rb"(?m)^CID=[0-9a-f]{1,8}$", b"CID=00000001", text)
        if times != 1 or changed[len(text) :].strip(b"\0"):
            raise BuildError(f"{path}: qemu-img did not write the descriptor of a VMDK")
        file.seek(_VMDK_DESCRIPTOR.start)
        file.write(changed[: len(text)])
