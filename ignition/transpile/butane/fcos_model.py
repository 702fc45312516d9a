"""What a document of Fedora CoreOS has beside the rest: its boot device and its boot loader. Source: config-transpiler.md B4."""

from ignition.config.model.storage import Cex, Tang
from ignition.config.record import spec
from ignition.transpile.butane.model import Document
from ignition.transpile.butane.section import Section


class BootDeviceLuks(Section):
    """How the root file system is encrypted (path: boot_device.luks)."""

    tang: tuple[Tang, ...] = spec("tang servers", default=())
    threshold: int | None = spec("shares needed", default=None)
    tpm2: bool | None = spec("bind to the TPM", default=None)
    discard: bool | None = spec("allow discards", default=None, since="3.4.0")
    device: str | None = spec("the disk, with layouts s390x-eckd and s390x-zfcp", default=None, since="3.5.0")
    cex: Cex = spec("IBM secure key, with layouts of s390x", default=Cex(), since="3.5.0")


class Mirror(Section):
    """Path: boot_device.mirror."""

    devices: tuple[str, ...] = spec("the disks that the system is mirrored on", default=())


class BootDevice(Section):
    """Path: boot_device."""

    layout: str | None = spec("which partitions the machine's kind needs", default=None)
    luks: BootDeviceLuks = spec("encryption of the root file system", default=BootDeviceLuks())
    mirror: Mirror = spec("mirroring", default=Mirror())


class GrubUser(Section):
    """Path: grub.users[]."""

    name: str = spec("who may change the boot", default="")
    password_hash: str | None = spec("of grub2-mkpasswd-pbkdf2", default=None)


class Grub(Section):
    """Path: grub."""

    users: tuple[GrubUser, ...] = spec("superusers", default=())


class FcosDocument(Document):
    """From version 1.3 on."""

    boot_device: BootDevice = spec("the disk that the system is on", default=BootDevice())
    grub: Grub = spec("the boot loader", default=Grub(), since="3.4.0")
