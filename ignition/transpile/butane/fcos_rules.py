"""The additional rules of Fedora CoreOS' variant. Source: docs/reference/config-transpiler.md §B7, §B10, §B11 and §B13."""

from __future__ import annotations

from ignition.config import origins
from ignition.config.model import Config
from ignition.config.model.storage import Disk, Partition
from ignition.config.report import Path
from ignition.config.versions import order
from ignition.patterns import lazy_pattern
from ignition.transpile.butane.boot_device import DEFAULT, ECKD, LAYOUTS, S390X, ZFCP, wants_luks
from ignition.transpile.butane.model import BootDevice, FcosDocument, Filesystem, GrubUser
from ignition.transpile.butane.translation import Work

BOOT_DISK = "/dev/disk/by-id/coreos-boot-disk"
REUSED_BY_LABEL = (
    f"partitions cannot be reused by label; number must be specified except on boot disk ({BOOT_DISK}) or when wipe_table is true"
)
WRONG_NUMBER = "incorrect partition number; a new partition will be created using reserved label"
ROOT_TOO_SMALL = "root should have 8GiB of space assigned"
ROOT_CONSTRAINED = (
    "root partition cannot expand; it is set to fill available space but is followed by an auto-positioned partition"
)
MOUNT_POINT = "path must be under /etc or /var if with_mount_unit is true"
TOO_FEW_DEVICES = "mirroring requires at least two devices"
NO_LAYOUT = "boot_device.layout should be specified when boot_device.mirror is specified"
NO_LUKS_DEVICE = "device is required for layouts: s390x-eckd, s390x-zfcp"
BAD_LUKS_DEVICE = "device name must start with /dev/dasd on s390x-eckd layout or /dev/sd on s390x-zfcp layout"
NO_MIRROR = "mirroring not supported on layouts: s390x-eckd, s390x-zfcp, s390x-virt"
CEX_ELSEWHERE = "when using cex the targeted architecture must match s390x"
CEX_WITH_CLEVIS = "cex cannot be used with tang or tpm2"
NO_METHOD = "no method specified for luks"
NO_NAME, NO_HASH = 'field "name" is required', 'field "password_hash" is required'

_S390X_SINCE = _MOUNT_POINT_SINCE = _REUSE_SINCE = "3.5.0"  # fcos 1.6
_LAYOUT_SINCE = _METHOD_SINCE = "3.6.0"  # fcos 1.7
_RESERVED = {"BIOS-BOOT": 1, "PowerPC-PReP-boot": 1, "EFI-SYSTEM": 2, "boot": 3, "root": 4}
_LEAST_ROOT_MIB = 8192
_MOUNT_POINTS = lazy_pattern(r"/(etc|var)(/|$)")
_LUKS_DEVICES = {ECKD: lazy_pattern(r"/dev/dasd[a-z]$"), ZFCP: lazy_pattern(r"/dev/sd[a-z]$")}


def _since(work: Work, spec: str) -> bool:
    return work.variant.is_fcos and order(work.variant.spec) >= order(spec)


def mount_point(work: Work, filesystem: Filesystem, path: Path) -> None:
    """Since 1.6: mount points outside /etc and /var are read-only on Fedora CoreOS."""
    if filesystem.with_mount_unit and filesystem.path and _since(work, _MOUNT_POINT_SINCE):
        if not _MOUNT_POINTS.match(filesystem.path):
            work.error((*path, "path"), MOUNT_POINT, "mount it there, or remove with_mount_unit")


def reused_partitions(work: Work, document: FcosDocument, _: Path) -> None:
    """Since 1.6: a partition to be reused needs a number, or it cannot be found."""
    if not _since(work, _REUSE_SINCE):
        return
    for number, disk in enumerate(document.storage.disks):
        if disk.device == BOOT_DISK or disk.wipe_table or disk.device in document.boot_device.mirror.devices:
            continue
        for index, partition in enumerate(disk.partitions):
            if partition.label is not None and not partition.number:
                path = ("storage", "disks", number, "partitions", index, "number")
                work.warning(path, REUSED_BY_LABEL, "set the number of the partition")


def layouts(spec: str) -> list[str]:
    """The valid layouts of the version that is translated to this spec version."""
    return sorted((*LAYOUTS, *(S390X if order(spec) >= order(_S390X_SINCE) else ())))


def layout(work: Work, device: BootDevice, path: Path) -> None:
    """The layout must be valid in this version; those of s390x have further requirements."""
    known = layouts(work.variant.spec)
    there, name = (*path, "layout"), device.layout
    if name is None:
        return
    if name not in known:
        from ignition.config.suggest import one_of

        work.error(there, f"layout must be one of: {', '.join(known)}", one_of(name, known))
        return
    pattern = _LUKS_DEVICES.get(name)
    if pattern and not device.luks.device:
        work.error(there, NO_LUKS_DEVICE, "set luks.device")
    elif pattern and not pattern.search(device.luks.device or ""):
        work.error(there, BAD_LUKS_DEVICE, "name the whole disk, as in /dev/dasda or /dev/sda")
    if name in S390X and device.mirror.devices:
        work.error(there, NO_MIRROR, "remove mirror")


def mirror(work: Work, device: BootDevice, path: Path) -> None:
    """A mirror needs at least two disks and, since 1.7, a layout."""
    if len(device.mirror.devices) == 1:
        work.error((*path, "mirror", "devices"), TOO_FEW_DEVICES, "add another disk")
    if device.mirror.devices and device.layout is None:
        say = work.error if _since(work, _LAYOUT_SINCE) else work.warning
        say((*path, "mirror"), NO_LAYOUT, f"write layout: {DEFAULT}, if that is the machine's architecture")


def secure_key(work: Work, device: BootDevice, path: Path) -> None:
    """IBM's secure keys exist only on s390x, and cannot be combined with other methods."""
    if device.luks.cex.enabled:
        if device.layout not in S390X:
            there = (*path, "luks", "cex") if device.layout is None else (*path, "layout")
            work.error(there, CEX_ELSEWHERE, f"use one of the layouts {', '.join(S390X)}")
        if device.luks.tang or device.luks.tpm2:
            work.error((*path, "luks"), CEX_WITH_CLEVIS, "remove one of them")


def method(work: Work, device: BootDevice, path: Path) -> None:
    """Since 1.7: a device requires a method to unlock it."""
    if device.luks.device and not wants_luks(device.luks) and _since(work, _METHOD_SINCE):
        work.error((*path, "luks"), NO_METHOD, "set tpm2, tang or cex")


def grub_user(work: Work, user: GrubUser, path: Path) -> None:
    """Both members are required."""
    if not user.name:
        work.error((*path, "name"), NO_NAME, "set the name of the user")
    if not user.password_hash:
        work.error((*path, "password_hash"), NO_HASH, "create one with grub2-mkpasswd-pbkdf2")


def disks(work: Work, config: Config) -> None:
    """The partitions of the result: the system's own partitions must keep their numbers, and root needs space."""
    for disk in config.storage.disks if work.variant.is_fcos else ():
        for index, partition in enumerate(disk.partitions):
            origin = origins.of(partition.label)
            if origin is None:
                continue
            if not disk.wipe_table and partition.number != _RESERVED.get(partition.label or "", partition.number):
                fix = f"use its number {_RESERVED[partition.label or '']} or another label, or set wipe_table: true"
                work.warning(origin.path, WRONG_NUMBER, fix)
            if partition.label == "root" and issubclass(work.variant.document, FcosDocument):
                _root(work, disk, index, partition, origin.path)


def _root(work: Work, disk: Disk, index: int, partition: Partition, label: Path) -> None:
    """Since 1.3. `label`: the path of the partition's label."""
    if not partition.size_mib:
        if any(not later.start_mib for later in disk.partitions[index + 1 :]):
            work.warning(
                label, ROOT_CONSTRAINED, f"set size_mib to at least {_LEAST_ROOT_MIB}, or start_mib of the other partitions"
            )
    elif partition.size_mib < _LEAST_ROOT_MIB:
        work.warning((*label[:-1], "size_mib"), ROOT_TOO_SMALL, f"set it to at least {_LEAST_ROOT_MIB}")
