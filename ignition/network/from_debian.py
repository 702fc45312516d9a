"""Debian's /etc/network/interfaces as stanzas with their options.

Source: docs/reference/coreos-cloudinit.md §17.1; interfaces(5) of Debian.
"""

from __future__ import annotations

from ignition.errors import Failure
from ignition.network.bonding import networkd_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.network.model import Device, Interface, Interfaced, Network, Route


METHODS = ("static", "dhcp", "manual", "loopback")
_ADDED_UP = ("post-up", "pre-down")  # every other option counts once, the last one
_FIX = "write `iface NAME inet static`, `dhcp`, `manual` or `loopback`, with its options below"


class Stanza:
    """One `iface`: `options` are the words behind each, `commands` the rest of lines that may come several times."""

    def __init__(self, where: str, name: str, method: str) -> None:
        self.where, self.name, self.method = where, name, method
        self.options: dict[str, list[str]] = {}
        self.commands: dict[str, list[str]] = {name: [] for name in _ADDED_UP}

    def one(self, option: str) -> str:
        """The option's word; "" where there is none, or more than one."""
        words = self.options.get(option, [])
        return words[0] if len(words) == 1 else ""

    def add(self, line: str) -> None:
        """One line of options."""
        name, *words = line.split()
        if name in _ADDED_UP:
            self.commands[name].append(" ".join(words))
        else:
            self.options[name] = words


def stanzas(text: str, where: str) -> list[Stanza]:
    """In their order; `auto` is passed over. Raises Failure for what no stanza is, at the number of its line."""
    found: list[Stanza] = []
    options: Stanza | None = None
    begun = False
    for number, line in _lines(text):
        place, kind = f"{where} line {number}", line.split()[0]
        if kind == "iface":
            options = _begun(line, place)
            found.append(options)
        elif kind == "auto":
            options = None
        elif kind == "mapping" or kind.startswith("allow-"):
            raise Failure(f"a stanza {kind} is not understood", where=place, fix=_FIX)
        elif options:
            options.add(line)
        elif not begun:
            raise Failure(f"{kind} is outside of any stanza", where=place, fix=_FIX)
        begun = True
    return found


def _lines(text: str) -> list[tuple[int, str]]:
    """(number of its first line, line) without blanks around it: lines that end in a backslash are joined with the next."""
    found, joined, first = list[tuple[int, str]](), "", 1
    for number, line in enumerate(text.split("\n"), start=1):
        joined += line.removesuffix("\r").removesuffix("\\")
        if line.removesuffix("\r").endswith("\\"):
            continue
        if joined.strip() and not joined.strip().startswith("#"):
            found.append((first, joined.strip()))
        joined, first = "", number + 1
    return found


def _begun(line: str, where: str) -> Stanza:
    words = line.split()
    if len(words) != 4:
        raise Failure("iface needs three words: name, family, method", where=where, fix=_FIX)
    _, name, _, method = words
    if method not in METHODS:
        raise Failure(f"the method {method} of {name} is not understood", where=where, fix=_FIX)
    return Stanza(where, name, method)


# The network that a config drive describes in the form of Debian's /etc/network/interfaces.
#
# Source: docs/reference/coreos-cloudinit.md §17.1.

_BOND = {"bond-mode": "mode", "bond-miimon": "miimon", "bond-lacp-rate": "lacp_rate"}
_DIGITS = 9  # of a number that means something
_NO_SLAVES = ["none"]  # interfaces(5) of ifenslave: slaves name their bond themselves


class Link:
    """One link and what lies upon it. Without a stanza it is only there to carry others."""

    def __init__(self, name: str, stanza: Stanza | None = None) -> None:
        self.name, self.stanza, self.above = name, stanza, list[Link]()

    @property
    def is_vlan(self) -> bool:
        return self.stanza is not None and ("." in self.name or "vlan_raw_device" in self.stanza.options)

    @property
    def slaves(self) -> list[str]:
        """Of a bond; a VLAN has none, whatever its options say."""
        found = self.stanza.options.get("bond-slaves") if self.stanza and not self.is_vlan else None
        return found if found and found != _NO_SLAVES else []

    @property
    def is_bond(self) -> bool:
        return self.stanza is not None and not self.is_vlan and "bond-slaves" in self.stanza.options

    def parents(self) -> list[str]:
        """The links that it lies upon. A dotted name says its device itself, as with Debian, unlike in the original."""
        if not self.is_vlan or self.stanza is None:
            return self.slaves
        named = self.stanza.one("vlan_raw_device")
        return [named] if named else [self.name.rpartition(".")[0]] if "." in self.name else []

    def depth(self, below: tuple[Link, ...] = ()) -> int:
        """How many links are stacked upon it. Raises Failure if that has no end."""
        if self in below:
            raise Failure(f"{self.name} lies upon itself", fix="correct the slaves and raw devices")
        return max((one.depth((*below, self)) + 1 for one in self.above), default=0)


def network(text: str, where: str) -> Network:
    """Links by name. Raises Failure with the line at fault."""
    from ignition.network.model import Network

    links = _linked(stanzas(text, where))
    interfaces = [_interface(link) for link in links]
    return Network(interfaces, [_device(link, link.stanza) for link in links if link.stanza and (link.is_bond or link.is_vlan)])


def _linked(found: list[Stanza]) -> list[Link]:
    """All links by name, also those that only others name; the last stanza of a name counts."""
    links = {one.name: Link(one.name, one) for one in found}
    links = {name: link for name, link in links.items() if link.is_vlan or link.is_bond or not _is_loopback(link)}
    for link in list(links.values()):
        for parent in link.parents():
            links.setdefault(parent, Link(parent)).above.append(link)
    return [links[name] for name in sorted(links)]


def _is_loopback(link: Link) -> bool:
    return link.stanza is not None and link.stanza.method == "loopback"


def _interface(link: Link) -> Interface:
    from ignition.network.model import Interface

    bonds = [one.name for one in link.above if one.is_bond]
    if len(bonds) > 1:
        raise Failure(f"{link.name} is a slave of {' and of '.join(bonds)}", where=_where(link), fix="a link has one bond")
    try:
        found = Interface(
            name=link.name,
            priority=link.depth(),
            bond=bonds[0] if bonds else "",
            vlans=sorted(one.name for one in link.above if one.is_vlan),
        )
    except Failure as failure:
        failure.where = _where(link)
        raise
    if link.stanza:
        _set_up(found, link.stanza)
    return found


def _where(link: Link) -> str:
    return next(one.stanza.where for one in (link, *link.above) if one.stanza)


def _set_up(found: Interface, stanza: Stanza) -> None:
    """As its method says. Whatever that is, `hwaddress` must be one."""
    _mac(stanza)
    if stanza.method == "static":
        _set_up_static(found, stanza)
    elif stanza.method == "dhcp":
        found.dhcp = "yes"


def _set_up_static(found: Interface, stanza: Stanza) -> None:
    from ignition.network.addresses import address, default_route
    from ignition.network.model import Route

    found.addresses = [_own(stanza)]
    gateway = stanza.one("gateway")
    if gateway:
        to = address(gateway, f"{stanza.where} gateway")
        found.routes.append(Route(default_route(to), to))
    found.routes += [route for command in stanza.commands["post-up"] if (route := _route(command, stanza.where))]
    found.nameservers = [address(one, f"{stanza.where} dns-nameservers") for one in stanza.options.get("dns-nameservers", [])]


def _own(stanza: Stanza) -> Interfaced:
    from ignition.network.addresses import interface

    own, mask = stanza.one("address"), stanza.one("netmask")
    if not own or "." not in mask:
        raise Failure(
            f"{stanza.name} is static without an address and a netmask",
            where=stanza.where,
            fix="give both, one word each, the netmask as in 255.255.255.0",
        )
    return interface(own, f"{stanza.where} address", network=mask)


def _route(command: str, where: str) -> Route | None:
    """Of a command `route add -net N [netmask M] gw G`; None for any other."""
    from ignition.network.addresses import address, interface
    from ignition.network.model import Route

    words = command.split()
    given = dict(zip(words, words[1:], strict=False))
    net, mask, gateway = given.get("-net", ""), given.get("netmask"), given.get("gw")
    if words[:2] != ["route", "add"] or not gateway or not ("/" in net or mask):
        return None
    place = f"{where} post-up"
    return Route(interface(net, place, network=None if "/" in net else mask).network, address(gateway, place))


def _device(link: Link, stanza: Stanza) -> Device:
    from ignition.network.model import Device

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
    """What follows the last dot, or `vlan`."""
    start = "." if "." in name else "vlan"
    found = name.rpartition(start)[2] if start == "." or name.startswith(start) else ""
    if not (found.isascii() and found.isdecimal()) or len(found) > _DIGITS or int(found) > 4094:
        raise Failure(f"the name {name} of a VLAN has no number", where=where, fix="call it as in vlan100 or eth0.100")
    return str(int(found))


def _mac(stanza: Stanza) -> str:
    """Of `hwaddress ether`; only VLANs get it, as in the original."""
    import re

    words = stanza.options.get("hwaddress", [])
    if len(words) != 2 or words[0] != "ether":
        return ""
    if not re.fullmatch(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", words[1].lower()):
        raise Failure(f"{words[1]} is no MAC address", where=f"{stanza.where} hwaddress", fix="write six pairs of hex digits")
    return words[1]
