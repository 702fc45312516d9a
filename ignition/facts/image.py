"""Facts from disk images, read by blkid, wipefs and debugfs without root. Nothing is opened for writing.

They read raw files; images in other formats are shown to them as such (formats.py). Tables are read by storage/gpt_disk.py:
libparted (3.5) opens an image for writing, even to read its table.

The images are the disks of one machine, in the order in which they are given: /dev/vda, /dev/vdb … as virtio names them.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain, count
from typing import NamedTuple

from ignition.errors import CommandFailed, Failure
from ignition.facts import document, formats, superblock
from ignition.facts.document import Content, Device, Facts, Luks, Member, Table, replace
from ignition.facts.host import described
from ignition.host import devices
from ignition.host.command import status_and_output
from ignition.storage import gpt, gpt_disk, luks_header, signatures
from ignition.storage.disk import opened

SECTORS = SECTOR, LARGE_SECTOR = 512, 4096
SEVERAL = "several signatures"
_KINDS = ("ext4", "xfs", "btrfs", "vfat", "swap", "crypto_LUKS", "LVM2_member", "linux_raid_member")  # used by configs and ROOT


class Image:
    """A disk image and the node that its machine will have for it. `raw`: the file that has its sectors."""

    def __init__(self, path: str, node: str, raw: str = "") -> None:
        self.path, self.node, self.raw = path, node, raw or path


def named(words: Sequence[str]) -> list[Image]:
    """Images with their nodes: `[NODE=]FILE`, or several separated by commas. Without a node: the next of /dev/vda, /dev/vdb …"""
    letters = (chr(ord("a") + number) for number in count())
    found = []
    for path in chain.from_iterable(map(_separated, words)):
        node, file = _split(path)
        found.append(Image(file, node or f"/dev/vd{next(letters)}"))
    return found


def _split(word: str) -> tuple[str, str]:
    node, equals, file = word.partition("=")
    return (node, file) if equals and node.startswith("/dev/") else ("", word)


def _separated(word: str) -> list[str]:
    """A name with a comma is one name if there is such a file."""
    return [word] if os.path.exists(_split(word)[1]) else [one for one in word.split(",") if one]


@contextmanager
def opened_raw(images: Sequence[Image]) -> Iterator[tuple[list[Image], list[str]]]:
    """(the images with the files that have their sectors, remarks), for as long as the block lasts. Raises Failure."""
    found, remarks = [], []
    with ExitStack() as stack:
        for image in images:
            format = formats.of(image.path)
            in_use = formats.is_in_use(image.path)
            if in_use:
                remarks.append(f"{image.path} is in use by QEMU: it may change while it is read")
            raw = stack.enter_context(formats.as_raw(image.path, format, in_use=in_use))
            found.append(Image(image.path, image.node, raw))
        yield found, remarks


def probe(images: Sequence[Image], kernel_arguments: str, *, efi: bool, sector_size: int = SECTOR) -> Facts:
    """The facts of a machine with these disks. `sector_size`: of those without a GPT, in bytes. Raises Failure."""
    found = tuple(device for image in images for device in _devices(image, sector_size))
    return Facts(devices=found, kernel_arguments=kernel_arguments, efi=efi, source=", ".join(image.path for image in images))


def _devices(image: Image, default_sector: int) -> Iterator[Device]:
    try:
        with opened(image.raw, os.O_RDONLY) as descriptor:
            size = os.lseek(descriptor, 0, os.SEEK_END)  # of a volume, too, which has no size in its inode
            content = _content(image.raw, 0, size)
            sector = _sector_size(descriptor, default_sector)
            table = _table(descriptor, sector, size // sector)
        contents = tuple(Content(one.format, one.label, one.uuid, one.table, one.offset) for one in signatures.all_of(image.raw))
    except CommandFailed as failure:
        raise Failure(f"the image cannot be inspected: {failure.what}", where=image.path) from failure
    known = table or (Table(content.table) if content.table else None)
    yield Device(
        image.node,
        document.DISK,
        size,
        content=content,
        contents=contents,
        member=_member(image.raw, 0) if content.format == "linux_raid_member" else None,
        luks=_luks(image.raw, 0) if content.format == "crypto_LUKS" else None,
        table=known,
        sector_size=sector,
        transport="virtio",
    )
    for part in known.parts if known else ():
        start, length = part.start * sector, part.size * sector
        found = _content(image.raw, start, length)
        yield Device(
            devices.partition_node(image.node, part.number),
            document.PARTITION,
            length,
            below=(image.node,),
            number=part.number,
            content=found,
            member=_member(image.raw, start) if found.format == "linux_raid_member" else None,
            luks=_luks(image.raw, start) if found.format == "crypto_LUKS" else None,
        )


def _table(descriptor: int, sector_size: int, sectors: int) -> Table | None:
    """The GPT; one that is damaged in both copies is only its fault."""
    try:
        found = gpt_disk.read(descriptor, sector_size, sectors)
    except Failure as failure:
        return Table(document.GPT, faults=(failure.what,))
    return described(found) if found else None


def _sector_size(descriptor: int, default: int) -> int:
    """That of the table: the header of a GPT is in the second sector."""
    return next((size for size in (SECTOR, LARGE_SECTOR) if os.pread(descriptor, 8, size) == gpt.SIGNATURE), default)


def _content(path: str, start: int, size: int) -> Content:
    def probe(*options: str) -> tuple[int, str]:
        argv = ["blkid", "-p", *options, "-o", "udev", "-O", str(start), "-S", str(size), "--", path]
        return status_and_output(argv, why=f"probing {path}", ok=(0, signatures.NOTHING, signatures.AMBIVALENT))

    status, output = probe()
    if status == 0:
        found = signatures.parse(output)
        return Content(found.format, found.label, found.uuid, found.table)
    # blkid(8) names none of several signatures, and that of util-linux 2.41 finds nothing then.
    several = status == signatures.AMBIVALENT or any(probe("-n", kind)[0] == 0 for kind in _KINDS)
    return Content(SEVERAL) if several else Content()


def _read(path: str, start: int, size: int) -> bytes:
    with opened(path, os.O_RDONLY) as descriptor:
        return os.pread(descriptor, size, start)


def _luks(path: str, start: int) -> Luks | None:
    """LUKS2 On-Disk Format Specification 1.1.1, 3: the JSON area follows the binary header."""
    head = _read(path, start, 4096)
    binary = luks_header.parse_binary(head)
    if binary is None or binary.version != 2:
        return Luks(binary.version) if binary else None
    (length,) = struct.unpack_from(">Q", head, 8)
    text = _read(path, start + 4096, min(length, 4 << 20) - 4096).partition(b"\0")[0]
    try:
        header = luks_header.parse(binary, text.decode())
    except (ValueError, KeyError, AttributeError):
        return Luks(2, binary.label, binary.uuid, binary.subsystem)
    tokens = tuple((token.slots, token.protected) for token in header.tokens)
    return Luks(2, header.label, header.uuid, header.subsystem, tuple(sorted(header.flags)), tokens, header.offset)


def _member(path: str, start: int) -> Member | None:
    return superblock.parse(_read(path, start + superblock.AT, superblock.LENGTH))


class Place(NamedTuple):
    """A device in an image; `offset` and `size` in bytes."""

    image: Image
    offset: int
    size: int


def place_of(facts: Facts, images: Sequence[Image], node: str) -> Place | None:
    """Where a partition or a disk of these images is; None for other devices."""
    device = next((one for one in facts.devices if one.node == node), None)
    if device is None:
        return None
    disk = device if device.kind == document.DISK else next(one for one in facts.devices if one.node in device.below)
    image = next((one for one in images if one.node == disk.node), None)
    part = next((one for one in disk.table.parts if one.number == device.number), None) if disk.table else None
    return Place(image, part.start * disk.sector_size if part else 0, device.size) if image else None


def with_memory(facts: Facts, memory: int) -> Facts:
    """The same machine with so many bytes of memory."""
    return replace(facts, memory=memory, available=memory)
