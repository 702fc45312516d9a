"""The facts of a machine, or of a chroot with an image, on which the steps of `ignition arm` and `disarm` depend."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ignition.errors import CommandFailed, Failure
from ignition.host import devices
from ignition.host.command import run, status_and_output
from ignition.host.reading import lines, read_inside, read_text
from ignition.host.root import Root
from ignition.provisioned import reset

SKELETON = "/usr/share/coreos-ignition/arm"  # the files that `arm` installs, in the directories of the root
FLAG = "/boot/coreos/first_boot"
GRUB_CONFIG = "/boot/grub/grub.cfg"
_DRACUT_MODULE = "/usr/lib/dracut/modules.d/35coreos-ignition"
UPDATE_INITRAMFS = "/usr/sbin/update-initramfs"
_UPDATE_GRUB = "/usr/sbin/grub-mkconfig"
_PREFIX_OF_KERNEL = "vmlinuz-"
INITRAMFS_TOOLS = "initramfs-tools"
_FIX_BY_HAND = "replace it by dracut: apt install dracut"
# The kernel hooks of Debian's packages do nothing with INITRD=No: the operations after this one build every initramfs once.
INSTALL_DRACUT = [
    *("env", "INITRD=No", "DEBIAN_FRONTEND=noninteractive"),
    *("apt-get", "--quiet=2", "--yes", "--no-install-recommends", "install", "dracut"),
]


class Machine:
    """`files`: path in the root → (content, mode) of the skeleton; `kernels`: versions with a kernel in /boot.

    `enabled`: the units that are enabled now; `identity`: the identifiers that each clone makes for itself. `grows`: ROOT is to
    grow on a partition of any type. `replaces`: initramfs-tools is installed, and makes way for dracut. `runs`: systemd runs it;
    it is not a chroot.
    """

    def __init__(
        self,
        root: Root,
        *,
        files: dict[str, tuple[bytes, int]],
        kernels: Sequence[str],
        enabled: Sequence[str],
        identity: reset.Facts,
        grows: bool = False,
        replaces: bool = False,
        runs: bool = False,
    ) -> None:
        self.root, self.files, self.kernels, self.enabled = root, files, tuple(kernels), tuple(enabled)
        self.identity, self.grows, self.replaces, self.runs = identity, grows, replaces, runs

    @property
    def is_armed(self) -> bool:
        """Whether the next boot is a first boot."""
        return self.root.status(FLAG) is not None


def probe(root: Root, *, grows: bool = False, may_replace: bool = False) -> Machine:
    """Look at the machine, change nothing. Raises Failure if it cannot be armed.

    `may_replace`: dracut may be installed in place of initramfs-tools.
    """
    kernels = [name.removeprefix(_PREFIX_OF_KERNEL) for name in root.names("/boot") if name.startswith(_PREFIX_OF_KERNEL)]
    machine = Machine(
        root,
        files=_skeleton(root),
        kernels=[one for one in kernels if root.is_directory(f"/usr/lib/modules/{one}")],
        enabled=_enabled_units(),
        identity=reset.identity_of(root),
        grows=grows,
        replaces=may_replace and has_initramfs_tools(root),
        runs=_systemd_runs(),
    )
    _refuse(machine)
    return machine


def has_initramfs_tools(root: Root) -> bool:
    """Whether Debian's initramfs-tools builds the initramfs of the next kernel. dracut may come with a script of that name."""
    return "mkinitramfs" in (read_text(root, UPDATE_INITRAMFS) or "")


def _refuse(machine: Machine) -> None:
    root = machine.root
    if not root.is_directory(_DRACUT_MODULE):
        raise Failure("the dracut module is missing", where=_DRACUT_MODULE, fix="install coreos-ignition-dracut")
    if has_initramfs_tools(root) and not machine.replaces:
        raise Failure("initramfs-tools would overwrite the initramfs of dracut", where=UPDATE_INITRAMFS, fix=_FIX_BY_HAND)
    if root.status(_UPDATE_GRUB) is None or root.status(GRUB_CONFIG) is None:
        raise Failure("GRUB is not set up", where=GRUB_CONFIG, fix="install GRUB, and run grub-install and update-grub")
    if not machine.kernels:
        raise Failure("/boot does not have a kernel", where="/boot", fix="install a kernel, such as linux-image-amd64")
    try:
        name = devices.name_of(run(["grub-probe", "--target=device", "/boot"], why="looking for the device of /boot").strip())
    except Failure as failure:
        fix = "mount the disk of the image at / (and its /boot), /dev, /proc and /sys"
        raise Failure(f"the device of /boot was not found: {failure.what}", where="/boot", fix=fix) from failure
    if any(os.path.isdir(f"{devices.SYSFS}/class/block/{name}/{kind}") for kind in ("dm", "md")):
        raise Failure(
            f"/boot is on {devices.describe_holder(name)}: a first boot reads its flag before arrays and volumes are assembled",
            where="/boot",
            fix="put /boot on a partition of its own",
        )
    if machine.replaces:
        _refuse_to_remove_more()


def _refuse_to_remove_more() -> None:
    """Raises Failure unless apt can install dracut, and removes nothing but initramfs-tools for it.

    Packages that only work with initramfs-tools (zfs-initramfs, clevis-initramfs) may be how this machine finds its root.
    """
    try:
        steps = run([*INSTALL_DRACUT, "--simulate"], why="asking apt for dracut")
    except CommandFailed as failure:
        raise Failure(
            f"dracut cannot be installed in place of initramfs-tools: {failure.what}",
            where=UPDATE_INITRAMFS,
            fix="apt update, and ignition arm again",
        ) from failure
    removed = [line.split()[1] for line in lines(steps) if line.startswith("Remv ")]
    others = sorted(set(removed) - {INITRAMFS_TOOLS})
    if others:
        what = f"to install dracut, apt would also remove {', '.join(others)}"
        raise Failure(what, where=UPDATE_INITRAMFS, fix=_FIX_BY_HAND)


def _skeleton(root: Root) -> dict[str, tuple[bytes, int]]:
    """The files to install, by their path in the root. Those that the machine does not need are left out."""
    found: dict[str, tuple[bytes, int]] = {}
    for directory, _, names in sorted(os.walk(f"{root.path}{SKELETON}")):
        for name in sorted(names):
            inside = f"{directory}/{name}"[len(root.path) :]
            content, status = read_inside(root, inside), root.status(inside)
            if content is not None and status is not None:
                found[inside.removeprefix(SKELETON)] = content, status.st_mode & 0o777
    if not found:
        raise Failure("the files to install are missing", where=SKELETON, fix="install coreos-ignition-dracut")
    return found


def _systemd_runs() -> bool:
    argv = ["systemctl", "is-system-running"]  # "offline" in a chroot, with other states than "running" status 1
    return status_and_output(argv, why="asking systemd", ok=(0, 1))[1].strip() != "offline"


def _enabled_units() -> list[str]:
    """The names of enabled units, templates included."""
    argv = ["systemctl", "list-unit-files", "--state=enabled", "--no-legend", "--no-pager", "--plain"]
    _, output = status_and_output(argv, why="listing the enabled units", ok=(0, 1))
    return sorted(line.split()[0] for line in output.split("\n") if line.strip())
