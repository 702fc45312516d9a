"""Brightbox, which provides configs as OpenStack does. Source: docs/reference/platforms.md §3.3."""

from __future__ import annotations

from ignition.platforms import Platform
from ignition.platforms.openstack import CONFIG

PLATFORM = Platform(
    "Brightbox",
    addresses=("169.254.169.254", "fe80::a9fe:a9fe"),
    closing="as on OpenStack: deny the address",
    config=CONFIG,
)
