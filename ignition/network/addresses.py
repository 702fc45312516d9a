"""IP addresses in metadata documents, with a prefix length or a netmask, and cards that these addresses are for.

Import it inside functions: `ipaddress` costs 5 ms. Every Failure names the document that the text comes from.
"""

from __future__ import annotations

from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface

from ignition.errors import Failure
from ignition.host import log
from ignition.network.members import text
from ignition.network.model import Interface
from ignition.patterns import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.network.model import Address, Interfaced

_FIX = "ask the platform's support"
_BITS = {4: 32, 6: 128}
_ZONE = lazy_pattern("[A-Za-z0-9._-]{1,15}")  # a link's name or number: ipaddress accepts anything, even line breaks
_MOST_DIGITS = 3  # of a prefix length
_SHOWN = 80
_PORT_DIGITS, _LARGEST_PORT = 5, 65535


def address(found: object, where: str) -> Address:
    """An address without its network; an IPv6 address may have a zone (`fe80::1%eth0`). Raises Failure."""
    text = _text(found)
    _, percent, zone = text.partition("%")
    try:
        if percent and not _ZONE.fullmatch(zone):
            raise ValueError
        return ip_address(text)
    except ValueError as error:
        raise Failure(f"{_shown(found)} is not an IP address", where=where, fix=_FIX) from error


def interface(found: object, where: str, *, network: object = None, version: int = 0) -> Interfaced:
    """An address with its network: the netmask or prefix length in `network`, else the prefix length in the text itself.

    `version`: of IP, where only one is allowed. Raises Failure; also for a zone, since the address belongs to a known link.
    """
    if network is None:
        text = _text(found)
        if "/" not in text:
            raise Failure(f"{_shown(found)} is an IP address without a prefix length", where=where, fix=_FIX)
        try:
            if "%" in text:
                raise ValueError
            one = ip_interface(text)
        except ValueError as error:
            raise Failure(f"{_shown(found)} is not an IP address with a prefix length", where=where, fix=_FIX) from error
    else:
        own = address(found, where)
        if "%" in str(own):
            raise Failure(f"{_shown(found)} has a zone, but its link is known", where=where, fix=_FIX)
        prefix = _prefix(network, own.version)
        if prefix is None:
            what = f"{_shown(network)} is not a netmask or prefix length of an IPv{own.version} address"
            raise Failure(what, where=where, fix=_FIX)
        one = ip_interface((own, prefix))
    if version and one.version != version:
        raise Failure(f"{_shown(found)} is not an IPv{version} address", where=where, fix=_FIX)
    return one


def endpoint(found: object) -> Address | None:
    """The address of `203.0.113.9:22` or `[2001:db8::1]:22`; None for anything else."""
    text, _, port = _text(found).rpartition(":")
    is_6 = text.startswith("[") and text.endswith("]")
    try:
        one = ip_address(text[1:-1] if is_6 else text)
    except ValueError:
        return None
    is_port = port.isascii() and port.isdecimal() and len(port) <= _PORT_DIGITS and int(port) <= _LARGEST_PORT
    return one if is_port and (one.version == 6) is is_6 and "%" not in text else None


def default_route(gateway: Address) -> IPv4Interface | IPv6Interface:
    """The destination of a default route, of the gateway's family."""
    return IPv4Interface("0.0.0.0/0") if gateway.version == 4 else IPv6Interface("::/0")


def _prefix(network: object, version: int) -> int | None:
    """The prefix length of a netmask or a number; None if it is neither."""
    try:
        text = str(network)
        if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS:
            return int(text) if int(text) <= _BITS[version] else None
        mask = ip_address(text)
    except ValueError:  # also for a number too long for Python to convert
        return None
    bits = f"{int(mask):0{_BITS[version]}b}"
    return None if mask.version != version or "01" in bits else bits.count("1")


def _shown(found: object) -> str:
    """A value as messages quote it: a document may contain anything, of any size."""
    try:
        text = ascii(found)
    except ValueError:
        return "a number"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _text(found: object) -> str:
    return found if isinstance(found, str) else ""


# Shared by the readers of network documents.

# Families → Interface.dhcp
DHCP = {frozenset[int](): "", frozenset({4}): "ipv4", frozenset({6}): "ipv6", frozenset({4, 6}): "yes"}


def card(what: str, name: object, mac: object, where: str, *, priority: int) -> Interface | None:
    """A network card without addresses yet; None, with a warning, if it cannot be identified. Raises Failure at `where`."""
    if not (name or mac):
        log.warning(f"{where}: {what} ignored: it has neither a name nor a MAC address")
        return None
    try:
        return Interface(name=text(name), mac=text(mac), priority=priority)
    except Failure as failure:
        failure.where = where
        raise


def distinct(servers: list[Address]) -> list[Address]:
    """Without repetitions, in order."""
    return list(dict.fromkeys(servers))
