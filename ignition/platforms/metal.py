"""Bare metal: no config of its own, it comes by the kernel command line or user.ign. Source: platforms reference 3.9."""

from ignition.platforms import Platform

PLATFORM = Platform(needs_network=False, fetch=lambda _: b"")
