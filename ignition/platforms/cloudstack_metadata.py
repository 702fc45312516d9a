"""CloudStack's virtual router, which is the DHCP server. Source: docs/reference/platforms.md §4.2, §5.1, §5.2, §10.8."""

from __future__ import annotations

from ignition.metadata.service import Service
from ignition.metadata.ssh_keys import lines
from ignition.metadata.table import Attribute, Metadata
from ignition.metadata.values import text
from ignition.network import dhcp
from ignition.platforms import Platform

PLATFORM = Platform(
    "CloudStack, metadata service",
    metadata=(
        Metadata(
            Service("http://{}/latest/meta-data", host=dhcp.server, says="http://DHCP-SERVER/latest/meta-data"),
            prefix="CLOUDSTACK_",
            legacy_prefix="CLOUDSTACK_",
            attributes=(
                Attribute("AVAILABILITY_ZONE", text("availability-zone")),
                Attribute("CLOUD_IDENTIFIER", text("cloud-identifier")),
                Attribute("", text("local-hostname"), legacy="HOSTNAME"),  # coreos-metadata 0.14 only
                Attribute("INSTANCE_ID", text("instance-id")),
                Attribute("IPV4_LOCAL", text("local-ipv4")),
                Attribute("IPV4_PUBLIC", text("public-ipv4")),
                Attribute("LOCAL_HOSTNAME", text("local-hostname")),
                Attribute("PUBLIC_HOSTNAME", text("public-hostname")),
                Attribute("SERVICE_OFFERING", text("service-offering")),
                Attribute("VM_ID", text("vm-id")),
            ),
            ssh_keys=lines("public-keys"),
        ),
    ),
)
