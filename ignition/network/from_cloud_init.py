"""cloud-init's network configuration, versions 1 and 2, as hypervisors write it.

Source: docs/reference/platforms.md §7.4; https://docs.cloud-init.io/en/latest/reference/network-config.html. All platforms follow
the same rules, where the originals differ: DHCP of both families, name servers of all entries and of the subnets, and routes are
supported everywhere. As in the originals, a list of routes replaces the gateway. Only network cards are supported; bonds, VLANs
and other devices are ignored with a warning.

Import it inside functions: it needs `ipaddress`.
"""

from __future__ import annotations

from collections.abc import Iterator

from ignition.host import log
from ignition.network.addresses import DHCP, address, card, default_route, distinct, interface
from ignition.network.members import dictionaries, dictionary, is_true, several, text
from ignition.network.model import Network, Route

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.network.model import Address, Interface

    Object = dict[str, object]

PRIORITY = 20
_VERSION_6 = ("dhcp6", "ipv6_dhcpv6-stateful", "ipv6_dhcpv6-stateless")


def network(document: object, where: str, *, priority: int = PRIORITY) -> Network:
    """The network of a parsed document. A list `config` means version 1. Raises Failure at `where`."""
    top = dictionary(document, "the document", where)
    top = dictionary(top.get("network"), "network", where) or top
    if "config" in top:
        return Network(list(_version_1(dictionaries(top["config"], "config", where), where, priority)))
    return Network(list(_version_2(top, where, priority)))


def _version_1(entries: list[Object], where: str, priority: int) -> Iterator[Interface]:
    servers = [
        address(one, where) for entry in entries if entry.get("type") == "nameserver" for one in several(entry.get("address"))
    ]
    for entry in entries:
        kind = text(entry.get("type"))
        if kind == "physical":
            found = card("a physical entry", entry.get("name"), entry.get("mac_address"), where, priority=priority)
            if found:
                _set_up_1(found, entry, servers, where)
                yield found
        elif kind != "nameserver":
            log.warning(f"{where}: entry of type {kind} ignored: only network cards are supported")


def _set_up_1(found: Interface, entry: Object, servers: list[Address], where: str) -> None:
    families: set[int] = set()
    for subnet in dictionaries(entry.get("subnets"), "subnets", where):
        kind = text(subnet.get("type"))
        if "static" in kind and subnet.get("address"):  # also static6
            found.addresses.append(interface(subnet["address"], where, network=subnet.get("netmask")))
        elif kind.startswith("dhcp") or kind in _VERSION_6:
            # Hetzner writes `dhcp` with a member for each family.
            marked = {family for family, name in ((4, "ipv4"), (6, "ipv6")) if is_true(subnet.get(name))}
            families |= {6} if kind in _VERSION_6 else marked or {4}
        else:
            log.warning(f"{where}: subnet of type {kind} ignored: neither dhcp, nor static with an address")
        found.routes += _routes_1(subnet, where)
        found.nameservers += [address(one, where) for one in several(subnet.get("dns_nameservers"))]
    found.nameservers = distinct([*found.nameservers, *servers])
    found.dhcp = DHCP[frozenset(families)]


def _routes_1(subnet: Object, where: str) -> list[Route]:
    routes = [
        Route(
            interface(route.get("destination") or route.get("network"), where, network=route.get("netmask")),
            address(route.get("gateway"), where),
        )
        for route in dictionaries(subnet.get("routes"), "routes", where)
    ]
    return routes or _default_routes([subnet.get("gateway")], where)


def _default_routes(gateways: list[object], where: str) -> list[Route]:
    found = [address(gateway, where) for gateway in gateways if gateway]
    return [Route(default_route(gateway), gateway) for gateway in found]


def _version_2(top: Object, where: str, priority: int) -> Iterator[Interface]:
    servers = _servers_2(top, where)
    for kind in top:
        if kind in ("bonds", "bridges", "vlans", "wifis", "tunnels"):
            log.warning(f"{where}: {kind} ignored: only network cards are supported")
    for key, value in dictionary(top.get("ethernets"), "ethernets", where).items():
        entry = dictionary(value, key, where)
        match = dictionary(entry.get("match"), f"match of {key}", where)
        # As in the originals: a key `eth…` is the card's name; any other key with a match block is only an identifier.
        is_name = key.startswith("eth") or not match
        found = card(key, key if is_name else "", match.get("macaddress"), where, priority=priority)
        if found:
            families = {family for family in (4, 6) if is_true(entry.get(f"dhcp{family}"))}
            found.dhcp = DHCP[frozenset(families)]
            # netplan accepts an address with options as an object whose only key is the address.
            given = [next(iter(one), None) if isinstance(one, dict) else one for one in several(entry.get("addresses"))]
            found.addresses = [interface(one, where) for one in given]
            found.routes = _routes_2(entry, where)
            found.nameservers = distinct([*_servers_2(entry, where), *servers])
            yield found


def _servers_2(entry: Object, where: str) -> list[Address]:
    servers = entry.get("nameservers")
    found = servers if isinstance(servers, list) else dictionary(servers, "nameservers", where).get("addresses")
    return [address(one, where) for one in several(found)]


def _routes_2(entry: Object, where: str) -> list[Route]:
    routes = []
    for route in dictionaries(entry.get("routes"), "routes", where):
        gateway, to = address(route.get("via"), where), text(route.get("to"))
        routes.append(Route(default_route(gateway) if to == "default" else interface(to, where), gateway))
    return routes or _default_routes([entry.get("gateway4"), entry.get("gateway6")], where)
