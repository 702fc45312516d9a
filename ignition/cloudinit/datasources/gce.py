"""Google Compute Engine. Source: docs/reference/coreos-cloudinit.md §5.1, §5.2."""

from __future__ import annotations

from ignition.cloudinit.datasources.addresses import checked
from ignition.cloudinit.datasources.service import MetadataService, Table
from ignition.metadata.values import text
from ignition.platforms.gcp import HEADERS, INSTANCE

ROOT, CARD = "computeMetadata/v1", "instance/network-interfaces/0"
TABLE = Table(
    hostname=text("instance/hostname"),
    addresses={
        "public_ipv4": checked(text(f"{CARD}/access-configs/0/external-ip")),
        "private_ipv4": checked(text(f"{CARD}/ip")),
    },
)


def gce(base: str) -> MetadataService:
    """The service at a base URL."""
    return MetadataService(
        "gce-metadata-service",
        base,
        check=f"{ROOT}/",
        data=f"{ROOT}/{INSTANCE}/user-data",
        documents=ROOT,
        table=TABLE,
        headers=HEADERS,
    )
