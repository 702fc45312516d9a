"""Passwords of GRUB on Fedora CoreOS. Source: docs/reference/config-transpiler.md §B11."""

from ignition.config.model.ignition import Resource
from ignition.config.model.storage import File, Filesystem, Storage
from ignition.transpile.butane import resources
from ignition.transpile.butane.fcos_model import Grub
from ignition.transpile.butane.mount_units import GENERATED
from ignition.transpile.butane.work import Work, made

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.report import Path

_HERE: "Path" = ("grub", "users")


def storage(work: Work, grub: Grub) -> Storage | None:
    """What the section stands for; None if it has no users. The rules have seen that names and hashes are there."""
    if not grub.users:
        return None
    content = Resource.of(resources.encoded(work, _text(grub).encode(), None, _HERE))
    return Storage.of(
        {
            "filesystems": (made(Filesystem, _HERE, device="/dev/disk/by-label/boot", format="ext4", path="/boot"),),
            "files": (made(File, _HERE, path="/boot/grub2/user.cfg", append=(content,)),),
        }
    )


def _text(grub: Grub) -> str:
    names = " ".join(user.name for user in grub.users)
    hashes = (f"password_pbkdf2 {user.name} {user.password_hash}" for user in grub.users)
    return "\n".join([GENERATED, "", f'set superusers="{names}"', *hashes, ""])
