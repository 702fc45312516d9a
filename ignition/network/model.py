"""The network that a platform's metadata describes, whatever will write it down (networkd, NetworkManager, netplan).

The shapes are those of docs/reference/platforms.md §7: interfaces with addresses and routes, and devices to be made, bonds or
VLANs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network

from ignition.errors import Failure
from ignition.host.hostnames import shown

# Of a file, a line and a link: linux net/core/dev.c, dev_valid_name; not longer than an alternative name of a link (ALTIFNAMSIZ).
_NAME = re.compile(r"[^\s/\x00-\x1f\x7f\[\]=\ud800-\udfff]{1,127}")
_MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")
_PLACE, _FIX = "network of the metadata", "ask the platform's support"

TYPE_CHECKING = False
if TYPE_CHECKING:
    Address = IPv4Address | IPv6Address
    Interfaced = IPv4Interface | IPv6Interface
    Destination = IPv4Network | IPv6Network | IPv4Interface | IPv6Interface


def _checked(pattern: re.Pattern[str], text: str, what: str) -> str:
    """The text, or "". Raises Failure for one that would become something else in a configuration file."""
    if text and (not pattern.fullmatch(text) or text in (".", "..")):
        raise Failure(f"{shown(text)} cannot be {what}", where=_PLACE, fix=_FIX)
    return text


class Route:
    """To a network, through a gateway. A destination made from an address keeps its host bits, as in the originals."""

    def __init__(self, destination: Destination, gateway: Address) -> None:
        self.destination, self.gateway = destination, gateway


class Interface:
    """One link, known by name, MAC address (lower case, colons) or udev path; at least one of them is given.

    `dhcp` is "", "ipv4", "ipv6" or "yes" for both. `bond` is the device it belongs to, `vlans` are those that lie upon it.
    `domains` are searched for names. Both only come of coreos-cloudinit's conversions. `priority` orders the files.
    `required_for_online` is what networkd's RequiredForOnline= says, "" for its default. `unmanaged`: nobody configures it.
    """

    def __init__(
        self,
        *,
        name: str = "",
        mac: str = "",
        path: str = "",
        priority: int = 10,
        nameservers: Sequence[Address] = (),
        addresses: Sequence[Interfaced] = (),
        routes: Sequence[Route] = (),
        dhcp: str = "",
        bond: str = "",
        vlans: Sequence[str] = (),
        domains: Sequence[str] = (),
        unmanaged: bool = False,
        required_for_online: str = "",
    ) -> None:
        self.name, self.path = (
            _checked(_NAME, name, "the name of an interface"),
            _checked(_NAME, path, "the path of an interface"),
        )
        self.mac, self.priority = _checked(_MAC, mac.lower(), "a MAC address"), priority
        if not self.id:
            raise Failure("an interface has neither name nor MAC address", where=_PLACE, fix=_FIX)
        self.nameservers, self.addresses, self.routes = list(nameservers), list(addresses), list(routes)
        self.vlans = [_checked(_NAME, one, "the name of a VLAN") for one in vlans]
        self.domains = [_checked(_NAME, one, "a search domain") for one in domains]
        self.bond = _checked(_NAME, bond, "the name of a bond")
        self.dhcp, self.unmanaged, self.required_for_online = dhcp, unmanaged, required_for_online

    @property
    def id(self) -> str:
        """What its files are named after."""
        return self.name or self.mac or self.path


class Device:
    """A device to be made: `kind` is bond or vlan. `options` are networkd's, by section: {"Bond": {"Mode": "802.3ad"}}."""

    def __init__(
        self, name: str, kind: str, *, mac: str = "", priority: int = 10, options: dict[str, dict[str, str]] | None = None
    ) -> None:
        self.name, self.mac = _checked(_NAME, name, "the name of an interface"), _checked(_MAC, mac.lower(), "a MAC address")
        self.kind, self.priority, self.options = kind, priority, options or {}


class Network:
    """All links of a machine, and the devices that are made for it."""

    def __init__(self, interfaces: Sequence[Interface] = (), devices: Sequence[Device] = ()) -> None:
        self.interfaces, self.devices = list(interfaces), list(devices)
