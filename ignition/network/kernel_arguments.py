"""Networks as kernel arguments for the initramfs (dracut.cmdline(7)). Source: docs/reference/platforms.md §7.5."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.network.model import Address, Interfaced, Network

_DHCP = {"ipv4": "dhcp", "ipv6": "dhcp6", "yes": "dhcp,dhcp6"}


def by_interface(network: Network) -> str | None:
    """KubeVirt's form: each address names its interface, gateways are routes of their own. None if the network is empty."""
    # ip=CLIENT:PEER:GATEWAY:NETMASK:HOSTNAME:INTERFACE:AUTOCONF
    words: list[str] = []
    for interface in network.interfaces:
        words += [f"ip={_shown(one.ip)}:::{_mask(one)}::{interface.id}:static" for one in interface.addresses]
        words += [f"ip={interface.id}:{_DHCP[interface.dhcp]}"] if interface.dhcp else []
        for route in interface.routes:
            if route.is_default:
                everything = "0.0.0.0/0" if route.gateway.version == 4 else "[::/0]"
                words.append(f"rd.route={everything}:{_shown(route.gateway)}")
    servers = dict.fromkeys(server for one in network.interfaces for server in one.nameservers)
    return " ".join([*words, *(f"nameserver={_shown(server)}" for server in servers)]) or None


def by_address(network: Network) -> str | None:
    """Proxmox VE's form: addresses with their gateway, without an interface. None if the network is empty."""
    words: list[str] = []
    for interface in network.interfaces:
        gateways = {route.gateway.version: route.gateway for route in reversed(interface.routes) if route.is_default}
        for one in interface.addresses:
            gateway = gateways.get(one.version)
            words.append(f"ip={_shown(one.ip)}::{_shown(gateway) if gateway else ''}:{_mask(one)}:::off")
        words += [f"ip={_DHCP[interface.dhcp]}"] if interface.dhcp else []
        words += [f"nameserver={','.join(map(str, interface.nameservers))}"] if interface.nameservers else []
    return " ".join(words) or None


def _shown(address: Address) -> str:
    return f"[{address}]" if address.version == 6 else str(address)


def _mask(address: Interfaced) -> str:
    """A netmask for IPv4, a prefix length for IPv6."""
    return str(address.network.prefixlen if address.version == 6 else address.netmask)
