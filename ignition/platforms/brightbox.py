"""Brightbox: as OpenStack. Source: platforms reference 3.3."""

from ignition.platforms import Platform
from ignition.platforms.openstack import CONFIG

PLATFORM = Platform("Brightbox", config=CONFIG)
