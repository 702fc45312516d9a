"""Hetzner Cloud. Source: docs/reference/platforms.md §3.1, §5.1, §5.3, §7.1, §7.4, §10.10.

The network is cloud-init's, version 1. It lacks private networks, which have DHCP.
"""

from __future__ import annotations

from ignition.errors import Failure
from ignition.host import log
from ignition.metadata.config_source import http
from ignition.metadata.networks import cloud_init
from ignition.metadata.service import Service
from ignition.metadata.ssh_keys import members
from ignition.metadata.table import Attribute, Metadata
from ignition.metadata.values import Document, Value, text
from ignition.metadata.yaml_text import parse
from ignition.platforms import Platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.metadata.reader import Reader

BASE = "http://169.254.169.254/hetzner/v1"
SERVER = Document("metadata", parse, kind="YAML")
PRIVATE_NETWORKS = Document("metadata/private-networks", parse, kind="YAML")
NETWORK = Document("metadata/network-config", parse, kind="YAML")
KEYS = Document("metadata/public-keys")


def _public_ipv6(reader: Reader) -> str | None:
    """The address of the first network card's first IPv6 subnet, without prefix length. None, with a warning, if malformed."""
    from ignition.network.addresses import address
    from ignition.network.members import dictionaries

    where = f"network-config of {SERVER.path}"
    cards = [one for one in SERVER.objects(reader, "network-config.config") if one.get("type") == "physical"]
    subnets = dictionaries(cards[0].get("subnets"), "subnets", where) if cards else []
    found = next((one.get("address") for one in subnets if one.get("ipv6") is True), None)
    try:
        one = None if found is None else address(str(found).partition("/")[0], where)
    except Failure as failure:
        log.warning(f"ignored: {failure}")
        return None
    if one is not None and one.version != 6:
        log.warning(f"{where}: {one} is not an IPv6 address: ignored")
        return None
    return None if one is None else str(one)


network = cloud_init(NETWORK)


def _netplan(reader: Reader) -> object:
    from ignition.network import netplan

    return netplan.document(network(reader))


PLATFORM = Platform(
    "Hetzner Cloud",
    addresses=("169.254.169.254",),
    closing="no setting of the platform is known: deny the address",
    without_unit={"network": "DHCP and router advertisements suffice for a first boot"},
    config=http(f"{BASE}/userdata"),
    metadata=(
        Metadata(
            Service(BASE, absent_is_404=False),
            prefix="HETZNER_",
            attributes=(
                Attribute("AVAILABILITY_ZONE", SERVER.member("availability-zone")),
                Attribute("HOSTNAME", SERVER.member("hostname")),
                Attribute("INSTANCE_ID", SERVER.member("instance-id")),
                Attribute("PUBLIC_IPV4", SERVER.member("public-ipv4")),
                Attribute("PUBLIC_IPV6", Value(f"first IPv6 address in network-config of {SERVER.path}", _public_ipv6)),
                Attribute("REGION", SERVER.member("region")),
                Attribute("PRIVATE_IPV4_{n}", PRIVATE_NETWORKS.member("[].ip")),
            ),
            hostname=text("metadata/hostname"),
            ssh_keys=members(KEYS.member("[]")),
            network=network,
            netplan=_netplan,
        ),
    ),
)
