"""The machine image with systemd-boot and entries of the Boot Loader Specification instead of GRUB; for UEFI machines only."""

from collections.abc import Mapping
from pathlib import Path

from harness import disks, filesystems, gpt
from harness.case import Case
from harness.disks import Disk
from harness.errors import HarnessError

PROGRAM = Path("/usr/lib/systemd/boot/efi/systemd-bootx64.efi")
# The program that firmware starts from a disk without a boot entry (UEFI 2.10, 3.5.1.1).
REMOVABLE_PATH = "/EFI/BOOT/BOOTX64.EFI"
ENTRIES = "/loader/entries"


def disk(case: Case, name: str, entries: Mapping[str, str], *, default: str) -> Disk:
    """A fresh disk with these entries (name.conf → text). Kernel and initramfs are /coreos/vmlinuz and /coreos/initrd.img."""
    if not PROGRAM.exists():
        raise HarnessError(f"{PROGRAM} is missing; `make test` installs it (package systemd-boot-efi)")
    raw = disks.raw_copy(case.image.disk, case.work / f"{name}-base.raw")
    esp = gpt.read_table(raw).labelled("EFI-SYSTEM")
    for path in ("/grub", "/coreos/kargs.cfg"):
        filesystems.fat_remove(raw, esp, path)
    filesystems.fat_write(raw, esp, REMOVABLE_PATH, PROGRAM)
    filesystems.fat_write(raw, esp, "/loader/loader.conf", f"timeout 0\ndefault {default}\n")
    for entry, text in entries.items():
        filesystems.fat_write(raw, esp, f"{ENTRIES}/{entry}", text)
    return disks.overlay(Disk(raw, "raw"), case.work / f"{name}.qcow2")
