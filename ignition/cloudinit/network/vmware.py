"""The network in VMware's properties. Source: docs/reference/coreos-cloudinit.md §5.3, §17.2."""

from __future__ import annotations

from collections.abc import Iterator

from ignition.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.network.model import Address, Interface, Interfaced, Network, Route
    from ignition.platforms.vmware import Read

ROLES, DHCP = ("", "public", "private"), ("", "yes", "no")
_FIX = "correct the properties of the machine"


class Card:
    """One interface in the properties, unchecked. `where` is the prefix of the properties' names."""

    def __init__(self, read: Read, where: str) -> None:
        self.where = where
        self.name, self.mac, self.dhcp, self.role = (read(f"{where}.{one}") for one in ("name", "mac", "dhcp", "role"))
        self.addresses = [address for (address,) in _numbered(read, f"{where}.ip", (".address",))]
        self.routes = list(_numbered(read, f"{where}.route", (".destination", ".gateway")))

    def exists(self) -> bool:
        """Whether any property is set; a role alone does not count."""
        return bool(self.name or self.mac or self.dhcp or self.addresses or self.routes)

    def interfaced(self) -> Iterator[Interfaced]:
        """The addresses. Raises Failure."""
        from ignition.network.addresses import interface

        for number, address in enumerate(self.addresses):
            yield interface(address, f"{self.where}.ip.{number}.address")


class Described:
    """The network in the properties. Numbers count from 0, and the first gap ends each list."""

    def __init__(self, servers: list[str], domains: list[str], cards: list[Card]) -> None:
        self.servers, self.domains, self.cards = servers, domains, cards

    def addresses(self) -> Iterator[tuple[str, Interfaced]]:
        """Role and address of each interface with a role. Raises Failure for an invalid role or address."""
        for card in self.cards:
            if card.role not in ROLES:
                raise Failure(f"unknown role {card.role!r}", where=f"{card.where}.role", fix="use public or private, or omit it")
            for address in card.interfaced():
                if card.role:
                    yield card.role, address


def described(read: Read) -> Described:
    """Read the properties."""
    cards: list[Card] = []
    while (card := Card(read, f"interface.{len(cards)}")).exists():
        cards.append(card)
    servers, domains = ([one for (one,) in _numbered(read, f"dns.{kind}", ("",))] for kind in ("server", "domain"))
    return Described(servers, domains, cards)


def network(found: Described) -> Network:
    """Static for a card with an address or a route, else DHCP; the first card with neither ends the list. Raises Failure."""
    from ignition.network.addresses import address
    from ignition.network.model import Network

    servers = [address(one, f"dns.server.{number}") for number, one in enumerate(found.servers)]
    interfaces: list[Interface] = []
    for card in found.cards:
        if card.dhcp not in DHCP:
            raise Failure(f"{card.dhcp!r} is neither yes nor no", where=f"{card.where}.dhcp", fix=_FIX)
        if not (card.addresses or card.routes or card.dhcp == "yes"):
            break
        interfaces.append(_interface(card, servers, found.domains))
    return Network(interfaces)


def _interface(card: Card, servers: list[Address], domains: list[str]) -> Interface:
    from ignition.network.model import Interface

    try:
        if not (card.addresses or card.routes):
            return Interface(name=card.name, mac=card.mac, priority=0, dhcp="yes")
        return Interface(
            name=card.name,
            mac=card.mac,
            priority=0,
            nameservers=servers,
            domains=domains,
            addresses=list(card.interfaced()),
            routes=[_route(card, number) for number in range(len(card.routes))],
        )
    except Failure as failure:
        if not failure.where.startswith(card.where):
            failure.where, failure.fix = card.where, _FIX
        raise


def _route(card: Card, number: int) -> Route:
    from ignition.network.addresses import address, interface
    from ignition.network.model import Route

    (destination, gateway), where = card.routes[number], f"{card.where}.route.{number}"
    if not (destination and gateway):
        raise Failure("the route lacks a destination or a gateway", where=where, fix=_FIX)
    return Route(interface(destination, f"{where}.destination").network, address(gateway, f"{where}.gateway"))


def _numbered(read: Read, start: str, members: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The members of each number, from 0 until the first number that has none of them."""
    number = 0
    while any(found := tuple(read(f"{start}.{number}{member}") for member in members)):
        yield found
        number += 1
