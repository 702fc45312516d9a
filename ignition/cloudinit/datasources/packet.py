"""Packet, later Equinix Metal. Source: docs/reference/coreos-cloudinit.md §5.1, §5.2 (CoreOS only)."""

from __future__ import annotations

from ignition.cloudinit.datasources import NetworkConfig
from ignition.cloudinit.datasources.addresses import last
from ignition.cloudinit.datasources.service import MetadataService, Table
from ignition.metadata.ssh_keys import members
from ignition.metadata.values import first
from ignition.platforms.packet import MACHINE, addresses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.metadata.reader import Reader
    from ignition.metadata.values import Value
    from ignition.network.model import Network


def _last(family: int, *, public: bool) -> Value:
    return last(addresses(family, "address", public=public))


def _network(reader: Reader) -> NetworkConfig | None:
    """None if the service does not have the document."""
    if MACHINE.read(reader) is None:
        return None

    def convert() -> Network:
        from ignition.cloudinit.network import packet

        return packet.network(reader)

    return NetworkConfig("packet", convert)


TABLE = Table(
    hostname=MACHINE.member("hostname"),
    ssh_keys=members(MACHINE.member("ssh_keys[]")),
    addresses={
        "public_ipv4": _last(4, public=True),
        "private_ipv4": _last(4, public=False),
        "public_ipv6": first(_last(6, public=True), _last(6, public=False)),  # the original does not distinguish private ones
    },
    network=_network,
)


def packet(base: str) -> MetadataService:
    """The service at a base URL."""
    return MetadataService("packet-metadata-service", base, check="", data="userdata", documents="", table=TABLE)
