"""The one reboot after which the kernel has its new arguments, and the guard against a second one.

Whether to reboot is decided by the boot loader's files alone: they are changed once, and then they are right. Two guards: if the
change does not last (something else rewrites them, or the file system loses writes), a note beside the first-boot flag records
that this config has had its reboot; if they are right and the kernel has other arguments, something else has started it (PXE, a
hypervisor), and another reboot would not help. In both cases the first boot fails.
"""

from __future__ import annotations

import os
import time

from ignition.errors import Failure
from ignition.host import first_boot_mark, log, paths
from ignition.host.command import run

REBOOTED = "kargs-rebooted"  # the note
MARK = "coreos/first_boot.in-progress"  # on EFI-SYSTEM; written by dracut/35coreos-ignition/esp
MESSAGE = "the kernel arguments have changed: rebooting once, the first boot continues after that"
PATIENCE_S = 180.0


def was_done(esp: str, digest: str) -> bool:
    """Whether the mark on a mounted EFI system partition says that the machine was rebooted for the config with this digest."""
    try:
        with open(os.path.join(esp, MARK), encoding="ascii", errors="replace") as file:
            words = file.read().split()
    except OSError:
        return False
    return bool(words) and words[0] == digest and REBOOTED in words[1:]


def refuse_second(esp: str, changing: list[str]) -> None:
    """Raises Failure if this config has had its reboot, and the files have changed since."""
    if was_done(esp, _digest()):
        raise Failure(
            f"already rebooted for these kernel arguments, and they are missing again in {', '.join(changing)}",
            fix=f"find the cause of the change in the boot loader's files, or set the arguments there by hand; then remove {MARK}"
            " from the EFI system partition",
        )


def refuse_vain(differences: list[str], names: list[str]) -> None:
    """Raises Failure if the running kernel differs, though these files of the boot loader are right."""
    if differences:
        raise Failure(
            f"the kernel was started {', '.join(differences)}, although it is right in {' and '.join(names)}",
            where="/proc/cmdline",
            fix="something other than this boot loader starts the kernel or extends its arguments (PXE, a hypervisor, the"
            " vendor's grub.cfg on the OEM partition): another reboot would not help; set the arguments there",
        )


def reboot() -> None:
    """Note it, sync, reboot. Never returns: raises Failure if the machine keeps running."""
    initramfs = os.path.exists(paths.INITRD_RELEASE)
    if initramfs:
        first_boot_mark.note(REBOOTED)
    os.sync()
    log.send(log.NOTICE, MESSAGE)
    _tell_the_console()
    # In the initramfs services need no orderly stop, and units that wait for this stage must not start while others stop.
    run(["systemctl", *(["--force"] if initramfs else []), "reboot"], why="rebooting")
    time.sleep(PATIENCE_S)
    raise Failure(f"the machine is still running {PATIENCE_S:g} s after its reboot was requested", fix="reboot it by hand")


def _digest() -> str:
    """The digest of the config that the fetch stages left; "" if a person runs this."""
    try:
        with open(os.path.join(paths.RUN, paths.CONFIG_DIGEST), encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def _tell_the_console() -> None:
    try:
        with open("/dev/console", "w", encoding="ascii") as console:
            console.write(f"ignition: {MESSAGE}\r\n")
    except OSError:
        log.debug("no console")
