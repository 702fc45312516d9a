"""UpCloud. Source: docs/reference/platforms.md §3.1, §5.1, §5.3, §10.9."""

from __future__ import annotations

from ignition.metadata.config_source import http
from ignition.metadata.service import Service
from ignition.metadata.ssh_keys import lines
from ignition.metadata.table import Attribute, Metadata
from ignition.metadata.values import text
from ignition.platforms import Platform

BASE = "http://169.254.169.254/metadata/v1"

PLATFORM = Platform(
    "UpCloud",
    addresses=("169.254.169.254",),
    closing=(
        '`"metadata": "no"` of the server closes the service '
        "([UpCloud](https://upcloud.com/docs/products/cloud-servers/features/metadata-service/)), or deny the address"
    ),
    config=http(f"{BASE}/user_data"),
    metadata=(
        Metadata(
            Service(BASE),
            prefix="UPCLOUD_",
            attributes=(
                Attribute("HOSTNAME", text("hostname")),
                Attribute("INSTANCE_ID", text("instance_id")),
                Attribute("REGION", text("region")),
            ),
            hostname=text("hostname"),
            ssh_keys=lines("public_keys"),
            keeps_empty=False,
        ),
    ),
)
