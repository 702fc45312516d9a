"""OpenStack's metadata service, for machines that must not read the drive.

Source: docs/reference/platforms.md §5.1, §5.2, §10.7.
"""

from __future__ import annotations

from ignition.platforms import Platform
from ignition.platforms.openstack import SERVICE

PLATFORM = Platform(
    "OpenStack, metadata service only",
    addresses=("169.254.169.254", "fe80::a9fe:a9fe"),
    metadata=(SERVICE,),
    without_unit={"hostname": "DHCP provides it"},
)
