"""Alibaba Cloud, also known as Aliyun. Source: docs/reference/platforms.md §3.1, §5.1, §5.3, §10.9."""

from __future__ import annotations

from ignition.metadata.config_source import http
from ignition.metadata.service import Service
from ignition.metadata.ssh_keys import listed
from ignition.metadata.table import Attribute, Metadata
from ignition.metadata.values import text
from ignition.platforms import Platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.metadata.reader import Reader

BASE = "http://100.100.100.200/latest"


def _ssh_keys(reader: Reader) -> list[str]:
    # One key may be listed under several names.
    return sorted(set(listed("public-keys/")(reader)))


PLATFORM = Platform(
    "Alibaba Cloud",
    # IPv6: Alibaba's change to cloud-init, https://github.com/canonical/cloud-init/pull/6893
    addresses=("100.100.100.200", "fd00:100::100:200"),
    closing=(
        "`ModifyInstanceMetadataOptions` with `HttpEndpoint=disabled` closes the service "
        "([Alibaba](https://www.alibabacloud.com/help/doc-detail/161196.htm)), or deny the address"
    ),
    config=http(f"{BASE}/user-data"),
    metadata=(
        Metadata(
            Service(f"{BASE}/meta-data"),
            prefix="ALIYUN_",
            attributes=(
                Attribute("EIPV4", text("eipv4")),
                Attribute("HOSTNAME", text("hostname")),
                Attribute("IMAGE_ID", text("image-id")),
                Attribute("INSTANCE_ID", text("instance-id")),
                Attribute("INSTANCE_TYPE", text("instance/instance-type")),
                Attribute("IPV4_PRIVATE", text("private-ipv4")),
                Attribute("IPV4_PUBLIC", text("public-ipv4")),
                Attribute("REGION_ID", text("region-id")),
                Attribute("VPC_ID", text("vpc-id")),
                Attribute("ZONE_ID", text("zone-id")),
            ),
            hostname=text("hostname"),
            ssh_keys=_ssh_keys,
            keeps_empty=False,
        ),
    ),
)
