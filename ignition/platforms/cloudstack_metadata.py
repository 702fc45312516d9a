"""CloudStack's virtual router, which is the DHCP server. Source: docs/reference/platforms.md §4.2, §5.1, §5.2, §10.8."""

from ignition.platforms import Platform
from ignition.platforms.parts import dhcp
from ignition.platforms.parts.metadata import Attribute, Metadata
from ignition.platforms.parts.place import Service
from ignition.platforms.parts.ssh_keys import lines
from ignition.platforms.parts.values import text

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
                Attribute("", text("local-hostname"), legacy="HOSTNAME"),  # only coreos-metadata 0.14
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
