"""networkd's files for the network that the metadata describes.

Source: docs/reference/platforms.md §7.2; systemd.network(5), systemd.netdev(5). The shape is the originals':
sections in their order, an empty line between them, none at the end.
"""

from __future__ import annotations

from ignition.host.root import put_all
from ignition.network.networkd import addressing, match, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.network.model import Device, Interface, Network
    from ignition.network.networkd import Section

MODE = 0o644
DHCP = {"yes", "ipv4", "ipv6"}


def write(directory: str, network: Network) -> None:
    """One file for each interface and device. The directory is made; files of other names in it stay."""
    put_all(directory, files(network), mode=MODE)


def files(network: Network) -> dict[str, str]:
    """File name → content."""
    found = {}
    for interface in network.interfaces:
        found[f"{interface.priority:02}-{interface.id}.network"] = render(_network(interface))
    for device in network.devices:
        found[f"{device.priority:02}-{device.name}.netdev"] = render(_netdev(device))
    return found


def _network(interface: Interface) -> Iterator[Section]:
    yield match(interface)
    lines = [f"DHCP={interface.dhcp}"] if interface.dhcp in DHCP else []
    lines += [f"DNS={server}" for server in interface.nameservers]
    yield "Network", [*lines, *([f"Bond={interface.bond}"] if interface.bond else [])]
    link = ["Unmanaged=yes"] if interface.unmanaged else []
    link += [f"RequiredForOnline={interface.required_for_online}"] if interface.required_for_online else []
    if link:
        yield "Link", link
    yield from addressing(interface)


def _netdev(device: Device) -> Iterator[Section]:
    yield "NetDev", [f"Name={device.name}", f"Kind={device.kind}", *([f"MACAddress={device.mac}"] if device.mac else [])]
    for heading, options in device.options.items():
        yield heading, [f"{key}={value}" for key, value in options.items()]
