"""The boot device of Fedora CoreOS, encrypted or mirrored, and passwords of its boot loader.

Source: docs/reference/config-transpiler.md §B10.
"""

from __future__ import annotations

from ignition.config.model.ignition import Resource
from ignition.config.model.storage import Clevis, Disk, File, Filesystem, Luks, Partition, Raid, Storage
from ignition.transpile.butane import convert
from ignition.transpile.butane.convert import converted
from ignition.transpile.butane.model import BootDevice, BootDeviceLuks, Grub
from ignition.transpile.butane.mount_units import GENERATED
from ignition.transpile.butane.translation import Work, made, mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.report import Path


_HERE: Path = ("boot_device",)
_LUKS, _MIRROR = (*_HERE, "luks"), (*_HERE, "mirror")
DEFAULT = "x86_64"
ECKD, ZFCP, VIRT = "s390x-eckd", "s390x-zfcp", "s390x-virt"
S390X = {ECKD: "2", ZFCP: "4", VIRT: ""}  # layouts that cannot be mirrored → the encrypted partition of the disk
_ESP = "esp"
# Partitions before `root`, which fills the rest: name, MiB, type GUID. Sizes and types are those of coreos-assembler's
# create_disk.sh. They must never change, since existing machines have them.
_BIOS = ("bios", 1, "21686148-6449-6E6F-744E-656564454649")
_PREP = ("prep", 4, "9E1A2D38-C612-4316-AA26-8B49521E5A8B")
_EFI = (_ESP, 127, "C12A7328-F81F-11D2-BA4B-00A0C93EC93B")
_RESERVED = ("reserved", 1, "8DA63339-0007-60C0-C436-083AC8230908")
_BOOT = ("boot", 384, None)
LAYOUTS = {
    "aarch64": (_RESERVED, _EFI, _BOOT),
    "ppc64le": (_PREP, _RESERVED, _BOOT),
    DEFAULT: (_BIOS, _EFI, _BOOT),
}


def storage(work: Work, device: BootDevice) -> Storage | None:
    """The storage that the section stands for; None if it is empty. The rules have checked it."""
    luks, disks = device.luks, device.mirror.devices
    is_encrypted = wants_luks(luks)
    if not (is_encrypted or disks):
        return None
    root = "/dev/mapper/root" if is_encrypted else "/dev/md/md-root"
    filesystems = [*(_mirrored_filesystems(device) if disks else ()), _filesystem(_HERE, root, "xfs", "root")]
    return Storage.of(
        {
            "disks": tuple(_disk(device, number) for number in range(1, len(disks) + 1)),
            "raid": _arrays(len(disks)) if disks else (),
            "luks": (_volume(work, device),) if is_encrypted else (),
            "filesystems": tuple(filesystems),
        }
    )


def wants_luks(luks: BootDeviceLuks) -> bool:
    """Whether a method of unlocking is set."""
    return bool(luks.tpm2 or luks.tang or luks.cex.enabled)


def _partitions(device: BootDevice) -> tuple[tuple[str, int, str | None], ...]:
    return LAYOUTS[device.layout or DEFAULT]


def _place(number: int) -> Path:
    return (*_MIRROR, "devices", number - 1)


def _disk(device: BootDevice, number: int) -> Disk:
    path = _place(number)
    partitions = [
        made(Partition, path, label=f"{name}-{number}", size_mib=size, type_guid=guid) for name, size, guid in _partitions(device)
    ]
    partitions.append(made(Partition, path, label=f"root-{number}"))
    disk: Disk = made(Disk, path, device=device.mirror.devices[number - 1], wipe_table=True, partitions=tuple(partitions))
    return disk


def _arrays(count: int) -> tuple[Raid, ...]:
    arrays = []
    # Metadata at the end, so that the boot loader can read /boot like a plain partition.
    for name, options in (("boot", ("--metadata=1.0",)), ("root", ())):
        devices = tuple(mark(f"/dev/disk/by-partlabel/{name}-{number}", _MIRROR) for number in range(1, count + 1))
        marked = tuple(mark(option, _MIRROR) for option in options)
        arrays.append(made(Raid, _MIRROR, name=f"md-{name}", level="raid1", devices=devices, options=marked))
    return tuple(arrays)


def _mirrored_filesystems(device: BootDevice) -> list[Filesystem]:
    has_esp = _EFI in _partitions(device)
    numbers = range(1, len(device.mirror.devices) + 1) if has_esp else ()
    made_filesystems = [
        _filesystem(_place(number), f"/dev/disk/by-partlabel/{_ESP}-{number}", "vfat", f"{_ESP}-{number}") for number in numbers
    ]
    return [*made_filesystems, _filesystem(_MIRROR, "/dev/md/md-boot", "ext4", "boot")]


def _filesystem(path: Path, device: str, kind: str, label: str) -> Filesystem:
    filesystem: Filesystem = made(Filesystem, path, device=device, format=kind, label=label, wipe_filesystem=True)
    return filesystem


def _volume(work: Work, device: BootDevice) -> Luks:
    luks = device.luks
    if luks.device and device.layout in (ECKD, ZFCP):
        under = f"{luks.device}{S390X[device.layout]}"
    else:
        under = "/dev/md/md-root" if device.mirror.devices else "/dev/disk/by-partlabel/root"
    fixed: Luks = made(Luks, _LUKS, name="root", label="luks-root", device=under, wipe_volume=True)
    discard = None if luks.discard is None else mark(luks.discard, (*_LUKS, "discard"))
    if luks.cex.enabled:
        return fixed.evolve(discard=discard, cex=converted(work, luks.cex, (*_LUKS, "cex")))
    given = {name: getattr(luks, name) for name in ("tang", "threshold", "tpm2") if getattr(luks, name) is not None}
    return fixed.evolve(discard=discard, clevis=converted(work, Clevis.of(given), _LUKS))


# Passwords of GRUB on Fedora CoreOS. Source: docs/reference/config-transpiler.md §B11.

_GRUB_SECTION: Path = ("grub", "users")


def grub_storage(work: Work, grub: Grub) -> Storage | None:
    """The storage that the section stands for; None without users. The rules have checked that names and hashes are set."""
    if not grub.users:
        return None
    names = " ".join(user.name for user in grub.users)
    hashes = (f"password_pbkdf2 {user.name} {user.password_hash}" for user in grub.users)
    text = "\n".join([GENERATED, "", f'set superusers="{names}"', *hashes, ""])
    content = Resource.of(convert.encoded(work, text.encode(), None, _GRUB_SECTION))
    return Storage.of(
        {
            "filesystems": (made(Filesystem, _GRUB_SECTION, device="/dev/disk/by-label/boot", format="ext4", path="/boot"),),
            "files": (made(File, _GRUB_SECTION, path="/boot/grub2/user.cfg", append=(content,)),),
        }
    )
