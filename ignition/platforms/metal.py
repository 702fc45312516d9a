"""Bare metal, without a config source of its own: configs come from the kernel command line or user.ign.

Source: docs/reference/platforms.md §3.9.
"""

from __future__ import annotations

from ignition.metadata.config_source import ConfigSource
from ignition.platforms import Platform

PLATFORM = Platform(
    "Bare metal",
    closing="a config is on the kernel command line, in the initramfs, on the OEM partition or at a URL: close that",
    config=ConfigSource("none of its own", lambda _: b"", needs_network=False),
)
