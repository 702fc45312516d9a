"""DigitalOcean. Source: docs/reference/coreos-cloudinit.md §5.1, §5.2."""

from __future__ import annotations

from ignition.cloudinit.datasources import NetworkConfig
from ignition.cloudinit.datasources.service import MetadataService, Table
from ignition.metadata.ssh_keys import members
from ignition.platforms.digitalocean import DROPLET, network, usual_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.metadata.reader import Reader
    from ignition.network.model import Network


def _network(reader: Reader) -> NetworkConfig | None:
    """None if the service does not have the document."""
    if DROPLET.read(reader) is None:
        return None

    def convert() -> Network:
        found = network(reader)
        for interface in found.interfaces:
            interface.priority = 0  # nothing is stacked on them
        return found

    return NetworkConfig("digitalocean", convert)


TABLE = Table(
    hostname=DROPLET.member("hostname"),
    ssh_keys=members(DROPLET.member("public_keys[]")),
    addresses={
        f"{kind}_{version}": usual_address(f"{kind}.0.{version}")
        for kind in ("public", "private")
        for version in ("ipv4", "ipv6")
    },
    network=_network,
)


def digitalocean(base: str) -> MetadataService:
    """The service at a base URL."""
    return MetadataService(
        "digitalocean-metadata-service",
        base,
        check="metadata/v1",
        data="metadata/v1/user-data",
        documents="metadata",
        table=TABLE,
    )
