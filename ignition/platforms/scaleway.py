"""Scaleway. Source: docs/reference/platforms.md §3.1, §5.1, §5.3, §8, §10.12.

The service returns user data only to source ports below 1024, that is, to root; its other documents to anyone.
"""

from __future__ import annotations

from ignition.metadata.config_source import http
from ignition.metadata.service import Service
from ignition.metadata.ssh_keys import members
from ignition.metadata.table import Attribute, Metadata
from ignition.metadata.values import Document
from ignition.platforms import Platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.metadata.reader import Reader
    from ignition.metadata.values import Value

BASE = "http://169.254.42.42"
USER_DATA = f"{BASE}/user_data/cloud-init"
INSTANCE = Document("conf?format=json")


def _required(path: str) -> Value:
    return INSTANCE.member(path, required=True)


def _check_in(reader: Reader) -> None:
    headers = {"Content-Type": "application/json"}
    reader.fetcher.request("PATCH", f"{BASE}/state", headers, body=b'{"state_detail":"booted"}')


PLATFORM = Platform(
    "Scaleway",
    # IPv6: https://www.scaleway.com/en/developers/api/instance/user-data
    addresses=("169.254.42.42", "fd00:42::42"),
    closing=(
        "answered to source ports below 1024 only, which take root; `DELETE /user_data/cloud-init` from such a "
        "port removes it ([Scaleway](https://www.scaleway.com/en/developers/api/instance/user-data)). Other metadata:"
        " deny the address"
    ),
    each_boot=("check_in",),
    config=http(USER_DATA, privileged_port=True, says=f"{USER_DATA}, asked from a port below 1024"),
    metadata=(
        Metadata(
            Service(BASE, absent_is_404=False),
            prefix="SCALEWAY_",
            attributes=(
                Attribute("HOSTNAME", _required("hostname")),
                Attribute("INSTANCE_ID", _required("id")),
                Attribute("INSTANCE_TYPE", _required("commercial_type")),
                Attribute("ZONE_ID", _required("location.zone_id")),
                Attribute("IPV4_PRIVATE", INSTANCE.member("private_ip")),
                Attribute("IPV4_PUBLIC", INSTANCE.member("public_ip.address")),
                Attribute("IPV6_PUBLIC", INSTANCE.member("ipv6.address")),
            ),
            hostname=_required("hostname"),
            ssh_keys=members(INSTANCE.member("ssh_public_keys[].key")),
            check_in=_check_in,
        ),
    ),
)
