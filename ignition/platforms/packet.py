"""Packet, later Equinix Metal. Source: docs/reference/platforms.md §3.1, §3.8, §5.1, §5.2, §7.2, §8, §10.6.

The network is bonded, and only the metadata has its addresses. The platform shows its customers how each stage ended, and expects
a machine to check in.
"""

from __future__ import annotations

from ignition.errors import Failure
from ignition.host import log
from ignition.host.reading import lines
from ignition.metadata.config_source import http
from ignition.metadata.service import Service
from ignition.metadata.ssh_keys import members
from ignition.metadata.table import Attribute, Metadata
from ignition.metadata.values import Document, Value, required
from ignition.network.bonding import MODES
from ignition.platforms import Platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.engine import Fetcher
    from ignition.metadata.reader import Reader
    from ignition.network.model import Address, Device, Interfaced, Network, Route

    Object = dict[str, object]

BASE = "https://metadata.packet.net"
MACHINE = Document("metadata")
PHONE_HOME = "/phone-home"  # suffix of the check-in's URL; reports go to EVENTS instead
EVENTS = "/events"
JSON = {"Content-Type": "application/json"}
NETIF_STATE = "/run/systemd/netif/state"  # networkd's: name servers of the first DHCP lease
_LACP = "802.3ad"
_PRIVATE_NETWORK = "10.0.0.0/8"  # where the gateway of a private address leads
_BOND_PRIORITY, _FALLBACK_PRIORITY = 5, 80
_PLACE = f"network of {MACHINE.path}"


def addresses(family: int, member: str, *, public: bool) -> Value:
    """Public or private addresses of a family, or their gateways; each kind has its own numbers."""

    def read(reader: Reader) -> list[str | None]:
        from ignition.network.addresses import address

        entries = [one for one in blocks(reader) if _is_public(one) is public and _family(one) == family]
        return [str(address(one.get(member), _PLACE)) for one in entries]

    return Value(f"{member} of network.addresses: IPv{family}, {'public' if public else 'private'}", read)


def _family(entry: Object) -> object:
    """The family of the address; for a malformed one, the stated family, so that the error appears with its attribute."""
    from ignition.network.addresses import address

    try:
        return address(entry.get("address"), _PLACE).version
    except Failure:
        return entry.get("address_family")


def blocks(reader: Reader) -> list[Object]:
    """The addresses of the machine, each with its network and gateway."""
    return MACHINE.objects(reader, "network.addresses")


def _is_public(entry: Object) -> bool:
    return entry.get("public") is True


def _network(reader: Reader) -> Network:
    """The cards and their bonds, the first of which has all addresses. Cards that are not listed stay down."""
    from ignition.network.model import Interface, Network

    cards = []
    for entry in MACHINE.objects(reader, "network.interfaces"):
        mac, name = required(entry, "mac", _PLACE), entry.get("bond")
        joined = Interface(mac=mac, bond=str(name), required_for_online="no") if name else Interface(mac=mac, unmanaged=True)
        cards.append(joined)
    names = list(dict.fromkeys(card.bond for card in cards if card.bond))
    if not names:
        log.warning(f"{_PLACE}: none of the interfaces belongs to a bond: no addresses are set")
        return Network(cards)
    mode, servers = _mode(reader), _name_servers()
    bonds = [
        Interface(name=name, priority=_BOND_PRIORITY, nameservers=servers, required_for_online="degraded-carrier")
        for name in names
    ]
    bonds[0].addresses, bonds[0].routes = addressing(blocks(reader))
    devices = [_device(name, next(card.mac for card in cards if card.bond == name), mode) for name in names]
    fallback = Interface(path="pci-*", priority=_FALLBACK_PRIORITY, unmanaged=True)
    return Network([*cards, *bonds, fallback], devices)


def addressing(entries: list[Object]) -> tuple[list[Interfaced], list[Route]]:
    """All addresses, each with the route through its gateway."""
    from ipaddress import IPv4Interface

    from ignition.network.addresses import address, default_route, interface
    from ignition.network.model import Route

    addresses, routes = [], []
    for entry in entries:
        own = interface(entry.get("address"), _PLACE, network=required(entry, "netmask", _PLACE))
        gateway = address(entry.get("gateway"), _PLACE)
        is_private = own.version == 4 and not _is_public(entry)
        addresses.append(own)
        routes.append(Route(IPv4Interface(_PRIVATE_NETWORK) if is_private else default_route(gateway), gateway))
    return addresses, routes


def _mode(reader: Reader) -> str:
    """The name of the bonding mode, which the metadata has as a number."""
    (number,) = MACHINE.values(reader, "network.bonding.mode")
    if not isinstance(number, int) or not 0 <= number < len(MODES):
        raise Failure(f"network.bonding.mode is {number!r}", where=MACHINE.path, fix=f"valid modes are 0 to {len(MODES) - 1}")
    return MODES[number]


def _device(name: str, mac: str, mode: str) -> Device:
    from ignition.network.model import Device

    options = {"TransmitHashPolicy": "layer3+4", "MIIMonitorSec": ".1", "UpDelaySec": ".2", "DownDelaySec": ".2", "Mode": mode}
    if mode == _LACP:
        options["LACPTransmitRate"] = "fast"
    return Device(name, "bond", mac=mac, priority=_BOND_PRIORITY, options={"Bond": options})


def _name_servers() -> list[Address]:
    """The name servers of networkd's DHCP lease, through which the machine reached the metadata; the metadata has none."""
    from ignition.network.addresses import address

    fix = "let networkd configure a link by DHCP first"
    try:
        with open(NETIF_STATE, encoding="utf-8", errors="replace", newline="\n") as file:
            found = lines(file.read())
    except OSError as error:
        raise Failure(f"the machine's name servers cannot be read: {error.strerror}", where=NETIF_STATE, fix=fix) from error
    for line in found:
        key, _, value = line.partition("=")
        if key == "DNS":
            return [address(one, NETIF_STATE) for one in value.split()]
    raise Failure("the machine has no name servers: DNS= is missing", where=NETIF_STATE, fix=fix)


def _check_in(reader: Reader) -> None:
    found = MACHINE.member("phone_home_url", required=True).read(reader)
    reader.fetcher.request("POST", str(found), JSON)


def _report(fetcher: Fetcher, stage: str, problem: str) -> None:
    """Add an event to the machine's timeline."""
    import json

    found = required(
        MACHINE.parse(fetcher.get(f"{BASE}/{MACHINE.path}").decode("utf-8", "replace")), "phone_home_url", MACHINE.path
    )
    message = f"Ignition error: {problem}" if problem else "Ignition status: finished successfully"
    event = {"state": "failed" if problem else "running", "message": f"[{stage}] {message}"}
    fetcher.request("POST", f"{found.removesuffix(PHONE_HOME)}{EVENTS}", JSON, body=json.dumps(event).encode())


PLATFORM = Platform(
    "Packet (Equinix Metal)",
    closing="the address of metadata.packet.net is known to DNS alone: a rule of the image's own firewall has to deny it",
    without_unit={"hostname": "coreos-static-network.service writes it, too"},
    config=http(f"{BASE}/userdata", headers={"Accept": "*/*"}, missing_is_none=False),
    metadata=(
        Metadata(
            Service(BASE, absent_is_404=False),
            prefix="PACKET_",
            legacy_prefix="PACKET_",
            attributes=(
                Attribute("HOSTNAME", MACHINE.member("hostname", required=True)),
                Attribute("PHONE_HOME_URL", MACHINE.member("phone_home_url", required=True)),
                Attribute("PLAN", MACHINE.member("plan", required=True), legacy=""),
                Attribute("IPV4_PUBLIC_{n}", addresses(4, "address", public=True)),
                Attribute("IPV4_PRIVATE_{n}", addresses(4, "address", public=False)),
                Attribute("IPV6_PUBLIC_{n}", addresses(6, "address", public=True)),
                Attribute("IPV6_PRIVATE_{n}", addresses(6, "address", public=False)),
                Attribute("IPV4_PUBLIC_GATEWAY_{n}", addresses(4, "gateway", public=True), legacy=""),
                Attribute("IPV4_PRIVATE_GATEWAY_{n}", addresses(4, "gateway", public=False), legacy=""),
                Attribute("IPV6_PUBLIC_GATEWAY_{n}", addresses(6, "gateway", public=True), legacy=""),
                Attribute("IPV6_PRIVATE_GATEWAY_{n}", addresses(6, "gateway", public=False), legacy=""),
            ),
            hostname=MACHINE.member("hostname", required=True),
            ssh_keys=members(MACHINE.member("ssh_keys[]")),
            network=_network,
            check_in=_check_in,
        ),
    ),
    report=_report,
)
