"""DigitalOcean. Source: docs/reference/platforms.md §3.1, §5.1, §5.2, §7.2, §10.5.

The network is described with addresses and routes: DHCP is not available everywhere.
"""

from __future__ import annotations

from ignition.metadata.config_source import http
from ignition.metadata.service import Service
from ignition.metadata.ssh_keys import members
from ignition.metadata.table import Attribute, Metadata
from ignition.metadata.values import Document, Value, changed, required
from ignition.platforms import Platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.metadata.reader import Reader
    from ignition.network.model import Address, Interface, Interfaced, Network, Route

BASE = "http://169.254.169.254/metadata"
DROPLET = Document("v1.json")
# Member of an interface, its member with the netmask or prefix length, whether a public interface has its default route there.
_ADDRESSES = (("ipv4", "netmask", True), ("ipv6", "cidr", True), ("anchor_ipv4", "netmask", False))


def usual_address(path: str) -> Value:
    """Addresses in their usual spelling: the service writes IPv6 in capitals with all its zeros."""

    def usual(found: str) -> str:
        from ignition.network.addresses import address

        return str(address(found, f"{path} of {DROPLET.path}"))

    return changed(DROPLET.member(f"interfaces.{path}.ip_address"), usual)


def network(reader: Reader) -> Network:
    """All public and private interfaces; the machine's name servers go to each of them."""
    from ignition.network.addresses import address
    from ignition.network.model import Network

    servers = [address(one, f"dns.nameservers of {DROPLET.path}") for one in DROPLET.values(reader, "dns.nameservers[]")]
    return Network([one for kind in ("public", "private") for one in _interfaces(reader, f"interfaces.{kind}", servers)])


def _interfaces(reader: Reader, path: str, servers: list[Address]) -> list[Interface]:
    """One per MAC address: entries with the same address are joined, later entries first, as in Afterburn."""
    from ignition.network.model import Interface

    found: dict[str, Interface] = {}
    for number, entry in enumerate(DROPLET.objects(reader, path)):
        where = f"{path}.{number} of {DROPLET.path}"
        mac = required(entry, "mac", where)
        one = found.setdefault(mac.lower(), Interface(mac=mac, nameservers=servers))
        addresses, routes = _addressing(entry, where)
        one.addresses, one.routes = addresses + one.addresses, routes + one.routes
    return list(found.values())


def _addressing(entry: dict[str, object], where: str) -> tuple[list[Interfaced], list[Route]]:
    """Each address with the route to its own network, and a default route if the interface is public."""
    from ignition.network.addresses import address, default_route, interface
    from ignition.network.model import Route

    addresses, routes = [], []
    for member, mask, may_be_default in _ADDRESSES:
        given = entry.get(member)
        if not isinstance(given, dict):
            continue
        place = f"{member} of {where}"
        version = 6 if member == "ipv6" else 4
        own = interface(given.get("ip_address"), place, network=required(given, mask, place), version=version)
        gateway = address(given.get("gateway"), place)
        addresses.append(own)
        routes.append(Route(own, gateway))
        if may_be_default and entry.get("type") == "public":
            routes.append(Route(default_route(gateway), gateway))
    return addresses, routes


PLATFORM = Platform(
    "DigitalOcean",
    addresses=("169.254.169.254",),
    closing=(
        "user data cannot be changed after the creation "
        "([DigitalOcean](https://docs.digitalocean.com/products/droplets/how-to/provide-user-data/)): deny the "
        "address"
    ),
    each_boot=("network",),
    config=http(f"{BASE}/v1/user-data", missing_is_none=False),
    metadata=(
        Metadata(
            Service(BASE, absent_is_404=False),
            prefix="DIGITALOCEAN_",
            legacy_prefix="DIGITALOCEAN_",
            attributes=(
                Attribute("HOSTNAME", DROPLET.member("hostname", required=True)),
                Attribute("REGION", DROPLET.member("region", required=True)),
                Attribute("IPV4_PUBLIC_{n}", usual_address("public[].ipv4")),
                Attribute("IPV6_PUBLIC_{n}", usual_address("public[].ipv6")),
                Attribute("IPV4_ANCHOR_{n}", usual_address("public[].anchor_ipv4")),
                Attribute("IPV4_PRIVATE_{n}", usual_address("private[].ipv4")),
                Attribute("IPV6_PRIVATE_{n}", usual_address("private[].ipv6")),
            ),
            hostname=DROPLET.member("hostname", required=True),
            ssh_keys=members(DROPLET.member("public_keys[]")),
            network=network,
        ),
    ),
)
