"""Every external program the agent may start, and whether the initramfs must have it.

The only list: `command.run` refuses any other name, the dracut module installs these, and the image build fails without the
required ones.
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
    "gpgv": OPTIONAL,
    "groupadd": REQUIRED,
    "groupdel": REQUIRED,
    "groupmod": REQUIRED,
    "ignition-kargs-helper": OPTIONAL,
    "journalctl": REQUIRED,
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

# Started by coreos-metadata and coreos-cloudinit on the running system, and by commands for people: not in the initramfs.
LATER = frozenset(
    {
        "apt-get",
        "debugfs",
        "dracut",
        "env",
        "gpgv",
        "grub-mkconfig",
        "grub-probe",
        "hostnamectl",
        "lsinitrd",
        "mcopy",
        "mdir",
        "mtype",
        "nft",
        "openssl",
        "qemu-storage-daemon",
        "ssh-keygen",
        "systemd-detect-virt",
        "systemd-machine-id-setup",
        "systemd-run",
        "update-ssh-keys",
    }
)

# With `--root DIRECTORY` these run code of that directory (NSS modules, nscd), which is not trusted.
RUN_CODE_OF_THE_ROOT = frozenset({"chgpasswd", "chpasswd", "groupadd", "groupdel", "groupmod", "useradd", "userdel", "usermod"})

OWN = "/usr/lib/coreos-ignition/"  # scripts that the dracut module installs, run by their full path


def known(program: str) -> bool:
    """Whether the agent may start a program: one of the list, in any directory, or one of its own scripts."""
    return program.rpartition("/")[2] in {*PROGRAMS, *LATER} or program.startswith(OWN)
