"""What a document of Fedora CoreOS has beside the rest: its boot device and its boot loader.

Source: docs/reference/config-transpiler.md §B4.
"""

from ignition.config.model.storage import Cex, Tang
from ignition.config.record import spec
from ignition.transpile.butane.model import Document
from ignition.transpile.butane.section import Section


class BootDeviceLuks(Section):
    """How the root file system is encrypted (path: boot_device.luks)."""

    tang: tuple[Tang, ...] = spec("tang servers that unlock it", default=())
    threshold: int | None = spec("how many of the servers and the TPM unlock it; default 1", default=None)
    tpm2: bool | None = spec("the TPM unlocks it", default=None)
    discard: bool | None = spec("allow discards, kept in the header", default=None, since="3.4.0")
    device: str | None = spec("the disk, with layouts s390x-eckd and s390x-zfcp", default=None, since="3.5.0")
    cex: Cex = spec("IBM secure key, with layouts of s390x", default=Cex(), since="3.5.0")


class Mirror(Section):
    """Path: boot_device.mirror."""

    devices: tuple[str, ...] = spec("the disks that the system is mirrored on", default=())


class BootDevice(Section):
    """Path: boot_device."""

    layout: str | None = spec("which partitions the machine's kind needs", default=None)
    luks: BootDeviceLuks = spec("encryption of the root file system", default=BootDeviceLuks())
    mirror: Mirror = spec("a mirror of the system on several disks", default=Mirror())


class GrubUser(Section):
    """Path: grub.users[]."""

    name: str = spec("who may change the boot")
    password_hash: str | None = spec("hash of the password, as grub2-mkpasswd-pbkdf2 makes it", default=None)


class Grub(Section):
    """Path: grub."""

    users: tuple[GrubUser, ...] = spec("users who may change the boot at the console", default=())


class FcosDocument(Document):
    """From version 1.3 on."""

    boot_device: BootDevice = spec("the disk that the system is on", default=BootDevice())
    grub: Grub = spec("the boot loader", default=Grub(), since="3.4.0")
