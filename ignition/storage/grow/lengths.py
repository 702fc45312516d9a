"""How much of its device a mounted file system takes for itself."""

import os
import struct

from ignition.storage.disk import opened


def of(node: str, format: str, target: str) -> int:
    """Bytes of a device that the file system mounted on `target` takes; 0 for an unknown format."""
    with opened(node, os.O_RDONLY) as descriptor:
        if format == "ext4":
            return _ext4(descriptor)
        if format == "xfs":
            return _xfs(descriptor, target)
        return btrfs_device(descriptor)[1] if format == "btrfs" else 0


def _ext4(descriptor: int) -> int:
    block = os.pread(descriptor, 1024, 1024)  # Documentation/filesystems/ext4/super.rst in the kernel
    low, log_size, high = (struct.unpack_from("<I", block, offset)[0] for offset in (0x4, 0x18, 0x150))
    return int((high << 32 | low) * (1024 << log_size)) if block[0x38:0x3A] == b"\x53\xef" else 0


def _xfs(descriptor: int, target: str) -> int:
    """From the live file system: after growth its superblock on disk stays old until the log is written back."""
    block = os.pread(descriptor, 512, 0)  # xfsprogs, xfs_format.h: struct xfs_dsb
    if block[:4] != b"XFSB":
        return 0
    log_start, log_blocks = struct.unpack_from(">Q", block, 48)[0], struct.unpack_from(">I", block, 96)[0]
    live = os.statvfs(target)  # f_blocks leaves out an internal log
    return live.f_frsize * (live.f_blocks + (log_blocks if log_start else 0))


def btrfs_device(descriptor: int) -> tuple[int, int, str]:
    """(device id, bytes of this device that btrfs uses, its UUID). linux/btrfs_tree.h: the superblock at 64 KiB, its dev_item."""
    block = os.pread(descriptor, 4096, 0x10000)
    if block[0x40:0x48] != b"_BHRfS_M":
        return 0, 0, ""
    device_id, length = struct.unpack_from("<QQ", block, 0xC9)
    digits = block[0x20:0x30].hex()
    return device_id, length, "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
