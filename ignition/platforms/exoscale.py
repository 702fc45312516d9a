"""Exoscale. Source: docs/reference/platforms.md §3.1, §5.1, §5.3, §10.9."""

from __future__ import annotations

from ignition.metadata.config_source import http
from ignition.metadata.service import Service
from ignition.metadata.ssh_keys import lines
from ignition.metadata.table import Attribute, Metadata
from ignition.metadata.values import text
from ignition.platforms import Platform

BASE = "http://169.254.169.254/1.0"

PLATFORM = Platform(
    "Exoscale",
    addresses=("169.254.169.254",),
    closing=(
        "`user-data` of the instance can be replaced through the API "
        "([Exoscale](https://openapi-v2.exoscale.com/source.json)), or deny the address"
    ),
    config=http(f"{BASE}/user-data"),
    metadata=(
        Metadata(
            Service(f"{BASE}/meta-data", absent_is_404=False),
            prefix="EXOSCALE_",
            attributes=(
                Attribute("INSTANCE_ID", text("instance-id")),
                Attribute("LOCAL_HOSTNAME", text("local-hostname")),
                Attribute("PUBLIC_HOSTNAME", text("public-hostname")),
                Attribute("AVAILABILITY_ZONE", text("availability-zone")),
                Attribute("PUBLIC_IPV4", text("public-ipv4")),
                Attribute("LOCAL_IPV4", text("local-ipv4")),
                Attribute("SERVICE_OFFERING", text("service-offering")),
                Attribute("CLOUD_IDENTIFIER", text("cloud-identifier")),
                Attribute("VM_ID", text("vm-id")),
            ),
            hostname=text("local-hostname"),
            ssh_keys=lines("public-keys"),
        ),
    ),
)
