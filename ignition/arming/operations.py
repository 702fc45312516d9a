"""The steps by which an image begins, and ceases, to provision its clones."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence

from ignition.arming.machine import FLAG, GRUB_CONFIG, INITRAMFS_TOOLS, INSTALL_DRACUT, UPDATE_INITRAMFS, has_initramfs_tools
from ignition.host.command import run
from ignition.host.reading import read_inside
from ignition.host.root import PARENTS
from ignition.operation import Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.operation import Context

RANDOM_SEED = "/var/lib/systemd/random-seed"
SEED_NOT_SAVED = "/run/systemd/system/systemd-random-seed.service.d/50-coreos-ignition.conf"
_BUILDING_S = 3600.0  # of an initramfs, in an emulated machine
_INSTALLING_S = 1800.0


class InstallFile(Operation):
    """Writes one file of the skeleton, or one that is made for this machine."""

    kind = "install-file"

    def __init__(self, path: str, content: bytes, mode: int) -> None:
        self.path, self._content, self._mode = path, content, mode

    def describe(self) -> str:
        return f"install {self.path}"

    def already_there(self, context: Context) -> bool:
        status = context.root.status(self.path)
        present = read_inside(context.root, self.path) if status else None
        return present == self._content and status is not None and status.st_mode & 0o777 == self._mode

    def execute(self, context: Context) -> None:
        context.root.write(self.path, self._content, mode=self._mode, sync=True)


class MaskUnit(Operation):
    """Masks a unit."""

    kind = "mask-unit"

    def __init__(self, unit: str, why: str) -> None:
        self.path, self._why = f"/etc/systemd/system/{unit}", why

    def describe(self) -> str:
        return f"mask {os.path.basename(self.path)}, {self._why}"

    def already_there(self, context: Context) -> bool:
        status = context.root.status(self.path)
        if status is None or not stat.S_ISLNK(status.st_mode):
            return False
        with context.root.at(self.path) as here:
            return here.readlink() == os.devnull

    def execute(self, context: Context) -> None:
        with context.root.at(self.path, parents=PARENTS) as here:
            here.symlink(os.devnull)


class ReplaceInitramfsTools(Operation):
    """Has apt install dracut, with which Debian's initramfs-tools conflicts. The present initramfs of each kernel stays."""

    kind, path = "install-package", UPDATE_INITRAMFS

    def describe(self) -> str:
        return f"install the package dracut, which removes {INITRAMFS_TOOLS}"

    def already_there(self, context: Context) -> bool:
        return not has_initramfs_tools(context.root)

    def execute(self, context: Context) -> None:
        run(INSTALL_DRACUT, why=f"replacing {INITRAMFS_TOOLS} by dracut", timeout_s=_INSTALLING_S)


class BuildInitramfs(Operation):
    """Has dracut build the initramfs of a kernel, with whatever its configuration now says."""

    kind = "build-initramfs"

    def __init__(self, version: str) -> None:
        self._version, self.path = version, f"/boot/initrd.img-{version}"

    def describe(self) -> str:
        return f"build {self.path}"

    def execute(self, context: Context) -> None:
        argv = ["dracut", "--quiet", "--force", "--kver", self._version, self.path]
        run(argv, why=f"building {self.path}", timeout_s=_BUILDING_S)


class UpdateGrub(Operation):
    """Has GRUB write its configuration again."""

    kind, path = "update-grub", GRUB_CONFIG

    def describe(self) -> str:
        return f"update {self.path}"

    def execute(self, context: Context) -> None:
        run(["grub-mkconfig", "-o", self.path], why=f"writing {self.path}")


class RemoveInstalled(Operation):
    """Removes a file or a symlink that `arm` has installed."""

    kind = "remove-file"

    def __init__(self, path: str) -> None:
        self.path = path

    def describe(self) -> str:
        return f"remove {self.path}"

    def already_there(self, context: Context) -> bool:
        return context.root.status(self.path) is None

    def execute(self, context: Context) -> None:
        with context.root.at(self.path) as here:
            here.unlink()


class RemoveRandomSeed(Operation):
    """Removes the random seed of the machine. `runs`: systemd runs it, and is not to save another one when it shuts down."""

    kind, path = "remove-file", RANDOM_SEED

    def __init__(self, *, runs: bool) -> None:
        self._runs = runs

    def describe(self) -> str:
        return f"remove the random seed: {self.path}{', which is not saved at the shutdown' if self._runs else ''}"

    def already_there(self, context: Context) -> bool:
        is_removed = context.root.status(self.path) is None
        return is_removed and (not self._runs or context.root.status(SEED_NOT_SAVED) is not None)

    def execute(self, context: Context) -> None:
        if self._runs:
            context.root.write(SEED_NOT_SAVED, b"[Service]\nExecStop=\n", mode=0o644)
            run(["systemctl", "daemon-reload"], why="loading the units again")
        if context.root.status(self.path) is not None:
            with context.root.at(self.path) as here:
                here.unlink()


class SaveRandomSeed(Operation):
    """Lets systemd save the random seed again."""

    kind, path = "remove-file", SEED_NOT_SAVED

    def describe(self) -> str:
        return f"remove {self.path}: the random seed is saved again at the shutdown"

    def execute(self, context: Context) -> None:
        with context.root.at(self.path) as here:
            here.unlink()
        run(["systemctl", "daemon-reload"], why="loading the units again")


class SetFlag(Operation):
    """Creates the flag that GRUB looks for, once everything before it is on the disk."""

    kind, path = "set-first-boot-flag", FLAG

    def describe(self) -> str:
        return f"set the first-boot flag: {self.path}"

    def already_there(self, context: Context) -> bool:
        return context.root.status(self.path) is not None

    def execute(self, context: Context) -> None:
        os.sync()
        context.root.write(self.path, b"", mode=0o644, sync=True)
        os.sync()


class MakeIdentity(Operation):
    """Makes identifiers that `arm` removed, so that this machine can go on by itself."""

    kind = "make-identity"

    def __init__(self, what: str, argv: Sequence[str], path: str) -> None:
        self._what, self._argv, self.path = what, list(argv), path

    def describe(self) -> str:
        return f"make {self._what}"

    def execute(self, context: Context) -> None:
        run(self._argv, why=f"making {self._what}")
