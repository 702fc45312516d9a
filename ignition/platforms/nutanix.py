"""Nutanix: a config drive. Source: docs/reference/platforms.md §3.4."""

from __future__ import annotations

from ignition.metadata.drive import drive
from ignition.platforms import Platform

PLATFORM = Platform(
    "Nutanix",
    closing="root and the group of the drive's device (Debian: `cdrom` or `disk`) can read it; detach the drive",
    config=drive({"config-2": ("openstack/latest/user_data",)}),
)
