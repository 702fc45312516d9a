"""networkd's files for a network, in the styles of coreos-metadata and of coreos-cloudinit.

Sources: systemd.network(5), systemd.netdev(5); docs/reference/platforms.md §7.2; docs/reference/coreos-cloudinit.md §17.4, with
Flatcar's lines for DHCP.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.network.model import Device, Interface, Network

    Section = tuple[str, list[str]]  # heading, lines


class Style:
    """The form in which a program has always written these files: people compare them, and their names decide which one applies.

    `number` formats the priority in front of a name. `keys` is the order of [Network]; `dhcp` has its lines for each value of
    Interface.dhcp. `netdev` is the order of [NetDev].
    """

    def __init__(self, number: str, keys: Sequence[str], dhcp: Mapping[str, Sequence[str]], netdev: Sequence[str]) -> None:
        self.number, self.keys, self.dhcp, self.netdev = number, keys, dhcp, netdev


METADATA = Style(
    "02",
    ("DHCP", "DNS", "Bond"),
    {value: (f"DHCP={value}",) for value in ("yes", "ipv4", "ipv6")},
    ("Name", "Kind", "MACAddress"),
)
_LEASE = ("DHCP=true", "KeepConfiguration=dhcp-on-stop", "IPv6AcceptRA=true")
# The number is the depth of the stack on top of a link, so that files sort from the topmost link down.
CLOUDINIT = Style(
    "02x",
    ("Bond", "VLAN", "Domains", "DNS", "DHCP"),
    dict.fromkeys(("yes", "ipv4", "ipv6"), _LEASE),
    ("Kind", "Name", "MACAddress"),
)


def files(network: Network, style: Style) -> dict[str, str]:
    """File name → content, devices first."""
    devices = {f"{one.priority:{style.number}}-{one.name}.netdev": render(_netdev(one, style)) for one in network.devices}
    links = {f"{one.priority:{style.number}}-{one.id}.network": render(_network(one, style)) for one in network.interfaces}
    return devices | links


def render(sections: Iterator[Section]) -> str:
    """The text of a unit file, with an empty line between sections."""
    return "\n".join("".join(f"{line}\n" for line in (f"[{heading}]", *lines)) for heading, lines in sections)


def _network(interface: Interface, style: Style) -> Iterator[Section]:
    # A card of a bond is matched by its permanent address (systemd 245): once it has joined, it has the bond's address, which is
    # also its neighbour's, and networkd would take it down and configure it again from the neighbour's file.
    mac = "PermanentMACAddress" if interface.bond else "MACAddress"
    match = (("Name", interface.name), (mac, interface.mac), ("Path", interface.path))
    yield "Match", [f"{key}={value}" for key, value in match if value]
    lines = {
        "DHCP": style.dhcp.get(interface.dhcp, ()),
        "DNS": [f"DNS={server}" for server in interface.nameservers],
        "Bond": [f"Bond={interface.bond}"] if interface.bond else (),
        "VLAN": [f"VLAN={name}" for name in interface.vlans],
        "Domains": [f"Domains={' '.join(interface.domains)}"] if interface.domains else (),
    }
    yield "Network", [line for key in style.keys for line in lines[key]]
    link = ["Unmanaged=yes"] if interface.unmanaged else []
    link += [f"RequiredForOnline={interface.required_for_online}"] if interface.required_for_online else []
    if link:
        yield "Link", link
    for address in interface.addresses:
        yield "Address", [f"Address={address}"]
    for route in interface.routes:
        yield "Route", [f"Destination={route.destination}", f"Gateway={route.gateway}"]


def _netdev(device: Device, style: Style) -> Iterator[Section]:
    values = {"Name": device.name, "Kind": device.kind, "MACAddress": device.mac}
    yield "NetDev", [f"{key}={values[key]}" for key in style.netdev if values[key]]
    for heading, options in device.options.items():
        yield heading, [f"{key}={value}" for key, value in options.items()]
