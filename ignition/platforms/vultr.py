"""Vultr. Source: docs/reference/platforms.md §3.1, §5.1, §5.3, §10.9."""

from __future__ import annotations

from ignition.metadata.config_source import http
from ignition.metadata.service import Service
from ignition.metadata.ssh_keys import lines
from ignition.metadata.table import Attribute, Metadata
from ignition.metadata.values import text
from ignition.platforms import Platform

BASE = "http://169.254.169.254"

PLATFORM = Platform(
    "Vultr",
    addresses=("169.254.169.254",),
    closing=(
        "`vultr-cli instance user-data set` replaces it "
        "([Vultr](https://docs.vultr.com/reference/vultr-cli/instance/user-data/set)), or deny the address"
    ),
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
