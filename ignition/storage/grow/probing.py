"""Probing from a mount down to the disks. Changes nothing.

Sources: sysfs (`slaves`, `holders`, Documentation/admin-guide/md.rst, `dm/uuid`), cryptsetup(8) `status`, LVM.
"""

from __future__ import annotations

import os
import struct

from ignition.errors import Failure
from ignition.host import cmdline, devices
from ignition.host.command import run
from ignition.host.reading import lines
from ignition.storage import crypt_mapping, gpt_disk
from ignition.storage.disk import opened
from ignition.storage.grow import lvm
from ignition.storage.grow.facts import OF_ROOT, OPTION, Array, Crypt, Disk, GrowFacts, Layer, Logical, Other, Part, Partition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.host.mounts import Mount
    from ignition.storage.grow.keys import KeyFinder


KIB = 1024
STACKED = "growth goes through md RAID1, LUKS and LVM on partitions or whole disks only: grow the layers by hand"


def probe(mount: Mount, keys: KeyFinder, *, is_root: bool) -> GrowFacts:
    """Inspect a mounted file system, its devices, and all layers below."""
    facts = GrowFacts(mount, is_root=is_root)
    facts.any_type = is_root and cmdline.last(cmdline.read(), OPTION) == OF_ROOT
    name = devices.name_of_number(*mount.device) or _name_of_source(mount.source)
    if not name:
        facts.problem, facts.fix = f"it is on {mount.source}, which is not a block device", "put ROOT on a disk"
        return facts
    try:
        names = _names_of_btrfs(name) if mount.format == "btrfs" else [name]
        facts.parts = tuple(_part(one, mount, keys) for one in names)
    except Failure as failure:
        facts.problem, facts.fix = failure.what, failure.fix
    except OSError as error:
        facts.problem, facts.fix = f"{error.filename or devices.node_of(name)}: {error.strerror}", "see the kernel's messages"
    return facts


def _name_of_source(source: str) -> str:
    try:
        return devices.name_of(source)
    except Failure:
        return ""


def _names_of_btrfs(name: str) -> list[str]:
    """The kernel names of all devices of a mounted btrfs."""
    with opened(devices.node_of(name), os.O_RDONLY) as descriptor:
        uuid = btrfs_device(descriptor)[2]
    try:
        return sorted(os.listdir(f"{devices.SYSFS}/fs/btrfs/{uuid}/devices"))
    except FileNotFoundError:
        return [name]


def _part(name: str, mount: Mount, keys: KeyFinder) -> Part:
    node = devices.node_of(name)
    device_id = 0
    if mount.format == "btrfs":
        with opened(node, os.O_RDONLY) as descriptor:
            device_id = btrfs_device(descriptor)[0]
    return Part(_look(name, keys), filesystem_length(node, mount.format, mount.target), device_id)


def _look(name: str, keys: KeyFinder) -> Layer:
    """A device and all below it."""
    layer = _layer(name, keys)
    if not isinstance(layer, (Other, Partition)):
        below = devices.components(name)
        layer.below = tuple(_look(one, keys) for one in below)
        for one, lower in zip(below, layer.below, strict=True):
            lower.shared = tuple(other for other in devices.holders(one) if not _belongs_together(name, other))
    return layer


def _belongs_together(name: str, other: str) -> bool:
    """Whether two devices on one device are the same, or volumes of one volume group."""
    uuid, others = (devices.attribute(one, "dm/uuid")[: lvm.UUID_LENGTH - 32] for one in (name, other))
    return name == other or (uuid == others and uuid.startswith("LVM-"))


def _layer(name: str, keys: KeyFinder) -> Layer:
    node, length = devices.node_of(name), devices.length(devices.node_of(name)) or 0
    place = devices.partition_of(name)
    if place:
        return _partition(node, length, *place)
    if devices.attribute(name, "md/level"):
        return _array(name, node, length)
    uuid = devices.attribute(name, "dm/uuid")
    if uuid.startswith("CRYPT-LUKS"):
        return _crypt(name, node, length, keys)
    if uuid.startswith("LVM-") and len(uuid) == lvm.UUID_LENGTH:
        volume = Logical(node, length, lvm.name(devices.attribute(name, "dm/name")))
        lvm.describe(volume, [devices.node_of(one) for one in devices.components(name)])
        return volume
    if devices.components(name):
        what = devices.attribute(name, "dm/name") or name
        return Other(node, length, f"{what} ({uuid.partition('-')[0] or 'unknown kind'}) is below it", STACKED)
    return Disk(node, length)


def _partition(node: str, length: int, disk: str, number: int) -> Layer:
    if devices.components(disk):
        return Other(node, length, f"{node} is a partition of {devices.node_of(disk)}, which is made of other devices", STACKED)
    partition = Partition(node, length, devices.node_of(disk), number)
    try:
        with opened(partition.disk_node, os.O_RDONLY) as descriptor:
            partition.table = gpt_disk.read(descriptor, *devices.geometry(descriptor))
    except Failure as failure:
        partition.problem, partition.fix = failure.what, failure.fix
    return partition


def _array(name: str, node: str, length: int) -> Array:
    array = Array(node, length, devices.attribute(name, "md/level"))
    array.used = _number(name, "md/component_size") * KIB
    array.missing = _number(name, "md/degraded")
    members = devices.components(name)
    array.offsets = tuple(_number(name, f"md/dev-{one}/offset") * devices.SYSFS_UNIT for one in members)
    return array


def _number(name: str, attribute: str) -> int:
    text = devices.attribute(name, attribute)
    return int(text) if text.isascii() and text.isdigit() else 0


def _crypt(name: str, node: str, length: int, keys: KeyFinder) -> Crypt:
    volume = Crypt(node, length, devices.attribute(name, "dm/name"), devices.attribute(name, "dm/uuid").split("-")[1])
    status = read_status(run(["cryptsetup", "status", "--", volume.name], why=f"looking at {volume.name}"))
    volume.offset = int(status.get("offset", "0").split()[0]) * devices.SYSFS_UNIT
    if status.get("key location") == "keyring":
        mapping = crypt_mapping.mapping_named(volume.name)
        volume.ways = keys.ways(volume.name, devices.node_of(mapping.below[0])) if mapping and mapping.below else ()
    return volume


def read_status(text: str) -> dict[str, str]:
    """`cryptsetup status`: one `name: value` per line."""
    pairs = (line.split(":", 1) for line in lines(text) if ":" in line)
    return {name.strip(): value.strip() for name, value in pairs}


# The length of a mounted file system on its device.


def filesystem_length(node: str, format: str, target: str) -> int:
    """Bytes of a device that the file system mounted on `target` takes; 0 for an unknown format."""
    with opened(node, os.O_RDONLY) as descriptor:
        if format == "ext4":
            return _ext4(descriptor)
        if format == "xfs":
            return _xfs(descriptor, target)
        return btrfs_device(descriptor)[1] if format == "btrfs" else 0


def _ext4(descriptor: int) -> int:
    block = os.pread(descriptor, 1024, 1024)  # Documentation/filesystems/ext4/super.rst in the kernel
    low, log_size, high = (struct.unpack_from("<I", block, offset)[0] for offset in (0x4, 0x18, 0x150))
    return int((high << 32 | low) * (1024 << log_size)) if block[0x38:0x3A] == b"\x53\xef" else 0


def _xfs(descriptor: int, target: str) -> int:
    """From the live file system: after growth its superblock on disk is stale until the log is written back."""
    block = os.pread(descriptor, 512, 0)  # xfsprogs, xfs_format.h: struct xfs_dsb
    if block[:4] != b"XFSB":
        return 0
    log_start, log_blocks = struct.unpack_from(">Q", block, 48)[0], struct.unpack_from(">I", block, 96)[0]
    live = os.statvfs(target)  # f_blocks leaves out an internal log
    return live.f_frsize * (live.f_blocks + (log_blocks if log_start else 0))


def btrfs_device(descriptor: int) -> tuple[int, int, str]:
    """(device id, bytes of this device that btrfs uses, its UUID). linux/btrfs_tree.h: the superblock at 64 KiB, its dev_item."""
    block = os.pread(descriptor, 4096, 0x10000)
    if block[0x40:0x48] != b"_BHRfS_M":
        return 0, 0, ""
    device_id, length = struct.unpack_from("<QQ", block, 0xC9)
    digits = block[0x20:0x30].hex()
    return device_id, length, "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
