"""Network documents of metadata, for a platform's table: functions that read a document and convert it when they are called.

The readers are imported then, too: they need `ipaddress`, which costs 5 ms.
"""

from __future__ import annotations

from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.metadata.reader import Reader
    from ignition.metadata.values import Document
    from ignition.network.model import Network

    Read = Callable[[Reader], Network]


def cloud_init(document: Document) -> Read:
    """The network of a document in cloud-init's format."""

    def network(reader: Reader) -> Network:
        from ignition.network import from_cloud_init

        return from_cloud_init.network(document.read(reader), document.path)

    return network


def openstack(document: Document, *, priority: int) -> Read:
    """The network of a document in OpenStack's format."""

    def network(reader: Reader) -> Network:
        from ignition.network import from_openstack

        return from_openstack.network(document.read(reader), document.path, priority=priority)

    return network
