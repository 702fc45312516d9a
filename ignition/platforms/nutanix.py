"""Nutanix: a config drive. Source: docs/reference/platforms.md §3.4."""

from ignition.platforms import Platform
from ignition.platforms.parts.drive import drive

PLATFORM = Platform("Nutanix", config=drive({"config-2": ("openstack/latest/user_data",)}))
