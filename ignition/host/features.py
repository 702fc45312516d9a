"""Features of an initramfs: groups of programs and kernel modules that an image may leave out to save space.

dracut's variable `ignition_features` names those that an initramfs gets; without it they are all for which the image has the
programs. The dracut module records them in FILE, and the agent refuses configs that need others before anything changes.
"""

from __future__ import annotations

import os

from ignition.host.paths import features_file

CONFIGURATION = "/etc/dracut.conf.d"
VARIABLE = "ignition_features"


class Feature:
    """`programs` are all required, none for a feature of kernel modules alone; `package` is Debian's that has them; without the
    features in `needs` this one is useless.
    """

    def __init__(self, summary: str, programs: tuple[str, ...], package: str, needs: tuple[str, ...] = ()) -> None:
        self.summary, self.programs, self.package, self.needs = summary, programs, package, needs


FEATURES = {
    "btrfs": Feature("file systems of format btrfs, subvolumes", ("btrfs", "mkfs.btrfs"), "btrfs-progs"),
    "clevis": Feature(
        "volumes and secrets that a tang server, a TPM or other pins open", ("clevis", "jose"), "clevis-luks", ("luks",)
    ),
    "luks": Feature("encrypted volumes", ("cryptsetup",), "cryptsetup-bin"),
    "lvm": Feature("ROOT on logical volumes, and its growth", ("lvm",), "lvm2"),
    "mellanox": Feature(
        "network cards of Mellanox and NVIDIA, and the accelerated networking of Azure and Oracle Cloud", (), "linux-image-amd64"
    ),
    "raid": Feature("arrays, and ROOT on one", ("mdadm",), "mdadm"),
    "selinux": Feature("labels of files, for images with an SELinux policy", ("setfiles",), "policycoreutils"),
    "tools": Feature("ip, less, lsblk, ps and resolvectl at the emergency shell", ("ip", "ps"), "iproute2"),
    "vfat": Feature("file systems of format vfat", ("mkfs.fat",), "dosfstools"),
    "xfs": Feature("file systems of format xfs", ("mkfs.xfs", "xfs_growfs"), "xfsprogs"),
}


def present() -> frozenset[str] | None:
    """The features of this initramfs; None outside of one, where nothing was left out."""
    try:
        with open(features_file(), encoding="utf-8", newline="\n") as file:
            return frozenset(file.read().split())
    except FileNotFoundError:
        return None


def fix(name: str) -> str:
    """The remedy for a missing feature: the image lacks its package, or the variable is set and does not name it."""
    package = FEATURES[name].package
    listed = f'add "{name}" to {VARIABLE} in {CONFIGURATION} if it is set'
    return f"install {package} in the image, {listed}, and rebuild the initramfs"


def of_program(program: str) -> str | None:
    """The feature that a program belongs to, if any."""
    name = os.path.basename(program)
    return next((feature for feature, one in FEATURES.items() if name in one.programs), None)
