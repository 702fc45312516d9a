"""KubeVirt: a drive like OpenStack's or NoCloud's. Source: docs/reference/platforms.md §3.4, §5.1, §5.3, §7.4, §7.5, §10.13.

Better than the originals: a virtual machine without a drive does not wait for one indefinitely, and a drive whose config cannot
be read does not result in a machine without a config.
"""

from __future__ import annotations

from collections.abc import Callable

from ignition.errors import Failure
from ignition.metadata.drive import Drive, drive
from ignition.metadata.networks import cloud_init, openstack
from ignition.metadata.ssh_keys import members
from ignition.metadata.table import Attribute, Metadata
from ignition.metadata.values import Document, Value, first
from ignition.metadata.yaml_text import parse
from ignition.platforms import Platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.metadata.reader import Reader
    from ignition.metadata.values import Found
    from ignition.network.model import Network

OPENSTACK, NOCLOUD = "config-2", "cidata"
OPENSTACK_NETWORK = Document("openstack/latest/network_data.json", may_be_damaged=True)
NOCLOUD_NETWORK = Document("network-config", parse, kind="YAML", may_be_damaged=True)


def _table(label: str, meta: Document, network: Callable[[Reader], Network]) -> Metadata:
    def identity(*names: str) -> Value:
        """The first of these members. Raises Failure for a document that lacks them all, but not for a drive without document."""
        value = first(*map(meta.member, names))

        def read(reader: Reader) -> Found:
            found = value.read(reader)
            if found is None and meta.read(reader) is not None:
                what = f"the metadata has neither {' nor '.join(names)}"
                raise Failure(what, where=meta.path, fix="ask the platform's support")
            return found

        return Value(value.says, read)

    def address(version: int) -> Value:
        def read(reader: Reader) -> str | None:
            addresses = next((one.addresses for one in network(reader).interfaces if one.addresses), [])
            return next((str(one.ip) for one in addresses if one.version == version), None)

        return Value(f"the first static IPv{version} address of the first interface that has static addresses", read)

    def kernel_arguments(reader: Reader) -> str | None:
        from ignition.network.kernel_arguments import by_interface

        return by_interface(network(reader))

    return Metadata(
        Drive(label),
        prefix="KUBEVIRT_",
        attributes=(
            Attribute("INSTANCE_ID", identity("instance-id", "uuid")),
            Attribute("HOSTNAME", identity("hostname", "local-hostname")),
            Attribute("INSTANCE_TYPE", meta.member("instance_type")),
            Attribute("IPV4", address(4)),
            Attribute("IPV6", address(6)),
        ),
        hostname=first(meta.member("hostname"), meta.member("local-hostname")),
        ssh_keys=members(meta.member("public_keys.*")),
        network=network,
        kernel_arguments=kernel_arguments,
        may_be_absent=True,
    )


PLATFORM = Platform(
    "KubeVirt",
    closing="root and the group of the drive's device (Debian: `cdrom` or `disk`) can read it; detach the drive",
    without_unit={"network": "kernel arguments configure it in the initramfs"},
    config=drive({NOCLOUD: ("user-data",), OPENSTACK: ("openstack/latest/user_data",)}),
    metadata=(
        _table(
            OPENSTACK, Document("openstack/latest/meta_data.json", may_be_damaged=True), openstack(OPENSTACK_NETWORK, priority=20)
        ),
        _table(NOCLOUD, Document("meta-data", parse, kind="YAML", may_be_damaged=True), cloud_init(NOCLOUD_NETWORK)),
    ),
)
