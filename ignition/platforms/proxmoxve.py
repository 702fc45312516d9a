"""Proxmox VE: a NoCloud drive. Source: docs/reference/platforms.md §3.4, §5.1, §5.3, §7.4, §7.5, §10.13.

Proxmox writes its own cloud-config to user-data, so the Ignition config is in vendor-data, or replaces user-data. Unlike
Afterburn, which requires all four files and reads none if one is malformed, each file is read on its own.
"""

from __future__ import annotations

from ignition.config.text import kinds
from ignition.errors import Failure
from ignition.host import log
from ignition.metadata.drive import Drive, drive
from ignition.metadata.networks import cloud_init
from ignition.metadata.ssh_keys import members
from ignition.metadata.table import Attribute, Metadata
from ignition.metadata.values import Document, Value
from ignition.metadata.yaml_text import parse
from ignition.platforms import Platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.metadata.reader import Reader

LIMIT_S = 30.0
CLOUD_CONFIG = "#cloud-config"


def _cloud_config(text: str) -> object:
    """The parsed cloud-config; None if user-data is something else, such as an Ignition config."""
    return parse(text) if text.startswith(CLOUD_CONFIG) else None


META = Document("meta-data", parse, kind="YAML", may_be_damaged=True)
USER = Document("user-data", _cloud_config, kind="cloud-config", may_be_damaged=True)
NETWORK = Document("network-config", parse, kind="YAML", may_be_damaged=True)


network = cloud_init(NETWORK)


def _kernel_arguments(reader: Reader) -> str | None:
    """None also if the network cannot be read: the image's default brings the machine up."""
    from ignition.network.kernel_arguments import by_address

    try:
        return by_address(network(reader))
    except Failure as failure:
        log.warning(f"using the default: {failure}")
        return None


def _netplan(reader: Reader) -> object:
    """None also if the network cannot be read."""
    from ignition.network import netplan

    try:
        return netplan.document(network(reader))
    except Failure as failure:
        log.warning(f"netplan file not written: {failure}")
        return None


def _address(version: int) -> Value:
    """The last address of the first interface."""

    def read(reader: Reader) -> str | None:
        addresses = next((one.addresses for one in network(reader).interfaces), [])
        return next((str(one.ip) for one in reversed(addresses) if one.version == version), None)

    return Value(f"the last IPv{version} address of the first interface of {NETWORK.path}", read)


PLATFORM = Platform(
    "Proxmox VE",
    closing="root and the group of the drive's device (Debian: `cdrom` or `disk`) can read it; detach the drive",
    without_unit={"network": "kernel arguments configure it in the initramfs"},
    config=drive(
        {"cidata": ("user-data", "vendor-data")},
        limit_s=LIMIT_S,
        absent_is_none=True,
        wanted=lambda content: not kinds.of(content),
        says="user-data on the drive labelled cidata, else vendor-data; data for coreos-cloudinit is ignored",
    ),
    metadata=(
        Metadata(
            Drive("cidata"),
            prefix="PROXMOXVE_",
            attributes=(
                Attribute("INSTANCE_ID", META.member("instance-id")),
                Attribute("HOSTNAME", USER.member("hostname")),
                Attribute("IPV4", _address(4)),
                Attribute("IPV6", _address(6)),
            ),
            hostname=USER.member("hostname"),
            ssh_keys=members(USER.member("ssh_authorized_keys[]")),
            network=network,
            kernel_arguments=_kernel_arguments,
            netplan=_netplan,
            may_be_absent=True,
        ),
    ),
)
