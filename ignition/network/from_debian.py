"""Debian's /etc/network/interfaces, which a config drive may hold: its stanzas, and the network that they describe.

Source: docs/reference/coreos-cloudinit.md §17.1; interfaces(5) of Debian.

Import it inside functions: it needs `ipaddress`.
"""

from __future__ import annotations

from ignition.errors import Failure
from ignition.network.addresses import address, default_route
from ignition.network.addresses import interface as interfaced
from ignition.network.bonding import networkd_options
from ignition.network.model import Device, Interface, Network, Route
from ignition.patterns import lazy_pattern

METHODS = ("static", "dhcp", "manual", "loopback")
_REPEATABLE = ("post-up", "pre-down")  # the last one of any other option counts
_FIX = "write `iface NAME inet static`, `dhcp`, `manual` or `loopback`, with its options below"


class Stanza:
    """One `iface`: `options` are the words behind each option, `commands` the rest of the lines that may be repeated."""

    def __init__(self, where: str, name: str, method: str) -> None:
        self.where, self.name, self.method = where, name, method
        self.options: dict[str, list[str]] = {}
        self.commands: dict[str, list[str]] = {name: [] for name in _REPEATABLE}

    def one(self, option: str) -> str:
        """The option's word; "" unless it has exactly one."""
        words = self.options.get(option, [])
        return words[0] if len(words) == 1 else ""

    def add(self, line: str) -> None:
        """Take one line of options."""
        name, *words = line.split()
        if name in _REPEATABLE:
            self.commands[name].append(" ".join(words))
        else:
            self.options[name] = words


def stanzas(text: str, where: str) -> list[Stanza]:
    """In order; `auto` is ignored. Raises Failure for anything that is not a stanza, with the number of its line."""
    found: list[Stanza] = []
    options: Stanza | None = None
    begun = False
    for number, line in _lines(text):
        place, kind, words = f"{where} line {number}", line.split()[0], line.split()
        if kind == "iface":
            if len(words) != 4:
                raise Failure("iface requires a name, a family and a method", where=place, fix=_FIX)
            _, name, _, method = words
            if method not in METHODS:
                raise Failure(f"unsupported method {method} of {name}", where=place, fix=_FIX)
            options = Stanza(place, name, method)
            found.append(options)
        elif kind == "auto":
            options = None  # further lines do not belong to any stanza, and are ignored
        elif kind == "mapping" or kind.startswith("allow-"):
            raise Failure(f"unsupported stanza {kind}", where=place, fix=_FIX)
        elif options:
            options.add(line)
        elif not begun:
            raise Failure(f"{kind} is outside any stanza", where=place, fix=_FIX)
        begun = True
    return found


def _lines(text: str) -> list[tuple[int, str]]:
    """(number of its first line, stripped line): a line that ends in a backslash continues on the next."""
    found, joined, first = list[tuple[int, str]](), "", 1
    for number, line in enumerate(text.split("\n"), start=1):
        joined += line.removesuffix("\r").removesuffix("\\")
        if line.removesuffix("\r").endswith("\\"):
            continue
        if joined.strip() and not joined.strip().startswith("#"):
            found.append((first, joined.strip()))
        joined, first = "", number + 1
    return found


_BOND = {"bond-mode": "mode", "bond-miimon": "miimon", "bond-lacp-rate": "lacp_rate"}
_DIGITS = 9  # of a plausible number
_NO_SLAVES = ["none"]  # interfaces(5) of ifenslave: slaves name their bond themselves
_MAC = lazy_pattern("(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")


class Link:
    """One link, and the links stacked on it (`above`). A link without a stanza exists only to carry others."""

    def __init__(self, name: str, stanza: Stanza | None = None) -> None:
        self.name, self.stanza, self.above = name, stanza, list[Link]()

    @property
    def is_vlan(self) -> bool:
        return self.stanza is not None and ("." in self.name or "vlan_raw_device" in self.stanza.options)

    @property
    def slaves(self) -> list[str]:
        """Of a bond; a VLAN does not have any, regardless of its options."""
        found = self.stanza.options.get("bond-slaves") if self.stanza and not self.is_vlan else None
        return found if found and found != _NO_SLAVES else []

    @property
    def is_bond(self) -> bool:
        return self.stanza is not None and not self.is_vlan and "bond-slaves" in self.stanza.options

    @property
    def is_loopback(self) -> bool:
        return self.stanza is not None and self.stanza.method == "loopback"

    @property
    def where(self) -> str:
        """The line of its stanza, or of the first stanza that names it."""
        return next(one.stanza.where for one in (self, *self.above) if one.stanza)

    def parents(self) -> list[str]:
        """The links that it is stacked on. As with Debian, but unlike in the original, a dotted name implies its device."""
        if not self.is_vlan or self.stanza is None:
            return self.slaves
        named = self.stanza.one("vlan_raw_device")
        return [named] if named else [self.name.rpartition(".")[0]] if "." in self.name else []

    def depth(self, below: tuple[Link, ...] = ()) -> int:
        """The number of links stacked on it. Raises Failure for a circle."""
        if self in below:
            raise Failure(f"{self.name} is stacked on itself", fix="correct the slaves and raw devices")
        return max((one.depth((*below, self)) + 1 for one in self.above), default=0)


def network(text: str, where: str) -> Network:
    """Links sorted by name. Raises Failure with the line at fault."""
    links = _linked(stanzas(text, where))
    interfaces = [_interface(link) for link in links]
    return Network(interfaces, [_device(link, link.stanza) for link in links if link.stanza and (link.is_bond or link.is_vlan)])


def _linked(found: list[Stanza]) -> list[Link]:
    """All links sorted by name, including those that others merely name; the last stanza of a name counts."""
    links = {one.name: Link(one.name, one) for one in found}
    links = {name: link for name, link in links.items() if link.is_vlan or link.is_bond or not link.is_loopback}
    for link in list(links.values()):
        for parent in link.parents():
            links.setdefault(parent, Link(parent)).above.append(link)
    return [links[name] for name in sorted(links)]


def _interface(link: Link) -> Interface:
    bonds = [one.name for one in link.above if one.is_bond]
    if len(bonds) > 1:
        raise Failure(f"{link.name} is a slave of {' and of '.join(bonds)}", where=link.where, fix="keep it in one bond")
    try:
        found = Interface(
            name=link.name,
            priority=link.depth(),
            bond=bonds[0] if bonds else "",
            vlans=sorted(one.name for one in link.above if one.is_vlan),
        )
    except Failure as failure:
        failure.where = link.where
        raise
    if link.stanza:
        _mac(link.stanza)  # must be valid whatever the method is
        if link.stanza.method == "static":
            _set_up_static(found, link.stanza)
        elif link.stanza.method == "dhcp":
            found.dhcp = "yes"
    return found


def _set_up_static(found: Interface, stanza: Stanza) -> None:
    own, mask = stanza.one("address"), stanza.one("netmask")
    if not own or "." not in mask:
        raise Failure(
            f"{stanza.name} is static but lacks an address or a netmask",
            where=stanza.where,
            fix="set both, one word each, the netmask as in 255.255.255.0",
        )
    found.addresses = [interfaced(own, f"{stanza.where} address", network=mask)]
    gateway = stanza.one("gateway")
    if gateway:
        to = address(gateway, f"{stanza.where} gateway")
        found.routes.append(Route(default_route(to), to))
    found.routes += [route for command in stanza.commands["post-up"] if (route := _route(command, stanza.where))]
    found.nameservers = [address(one, f"{stanza.where} dns-nameservers") for one in stanza.options.get("dns-nameservers", [])]


def _route(command: str, where: str) -> Route | None:
    """The route of a command `route add -net N [netmask M] gw G`; None for any other command."""
    words = command.split()
    given = dict(zip(words, words[1:], strict=False))
    net, mask, gateway = given.get("-net", ""), given.get("netmask"), given.get("gw")
    if words[:2] != ["route", "add"] or not gateway or not ("/" in net or mask):
        return None
    place = f"{where} post-up"
    return Route(interfaced(net, place, network=None if "/" in net else mask).network, address(gateway, place))


def _device(link: Link, stanza: Stanza) -> Device:
    depth = link.depth()
    if link.is_vlan:
        options = {"VLAN": {"Id": _vlan_id(link.name, stanza.where)}}
        return Device(link.name, "vlan", mac=_mac(stanza), priority=depth, options=options)
    parameters = {name: value for option, name in _BOND.items() if (value := stanza.one(option))}
    try:
        options = {"Bond": networkd_options(parameters)} if parameters else {}
    except Failure as failure:
        failure.where = f"{stanza.where} {failure.where}"
        raise
    return Device(link.name, "bond", priority=depth, options=options)


def _vlan_id(name: str, where: str) -> str:
    """The number behind the last dot, or behind `vlan`."""
    start = "." if "." in name else "vlan"
    found = name.rpartition(start)[2] if start == "." or name.startswith(start) else ""
    if not (found.isascii() and found.isdecimal()) or len(found) > _DIGITS or int(found) > 4094:
        raise Failure(f"the VLAN name {name} has no number", where=where, fix="name it like vlan100 or eth0.100")
    return str(int(found))


def _mac(stanza: Stanza) -> str:
    """The address of `hwaddress ether`, "" if absent; only VLANs get it, as in the original."""
    words = stanza.options.get("hwaddress", [])
    if len(words) != 2 or words[0] != "ether":
        return ""
    if not _MAC.fullmatch(words[1].lower()):
        raise Failure(f"{words[1]} is not a MAC address", where=f"{stanza.where} hwaddress", fix="write six pairs of hex digits")
    return words[1]
