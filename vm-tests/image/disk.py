"""A disk image from a root directory, without loop devices: every file system is created at its offset in the file."""

import os
from pathlib import Path

import boot_loader
import layout
import reproducible
from tools import run

# The start of GRUB's kargs.cfg, before GRUB adds first boot, vendor and hypervisor; also the command line of a direct boot.
CMDLINE = "root=LABEL=ROOT rw"
CONSOLES = "console=tty0 console=ttyS0,115200"
KARGS_CFG = f"""# Kernel arguments: read by grub.cfg, edited by ignition-kargs-helper and by people. Double quotes protect blanks.
set linux_console='{CONSOLES}'
set kargs='{CMDLINE}'
"""
OEM_GRUB = """# Read by GRUB before each boot. Variables: oem_id, linux_console, linux_append.
# set oem_id="ec2"
# set linux_append="ignition.config.url=http://192.0.2.1/config.ign"
"""


def make(image: Path, root: Path, kernel: Path, initrd: Path, scratch: Path, epoch: int) -> None:
    """Partition `image`, fill its file systems, install GRUB. `image` is a sparse raw file afterwards.

    epoch: seconds since 1970, the time of everything that is made here.
    """
    partitions = layout.partitions()
    with image.open("wb") as file:
        file.truncate(layout.disk_bytes())
    run(["sfdisk", "--quiet", "--no-tell-kernel", "--no-reread", str(image)], stdin=layout.sfdisk_script())
    _ext4(image, partitions["ROOT"], root, epoch)
    oem = scratch / "oem"
    oem.mkdir()
    (oem / "grub.cfg").write_text(OEM_GRUB, encoding="ascii")
    reproducible.clamp(oem, epoch)
    _ext4(image, partitions["OEM"], oem, epoch)
    _esp(image, partitions["EFI-SYSTEM"], kernel, initrd, scratch, epoch)
    boot_loader.bios(image, partitions["BIOS-BOOT"], scratch)


def _ext4(image: Path, partition: layout.Partition, content: Path, epoch: int) -> None:
    identity = str(reproducible.file_system_id(partition.label, epoch))
    # The file is sparse and fresh: its tables are zero already, and no kernel thread has to zero them at the first boot.
    options = f"offset={partition.offset},assume_storage_prezeroed=1,lazy_itable_init=1,nodiscard,hash_seed={identity}"
    argv = [
        "mke2fs",
        "-q",
        "-F",
        "-t",
        "ext4",
        "-L",
        partition.label,
        "-U",
        identity,
        "-m",
        "1",
        "-d",
        str(content),
        "-E",
        options,
    ]
    run([*argv, str(image), f"{partition.bytes // 1024}k"], env=reproducible.fake_time(epoch))
    reproducible.fix_ext4_times(image, partition.offset, epoch)


def _esp(image: Path, partition: layout.Partition, kernel: Path, initrd: Path, scratch: Path, epoch: int) -> None:
    environment = reproducible.fake_time(epoch)
    number = reproducible.file_system_id(partition.label, epoch).hex[:8]
    # Two sectors a cluster: with mkfs.fat's own choice there were too few clusters for FAT32.
    argv = ["mkfs.fat", "--invariant", "-F", "32", "-s", "2", "-n", partition.label, "-i", number, f"--offset={partition.start}"]
    run([*argv, str(image), str(partition.bytes // 1024)], env=environment)
    grub_cfg = scratch / "grub.cfg"
    template = (Path(__file__).parent / "files" / "grub.cfg").read_text(encoding="ascii")
    grub_cfg.write_text(template.replace("@CMDLINE@", CMDLINE).replace("@CONSOLES@", CONSOLES), encoding="ascii")
    kargs_cfg = scratch / "kargs.cfg"
    kargs_cfg.write_text(KARGS_CFG, encoding="ascii")
    flag = scratch / "first_boot"
    flag.touch()
    at = f"{image}@@{partition.offset}"
    run(["mmd", "-i", at, "::/EFI", "::/EFI/BOOT", "::/grub", "::/coreos"], env=environment)
    for source, target in (
        (kernel, "coreos/vmlinuz"),
        (initrd, "coreos/initrd.img"),
        (grub_cfg, "grub/grub.cfg"),
        (kargs_cfg, "coreos/kargs.cfg"),
        (boot_loader.uefi(scratch), "EFI/BOOT/BOOTX64.EFI"),
        (flag, "coreos/first_boot"),
    ):
        os.utime(source, (epoch, epoch))
        run(["mcopy", "-m", "-i", at, str(source), f"::/{target}"], env=environment)


def take_out(image: Path, partition: layout.Partition, tree: Path) -> None:
    """Copy the files of an ext4 partition of a raw image into an empty directory."""
    run(["debugfs", "-R", f"rdump / {tree}", f"{image}?offset={partition.offset}"])
