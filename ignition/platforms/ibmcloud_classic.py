"""IBM Cloud, classic infrastructure: an OpenStack drive. Source: docs/reference/platforms.md §5.1, §5.3, §7.4, §10.13."""

from __future__ import annotations

from ignition.metadata.drive import Drive
from ignition.metadata.networks import openstack
from ignition.metadata.table import Attribute, Metadata
from ignition.metadata.values import Document
from ignition.platforms import Platform

META = Document("openstack/latest/meta_data.json")
NETWORK = Document("openstack/latest/network_data.json")

PLATFORM = Platform(
    "IBM Cloud (classic)",
    without_unit={
        "hostname": "not in the originals",
        "network": "no kernel argument has this id: a drop-in names it as the provider",
    },
    metadata=(
        Metadata(
            Drive("config-2"),
            prefix="IBMCLOUD_CLASSIC_",
            attributes=(
                Attribute("INSTANCE_ID", META.member("uuid", filled=True)),
                Attribute("LOCAL_HOSTNAME", META.member("name", filled=True)),
            ),
            hostname=META.member("name"),
            network=openstack(NETWORK, priority=10),
        ),
    ),
)
