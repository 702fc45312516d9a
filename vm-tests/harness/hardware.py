"""The hardware of a machine besides its network: processors, memory, firmware, TPM, and its disks' buses, as QEMU's arguments."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.disks import Disk
from harness.errors import HarnessError
from harness.tpm import Tpm

# Without Secure Boot, which would need a signed boot loader.
UEFI_CODE = Path("/usr/share/OVMF/OVMF_CODE_4M.fd")
UEFI_VARIABLES = Path("/usr/share/OVMF/OVMF_VARS_4M.fd")
SLOT = "slot"  # in front of a number: a PCI Express port that takes a device while the machine runs


@dataclass(frozen=True)
class Hardware:
    """uefi is the file with the firmware's variables (None: a BIOS), tpm the directory with a TPM's state (None: no TPM).
    With counted, the guest's clock is the number of its instructions, one nanosecond each, while it is not idle: figures do not
    depend on the host's load, nor on the translation of code that runs only once. uuid is that of the machine (SMBIOS).

    Both outlive the machine: a later one that is given the same has the same variables and the same TPM. Two machines run side by
    side on two cores: with two processors each the guests spin for each other's. Cases about order and races ask for two.
    """

    memory_mib: int = 2048
    cpus: int = 1
    uefi: Path | None = None
    tpm: Path | None = None
    slots: int = 0
    counted: bool = False
    uuid: str = ""


def new_uefi(path: Path) -> Path:
    """The variables of a firmware that has never run, at path; an existing file is left alone."""
    if not path.exists():
        if not UEFI_VARIABLES.exists():
            raise HarnessError(f"{UEFI_VARIABLES} is missing; `make test` installs it (package ovmf)")
        shutil.copyfile(UEFI_VARIABLES, path)
    return path


def hardware_arguments(hardware: Hardware, tpm: Tpm | None) -> list[str]:
    """Processors, memory, firmware, TPM."""
    argv = ["-accel", f"tcg,thread={'single' if hardware.counted else 'multi'}"]
    argv += ["-smp", str(hardware.cpus), "-m", str(hardware.memory_mib)]
    argv += ["-uuid", hardware.uuid] if hardware.uuid else []
    argv += ["-icount", "shift=0,sleep=on,align=off"] if hardware.counted else []
    if hardware.uefi is not None:
        argv += ["-drive", f"if=pflash,format=raw,readonly=on,file={UEFI_CODE}"]
        argv += ["-drive", f"if=pflash,format=raw,file={hardware.uefi}"]
    if tpm is not None:
        argv += ["-chardev", f"socket,id=tpm,path={tpm.socket}", "-tpmdev", "emulator,id=tpm0,chardev=tpm"]
        argv += ["-device", "tpm-crb,tpmdev=tpm0"]
    for number in range(1, hardware.slots + 1):
        argv += ["-device", f"pcie-root-port,id={SLOT}{number},chassis={number},slot={number}"]
    return argv


def drive_arguments(drives: Sequence[Disk], *, boots: bool) -> list[str]:
    """The disks and their controllers; boots: the firmware tries them in this order."""
    argv = []
    if any(disk.attachment.bus in ("scsi", "cdrom") for disk in drives):
        argv += ["-device", "virtio-scsi-pci,id=scsi"]
    for number, disk in enumerate(drives):
        argv += ["-drive", drive_argument(number, disk), "-device", device_argument(number, disk, boots=boots)]
    return argv


def plug_commands(number: int, disk: Disk) -> list[str]:
    """Lines for QEMU's monitor that plug one more disk into a running machine. A SCSI disk brings its own controller."""
    port, device = f"bus={SLOT}{number}", device_argument(number, disk, boots=False)
    if disk.attachment.bus == "scsi":
        controller = f"scsi{number}"
        devices = [f"virtio-scsi-pci,id={controller},{port}", device.replace("bus=scsi.0", f"bus={controller}.0")]
    else:
        devices = [f"{device},{port}"]
    return [f"drive_add 0 {drive_argument(number, disk)}", *(f"device_add {each}" for each in devices)]


def drive_argument(number: int, disk: Disk) -> str:
    """The value of -drive."""
    cache = "unsafe" if disk.unsafe else "writeback"
    limit = f",throttling.iops-total={disk.iops}" if disk.iops else ""
    reads = ",readonly=on" if disk.attachment.bus == "cdrom" else ""
    return f"if=none,id=d{number},file={disk.path},format={disk.format},cache={cache},discard=unmap{limit}{reads}"


def device_argument(number: int, disk: Disk, *, boots: bool) -> str:
    """The value of -device for a disk."""
    how = disk.attachment
    devices = {"virtio": "virtio-blk-pci", "scsi": "scsi-hd,bus=scsi.0", "cdrom": "scsi-cd,bus=scsi.0", "nvme": "nvme"}
    words = [devices[how.bus], f"drive=d{number}", f"serial={how.serial or f'disk{number}'}"]
    words += [f"logical_block_size={how.sector_size},physical_block_size={how.sector_size}"] if how.sector_size != 512 else []
    words += [f"product={how.product}"] if how.product else []
    words += ["removable=on"] if how.removable else []
    words += [f"bootindex={number}"] if boots else []
    return ",".join(words)
