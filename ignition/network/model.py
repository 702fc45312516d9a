"""The network that a platform's metadata describes, independent of the program that sets it up.

As in docs/reference/platforms.md §7: interfaces with addresses and routes, and devices to create, bonds or VLANs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ignition.errors import Failure
from ignition.host.hostnames import shown
from ignition.patterns import lazy_pattern

# Names go into file names and lines of configuration: valid for a link (linux net/core/dev.c, dev_valid_name), not longer than an
# alternative name (ALTIFNAMSIZ), and without the characters that end or split a line of networkd's files.
_NAME = lazy_pattern(r"[^\s/\x00-\x1f\x7f\[\]=\ud800-\udfff]{1,127}")
_MAC = lazy_pattern(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")
_PLACE, _FIX = "network of the metadata", "ask the platform's support"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network

    Address = IPv4Address | IPv6Address
    Interfaced = IPv4Interface | IPv6Interface
    Destination = IPv4Network | IPv6Network | IPv4Interface | IPv6Interface


def _checked(pattern: re.Pattern[str], text: str, what: str) -> str:
    """The text, or "". Raises Failure for one that a configuration file cannot hold, or that would change its meaning."""
    if text and (not pattern.fullmatch(text) or text in (".", "..")):
        raise Failure(f"{shown(text)} is not a valid {what}", where=_PLACE, fix=_FIX)
    return text


class Route:
    """To a network, through a gateway. A destination made from an address keeps its host bits, as in the originals."""

    def __init__(self, destination: Destination, gateway: Address) -> None:
        self.destination, self.gateway = destination, gateway

    @property
    def is_default(self) -> bool:
        """Whether it is a default route."""
        return str(self.destination).endswith("/0")


class Interface:
    """One link, identified by name, MAC address (lower case, colons) or udev path; at least one of them is set.

    `dhcp` is "", "ipv4", "ipv6" or "yes" for both. `bond` is the bond that it belongs to, `vlans` are stacked on it, `domains`
    are searched; only coreos-cloudinit's conversions set the last two. `priority` orders the files.
    `required_for_online` is the value of networkd's RequiredForOnline=, "" for its default. An `unmanaged` link is left alone.
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
        self.name, self.path = _checked(_NAME, name, "interface name"), _checked(_NAME, path, "udev path")
        self.mac, self.priority = _checked(_MAC, mac.lower(), "MAC address"), priority
        if not self.id:
            raise Failure("an interface has neither name nor MAC address", where=_PLACE, fix=_FIX)
        self.nameservers, self.addresses, self.routes = list(nameservers), list(addresses), list(routes)
        self.vlans = [_checked(_NAME, one, "VLAN name") for one in vlans]
        self.domains = [_checked(_NAME, one, "search domain") for one in domains]
        self.bond = _checked(_NAME, bond, "bond name")
        self.dhcp, self.unmanaged, self.required_for_online = dhcp, unmanaged, required_for_online

    @property
    def id(self) -> str:
        """The stem of the names of its files."""
        return self.name or self.mac or self.path


class Device:
    """A device to create: `kind` is bond or vlan. `options` are networkd's, by section: {"Bond": {"Mode": "802.3ad"}}."""

    def __init__(
        self, name: str, kind: str, *, mac: str = "", priority: int = 10, options: dict[str, dict[str, str]] | None = None
    ) -> None:
        self.name, self.mac = _checked(_NAME, name, "interface name"), _checked(_MAC, mac.lower(), "MAC address")
        self.kind, self.priority, self.options = kind, priority, options or {}


class Network:
    """All links of a machine, and the devices to create."""

    def __init__(self, interfaces: Sequence[Interface] = (), devices: Sequence[Device] = ()) -> None:
        self.interfaces, self.devices = list(interfaces), list(devices)
