"""What networkd's files have in common, whoever writes them: sections, with an empty line between them and none at the end.

Source: systemd.network(5), systemd.netdev(5).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.network.model import Interface

    Section = tuple[str, list[str]]  # heading, lines


def render(sections: Iterator[Section]) -> str:
    """The text of a unit file."""
    return "\n".join("".join(f"{line}\n" for line in (f"[{heading}]", *lines)) for heading, lines in sections)


def match(interface: Interface) -> Section:
    """Which link it is. A card of a bond is known by its own MAC address (systemd 245): once it belongs to the bond it has the
    bond's, which is its neighbour's, and networkd would take it down to set it up anew after the neighbour's file.
    """
    mac = "PermanentMACAddress" if interface.bond else "MACAddress"
    keys = [("Name", interface.name), (mac, interface.mac), ("Path", interface.path)]
    return "Match", [f"{key}={value}" for key, value in keys if value]


def addressing(interface: Interface) -> Iterator[Section]:
    """Each address and each route in a section of its own."""
    for address in interface.addresses:
        yield "Address", [f"Address={address}"]
    for route in interface.routes:
        yield "Route", [f"Destination={route.destination}", f"Gateway={route.gateway}"]
