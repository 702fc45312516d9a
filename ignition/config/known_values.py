"""Values of members that are names, each with the first spec version that has it ("": all), and limits of lengths.

Source: docs/reference/ignition-config.md §2.1, §3.2 and §3.6. Schemes of URLs are in url.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from ignition.config.versions import order

PATH_BYTES, NAME_BYTES = 4095, 255  # limits.h of Linux: PATH_MAX without its final NUL, NAME_MAX
COMPRESSIONS = {"gzip": ""}
FORMATS = {
    "ext4": "",
    "btrfs": "",
    "xfs": "",
    "vfat": "2.1.0",
    "swap": "2.1.0",
    "none": "3.3.0",
    "virtiofs": "3.7.0-experimental",
}
HASHES = {"sha512": "", "sha256": "3.1.0"}
HASH_DIGITS = {"sha512": 128, "sha256": 64}
PINS = ("tpm2", "tang", "sss")  # of clevis; since 3.6 any name is accepted

RAID_WITHOUT_SPARES = ("linear", "raid0", "0", "stripe")
RAID_LEVELS = dict.fromkeys(
    (*RAID_WITHOUT_SPARES, "raid1", "1", "mirror", "raid4", "4", "raid5", "5", "raid6", "6", "raid10", "10"), ""
)

UNIT_TYPES = (
    "service",
    "socket",
    "device",
    "mount",
    "automount",
    "swap",
    "target",
    "path",
    "timer",
    "snapshot",
    "slice",
    "scope",
)
SELECTED = "/dev/disk/by-ignition/"  # our extension: directory of the links to selected disks
SIZES = {"smallest": "", "largest": ""}
REPORT_FORMATS = {"cloudevents": "", "journal": ""}
MOST_SERIAL = 2**53 - 1  # the greatest number that every reader of JSON takes unchanged, RFC 8259 §6
MOST_SWAP_MIB = 16 << 20  # 2^32 pages of 4 KiB, the number that a swap header has room for (linux/swap.h)
TRANSPORTS = dict.fromkeys(("ata", "ccw", "mmc", "nvme", "scsi", "usb", "virtio", "xen"), "")

NETWORKD_TYPES = ("link", "netdev", "network")

LABEL_BYTES = {"ext4": 16, "btrfs": 256, "xfs": 12, "swap": 15, "vfat": 11}
LUKS_LABEL_BYTES = 47  # of the 48 in a LUKS2 header, one is the final NUL
PARTITION_LABEL_BYTES = 36  # as Ignition counts; UEFI 2.10 5.3.3 has 36 UTF-16 units
SECTORS_ALIGNED = 2048  # what a `start` in sectors must be a multiple of


def known_in(version: str, values: Mapping[str, str]) -> list[str]:
    """Those that a spec version has."""
    return [value for value, since in values.items() if not since or order(since) <= order(version)]


def dated(version: str, values: Mapping[str, str]) -> list[str]:
    """The same for documentation, with the version of those that came later in that family of specs."""
    family = version.partition(".")[0]
    late = {value: since for value, since in values.items() if since.startswith(f"{family}.") and since != f"{family}.0.0"}
    return [f"{value} (since {late[value]})" if value in late else value for value in known_in(version, values)]
