"""Every external program the agent may start, and whether the initramfs must have it.

The one list: `command.run` refuses a name that is not here, the dracut module installs what is here, and the image build fails
without the required ones.
"""

from __future__ import annotations

REQUIRED = True
OPTIONAL = False

PROGRAMS: dict[str, bool] = {
    "blkid": REQUIRED,
    "btrfs": OPTIONAL,
    "chccwdev": OPTIONAL,
    "chgpasswd": OPTIONAL,
    "chpasswd": REQUIRED,
    "cio_ignore": OPTIONAL,
    "clevis": OPTIONAL,
    "cp": REQUIRED,
    "cryptsetup": OPTIONAL,
    "groupadd": REQUIRED,
    "groupdel": REQUIRED,
    "groupmod": REQUIRED,
    "ignition-kargs-helper": OPTIONAL,
    "lvm": OPTIONAL,
    "mdadm": OPTIONAL,
    "mkfs.btrfs": OPTIONAL,
    "mkfs.ext4": REQUIRED,
    "mkfs.fat": OPTIONAL,
    "mkfs.xfs": OPTIONAL,
    "mkswap": REQUIRED,
    "modprobe": REQUIRED,
    "mount": REQUIRED,
    "resize2fs": REQUIRED,
    "setfiles": OPTIONAL,
    "systemctl": REQUIRED,
    "udevadm": REQUIRED,
    "umount": REQUIRED,
    "useradd": REQUIRED,
    "userdel": REQUIRED,
    "usermod": REQUIRED,
    "vmur": OPTIONAL,
    "vmware-rpctool": OPTIONAL,
    "wipefs": REQUIRED,
    "xfs_growfs": OPTIONAL,
}

# What only the companions start, on the running system: the initramfs does without.
LATER = frozenset({"hostnamectl", "openssl", "ssh-keygen", "systemd-run", "update-ssh-keys"})

# What these do with `--root DIRECTORY` runs code of that directory (NSS modules, nscd): not ours, and nobody has to trust it.
RUN_CODE_OF_THE_ROOT = frozenset({"chgpasswd", "chpasswd", "groupadd", "groupdel", "groupmod", "useradd", "userdel", "usermod"})

OWN = "/usr/lib/coreos-ignition/"  # scripts that the dracut module brings, run by their whole path


def known(program: str) -> bool:
    """Whether the agent may start a program: by its name, wherever it lies, or one of its own scripts."""
    return program.rpartition("/")[2] in {*PROGRAMS, *LATER} or program.startswith(OWN)
