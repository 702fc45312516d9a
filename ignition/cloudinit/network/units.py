"""The texts of networkd's units, in the shape of the original.

Source: docs/reference/coreos-cloudinit.md §17.4, with Flatcar's lines for DHCP.

Files sort from the lowest link up: the number is the depth of what is stacked upon it, in hexadecimal digits.
"""

from __future__ import annotations

from ignition.network.networkd import addressing, match, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.network.model import Device, Interface, Network
    from ignition.network.networkd import Section

DHCP = ("DHCP=true", "KeepConfiguration=dhcp-on-stop", "IPv6AcceptRA=true")


def files(network: Network) -> dict[str, str]:
    """File name → content: devices to be made before what is set up at them."""
    devices = {f"{device.priority:02x}-{device.name}.netdev": render(_netdev(device)) for device in network.devices}
    links = {f"{one.priority:02x}-{one.id}.network": render(_network(one)) for one in network.interfaces}
    return {**devices, **links}


def _network(interface: Interface) -> Iterator[Section]:
    yield match(interface)
    upon = [f"Bond={interface.bond}"] if interface.bond else []
    upon += [f"VLAN={name}" for name in interface.vlans]
    domains = [f"Domains={' '.join(interface.domains)}"] if interface.domains else []
    servers = [f"DNS={server}" for server in interface.nameservers]
    yield "Network", [*upon, *domains, *servers, *(DHCP if interface.dhcp else ())]
    yield from addressing(interface)


def _netdev(device: Device) -> Iterator[Section]:
    yield "NetDev", [f"Kind={device.kind}", f"Name={device.name}", *([f"MACAddress={device.mac}"] if device.mac else [])]
    for heading, options in device.options.items():
        yield heading, [f"{key}={value}" for key, value in options.items()]
