"""Networks as kernel arguments for the initramfs, see dracut.cmdline(7). Source: docs/reference/platforms.md §7.5."""

from __future__ import annotations

from collections.abc import Iterator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.network.model import Address, Interface, Interfaced, Network

_DHCP = {"ipv4": "dhcp", "ipv6": "dhcp6", "yes": "dhcp,dhcp6"}


def by_interface(network: Network) -> str | None:
    """KubeVirt's way: each address at its interface, gateways as routes of their own. None for no interface to set up."""
    words = [word for one in network.interfaces if one.id for word in _of_interface(one)]
    servers = dict.fromkeys(server for one in network.interfaces for server in one.nameservers)
    return " ".join([*words, *(f"nameserver={_shown(server)}" for server in servers)]) or None


def _of_interface(interface: Interface) -> Iterator[str]:
    for one in interface.addresses:
        yield f"ip={_shown(one.ip)}:::{_mask(one)}::{interface.id}:static"
    if interface.dhcp:
        yield f"ip={interface.id}:{_DHCP[interface.dhcp]}"
    for route in interface.routes:
        if _is_default(route.destination):
            everything = "0.0.0.0/0" if route.gateway.version == 4 else "[::/0]"
            yield f"rd.route={everything}:{_shown(route.gateway)}"


def by_address(network: Network) -> str | None:
    """Proxmox VE's way: addresses with their gateway, whatever interface takes them. None for nothing to set up."""
    words: list[str] = []
    for interface in network.interfaces:
        words += [f"ip={_shown(one.ip)}:{_gateway(interface, one)}:{_mask(one)}:::off" for one in interface.addresses]
        words += [f"ip={_DHCP[interface.dhcp]}"] if interface.dhcp else []
        words += [f"nameserver={','.join(map(str, interface.nameservers))}"] if interface.nameservers else []
    return " ".join(words) or None


def _gateway(interface: Interface, address: Interfaced) -> str:
    """With the empty field before it."""
    gateways = [route.gateway for route in interface.routes if _is_default(route.destination)]
    return next((f":{_shown(gateway)}" for gateway in gateways if gateway.version == address.version), ":")


def _is_default(destination: object) -> bool:
    return str(destination).endswith("/0")


def _shown(address: Address) -> str:
    return f"[{address}]" if address.version == 6 else str(address)


def _mask(address: Interfaced) -> str:
    """dotted for IPv4, the prefix length for IPv6."""
    return str(address.network.prefixlen if address.version == 6 else address.netmask)
