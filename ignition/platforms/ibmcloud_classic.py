"""IBM Cloud, classic infrastructure: an OpenStack drive. Source: docs/reference/platforms.md §5.1, §5.3, §7.4, §10.13."""

from __future__ import annotations

from ignition.platforms import Platform
from ignition.platforms.parts.drive import Drive
from ignition.platforms.parts.metadata import Attribute, Metadata
from ignition.platforms.parts.values import Document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.platforms.parts.network import Network
    from ignition.platforms.parts.reader import Reader

META = Document("openstack/latest/meta_data.json")
NETWORK = Document("openstack/latest/network_data.json")


def _network(reader: Reader) -> Network:
    from ignition.platforms.parts import network_data

    return network_data.network(NETWORK.read(reader), NETWORK.path, priority=10)


PLATFORM = Platform(
    "IBM Cloud (classic)",
    metadata=(
        Metadata(
            Drive("config-2"),
            prefix="IBMCLOUD_CLASSIC_",
            attributes=(
                Attribute("INSTANCE_ID", META.member("uuid", filled=True)),
                Attribute("LOCAL_HOSTNAME", META.member("name", filled=True)),
            ),
            hostname=META.member("name"),
            network=_network,
        ),
    ),
)
