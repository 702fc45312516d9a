"""Akamai, formerly Linode. Source: docs/reference/platforms.md §3.1, §3.2, §5.1, §5.3, §10.11.

User data is base64. If gzip is inside, the agent unpacks it, as it does for every source.
"""

from __future__ import annotations

from ignition.errors import Failure
from ignition.metadata.config_source import base64, http
from ignition.metadata.service import Service
from ignition.metadata.ssh_keys import members
from ignition.metadata.table import Attribute, Metadata
from ignition.metadata.values import Document, joined
from ignition.platforms import Platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.engine import Fetcher
    from ignition.metadata.values import Value

BASE = "http://169.254.169.254/v1"
TOKEN = f"{BASE}/token"
TOKEN_TTL_S = 300
INSTANCE, NETWORK, SSH_KEYS = Document("instance"), Document("network"), Document("ssh-keys")


def _session(fetcher: Fetcher) -> dict[str, str]:
    """The header with a token, which the service requires."""
    headers = {"Metadata-Token-Expiry-Seconds": str(TOKEN_TTL_S), "Accept": "text/plain"}
    token = fetcher.request("PUT", TOKEN, headers).decode("latin-1").strip()
    if not token:
        raise Failure("the metadata service returned an empty token", where=TOKEN, fix="ask the platform's support")
    return {"Metadata-Token": token}


def _required(path: str) -> Value:
    return INSTANCE.member(path, required=True)


PLATFORM = Platform(
    "Akamai",
    # IPv6: https://docs.cloud-init.io/en/latest/reference/datasources/akamai.html
    addresses=("169.254.169.254", "fd00:a9fe:a9fe::1"),
    closing=(
        "user data belongs to a deployment or rebuild "
        "([Akamai](https://techdocs.akamai.com/cloud-computing/docs/overview-of-the-metadata-service)): deny the "
        "address"
    ),
    config=http(
        f"{BASE}/user-data",
        headers={"Accept": "*/*"},
        session=_session,
        decode=base64,
        missing_is_none=False,
        says=f"{BASE}/user-data in base64, with a session token",
    ),
    metadata=(
        Metadata(
            Service(BASE, headers={"Accept": "application/json"}, session=_session),
            prefix="AKAMAI_",
            attributes=(
                Attribute("INSTANCE_ID", _required("id")),
                Attribute("INSTANCE_HOST_UUID", _required("host_uuid")),
                Attribute("INSTANCE_LABEL", _required("label")),
                Attribute("INSTANCE_REGION", _required("region")),
                Attribute("INSTANCE_TYPE", _required("type")),
                Attribute("INSTANCE_TAGS", joined(INSTANCE.member("tags[]"), ":")),
                Attribute("PUBLIC_IPV4_{n}", NETWORK.member("ipv4.public[]")),
                Attribute("PRIVATE_IPV4_{n}", NETWORK.member("ipv4.private[]")),
                Attribute("SHARED_IPV4_{n}", NETWORK.member("ipv4.shared[]")),
                Attribute("IPV6_SLAAC", NETWORK.member("ipv6.slaac", required=True)),
                Attribute("IPV6_LINK_LOCAL", NETWORK.member("ipv6.link_local", required=True)),
                Attribute("IPV6_RANGE_{n}", NETWORK.member("ipv6.ranges[]")),
                Attribute("IPV6_SHARED_RANGE_{n}", NETWORK.member("ipv6.shared_ranges[]")),
            ),
            ssh_keys=members(SSH_KEYS.member("users.*[]")),
        ),
    ),
)
