"""Amazon EC2, also known as ec2. Source: docs/reference/platforms.md §3.1, §3.2, §5.1, §5.2, §10.1.

A session token is requested first (IMDSv2); services without tokens are asked without one. Unlike Ignition, the service is asked
only after other sources of the config: a config on the kernel command line does not need it.
"""

from __future__ import annotations

from ignition.fetch import imds
from ignition.metadata.config_source import http
from ignition.metadata.service import Service
from ignition.metadata.ssh_keys import listed
from ignition.metadata.table import Attribute, Metadata
from ignition.metadata.values import Document, first_word, text
from ignition.platforms import Platform

IDENTITY = Document("dynamic/instance-identity/document")

PLATFORM = Platform(
    "Amazon EC2",
    # IPv6: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
    addresses=("169.254.169.254", "fd00:ec2::254"),
    closing=(
        "`aws ec2 modify-instance-metadata-options --instance-id ID --http-endpoint disabled` closes the service "
        "([AWS](https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-IMDS-existing-instances.html)), and "
        "with it the credentials of the instance's role; otherwise deny the address"
    ),
    without_unit={"hostname": "DHCP provides it"},
    config=http(f"{imds.BASE}/2019-10-01/user-data", session=imds.token_headers),
    metadata=(
        Metadata(
            Service(f"{imds.BASE}/2021-01-03", session=imds.session),
            prefix="AWS_",
            legacy_prefix="EC2_",
            attributes=(
                Attribute("INSTANCE_ID", text("meta-data/instance-id")),
                Attribute("INSTANCE_TYPE", text("meta-data/instance-type"), legacy=""),
                Attribute("IPV4_LOCAL", text("meta-data/local-ipv4")),
                Attribute("IPV4_PUBLIC", text("meta-data/public-ipv4")),
                Attribute("IPV6", text("meta-data/ipv6"), legacy=""),
                Attribute("AVAILABILITY_ZONE", text("meta-data/placement/availability-zone")),
                Attribute("AVAILABILITY_ZONE_ID", text("meta-data/placement/availability-zone-id"), legacy=""),
                Attribute("HOSTNAME", text("meta-data/hostname")),
                Attribute("PUBLIC_HOSTNAME", text("meta-data/public-hostname")),
                Attribute("REGION", IDENTITY.member("region")),
            ),
            hostname=first_word(text("meta-data/hostname")),
            ssh_keys=listed("meta-data/public-keys"),
        ),
    ),
)
