"""OpenStack's network_data.json, which other platforms write, too.

Source: docs/reference/platforms.md §7.4; OpenStack's schema network_data.json. The networks of one link become one interface
(Afterburn on IBM Cloud writes each to a file of the same name, so the last one wins). Interfaces with names come first, sorted.

Import it inside functions: it needs `ipaddress`.
"""

from __future__ import annotations

from ignition.host import log
from ignition.network.addresses import DHCP, address, card, distinct, interface
from ignition.network.members import dictionaries, dictionary, several, text
from ignition.network.model import Network, Route

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.network.model import Interface

    Object = dict[str, object]

_STATIC = ("ipv4", "ipv6")
_DHCP = {"ipv4_dhcp": 4, "ipv6_dhcp": 6}


def network(document: object, where: str, *, priority: int) -> Network:
    """The network of a parsed document. Raises Failure at `where`."""
    top = dictionary(document, "the document", where)
    links = {text(one.get("id")): one for one in dictionaries(top.get("links"), "links", where)}
    services = dictionaries(top.get("services"), "services", where)
    servers = [address(service.get("address"), where) for service in services if service.get("type") == "dns"]
    by_link: dict[str, list[Object]] = {}
    for entry in dictionaries(top.get("networks"), "networks", where):
        by_link.setdefault(text(entry.get("link")), []).append(entry)
    found = []
    for name, networks in by_link.items():
        link = links.get(name, {})
        one = card(f"link {name!r}", link.get("name"), link.get("ethernet_mac_address"), where, priority=priority)
        if one:
            _set_up(one, networks, where)
            one.nameservers = distinct([*one.nameservers, *servers])
            found.append(one)
    return Network(sorted(found, key=lambda one: (not one.name, one.name)))


def _set_up(card: Interface, networks: list[Object], where: str) -> None:
    families = set()
    for one in networks:
        kind = text(one.get("type"))
        if kind in _DHCP:
            families.add(_DHCP[kind])
        elif kind in _STATIC and one.get("ip_address"):
            card.addresses.append(interface(one["ip_address"], where, network=one.get("netmask")))
        else:
            log.warning(f"{where}: network of type {kind} has no address: only its routes and name servers are used")
        for route in dictionaries(one.get("routes"), "routes", where):
            destination = interface(route.get("network"), where, network=route.get("netmask"))
            card.routes.append(Route(destination, address(route.get("gateway"), where)))
        card.nameservers += [address(server, where) for server in several(one.get("dns_nameservers"))]
    card.dhcp = DHCP[frozenset(families)]
