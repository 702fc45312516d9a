"""GRUB for BIOS and UEFI, put into an image file without mounting it or asking for a device.

The BIOS part does what grub-bios-setup does with a device: boot.img into the first sector, core.img into BIOS-BOOT, and the two
sector numbers by which each finds the next. Offsets are those of GRUB 2.06, include/grub/i386/pc/boot.h.
"""

import struct
from collections.abc import Sequence
from pathlib import Path

from layout import SECTOR, Partition
from tools import run

BIOS_MODULES = Path("/usr/lib/grub/i386-pc")
UEFI_MODULES = Path("/usr/lib/grub/x86_64-efi")
# smbios and regexp: extra kernel arguments from the hypervisor, eval: arguments with blanks; see grub.cfg.
MODULES = (
    "part_gpt part_msdos fat ext2 search search_label search_fs_file normal linux echo test configfile serial terminal "
    "eval regexp smbios sleep reboot halt minicmd ls cat"
).split()
# All that is embedded: the rest is in grub.cfg on the ESP, where people can change it.
EMBEDDED = "search --no-floppy --label EFI-SYSTEM --set=root\nset prefix=($root)/grub\nconfigfile ($root)/grub/grub.cfg\n"

_KERNEL_SECTOR = 0x5C  # GRUB_BOOT_MACHINE_KERNEL_SECTOR: where boot.img looks for core.img
_DRIVE_CHECK = 0x66  # GRUB_BOOT_MACHINE_DRIVE_CHECK: a jump that floppies need and disks must not have
_CODE_END = 440  # the disk signature and the protective partition table come after it
_BLOCKLIST = SECTOR - 12  # in core.img's first sector: where its second one is


def bios(image: Path, bios_boot: Partition, scratch: Path, *, embedded: str = EMBEDDED, modules: Sequence[str] = ()) -> None:
    """Install into the first sector of `image` and into its BIOS-BOOT partition. `modules`: besides MODULES."""
    core = bytearray(_core("i386-pc", BIOS_MODULES, [*MODULES, *modules, "biosdisk"], scratch, embedded).read_bytes())
    if len(core) > bios_boot.bytes:
        raise ValueError(f"core.img has {len(core)} bytes: more than BIOS-BOOT")
    struct.pack_into("<Q", core, _BLOCKLIST, bios_boot.start + 1)
    boot = bytearray((BIOS_MODULES / "boot.img").read_bytes())
    struct.pack_into("<Q", boot, _KERNEL_SECTOR, bios_boot.start)
    boot[_DRIVE_CHECK : _DRIVE_CHECK + 2] = b"\x90\x90"
    with image.open("r+b") as disk:
        disk.write(boot[:_CODE_END])
        disk.seek(bios_boot.offset)
        disk.write(core)


def uefi(scratch: Path, *, embedded: str = EMBEDDED, modules: Sequence[str] = ()) -> Path:
    """Build BOOTX64.EFI; returns its path. `modules`: besides MODULES."""
    return _core("x86_64-efi", UEFI_MODULES, [*MODULES, *modules, "efi_gop", "all_video"], scratch, embedded)


def _core(target: str, modules: Path, names: list[str], scratch: Path, embedded: str) -> Path:
    config, output = scratch / "embedded.cfg", scratch / f"core.{target}"
    config.write_text(embedded, encoding="ascii")
    run(["grub-mkimage", "-O", target, "-d", str(modules), "-c", str(config), "-p", "/grub", "-o", str(output), *names])
    return output
