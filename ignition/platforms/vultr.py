"""Vultr. Source: docs/reference/platforms.md §3.1, §5.1, §5.3, §10.9."""

from ignition.platforms import Platform
from ignition.platforms.parts.config_source import http
from ignition.platforms.parts.metadata import Attribute, Metadata
from ignition.platforms.parts.place import Service
from ignition.platforms.parts.ssh_keys import lines
from ignition.platforms.parts.values import text

BASE = "http://169.254.169.254"

PLATFORM = Platform(
    "Vultr",
    config=http(f"{BASE}/user-data/user-data"),
    metadata=(
        Metadata(
            Service(f"{BASE}/v1"),
            prefix="VULTR_",
            attributes=(
                Attribute("HOSTNAME", text("hostname")),
                Attribute("INSTANCE_ID", text("instanceid")),
                Attribute("REGION_CODE", text("region/regioncode")),
            ),
            hostname=text("hostname"),
            ssh_keys=lines("public-keys"),
            keeps_empty=False,
        ),
    ),
)
