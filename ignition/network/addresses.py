"""IP addresses as metadata documents write them: with prefix length, with netmask, in odd spellings.

Import it inside functions: `ipaddress` costs 5 ms. Every Failure names the document that the text is from.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface

from ignition.errors import Failure
from ignition.host import log
from ignition.network.members import text
from ignition.network.model import Interface

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.network.model import Address, Interfaced


_FIX = "ask the platform's support"
_BITS = {4: 32, 6: 128}
_SCOPE = re.compile("[A-Za-z0-9._-]{1,15}")  # a link's name or number: ipaddress lets everything through, line breaks too
_MOST_DIGITS = 3  # of a prefix length
_SHOWN = 80
_PORT_DIGITS, _LARGEST_PORT = 5, 65535


def address(found: object, where: str) -> Address:
    """An address without its network; one of IPv6 may name its link (`fe80::1%eth0`). Raises Failure."""
    text = _text(found)
    _, percent, scope = text.partition("%")
    try:
        if percent and not _SCOPE.fullmatch(scope):
            raise ValueError
        return ip_address(text)
    except ValueError as error:
        raise Failure(f"{_shown(found)} is not an IP address", where=where, fix=_FIX) from error


def interface(found: object, where: str, *, network: object = None, version: int = 0) -> Interfaced:
    """An address with its network, which is a netmask or a prefix length in `network`, else the text's own prefix.

    `version`: of IP, where the place is for one of them. Raises Failure.
    """
    one = _interface(found, where, network)
    if version and one.version != version:
        raise Failure(f"{_shown(found)} is not an IPv{version} address", where=where, fix=_FIX)
    return one


def _interface(found: object, where: str, network: object) -> Interfaced:
    if network is None:
        if "/" not in _text(found):
            raise Failure(f"{_shown(found)} is an IP address without its network", where=where, fix=_FIX)
        try:
            return ip_interface(_without_scope(_text(found)))
        except ValueError as error:
            raise Failure(f"{_shown(found)} is not an IP address with a prefix length", where=where, fix=_FIX) from error
    one = address(found, where)
    if "%" in str(one):
        raise Failure(f"{_shown(found)} names a link, where the link is known", where=where, fix=_FIX)
    prefix = _prefix(network, one.version)
    if prefix is None:
        what = f"{_shown(network)} is not a netmask or prefix length of an IPv{one.version} address"
        raise Failure(what, where=where, fix=_FIX)
    return ip_interface((one, prefix))


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
    """The destination that means everything, for a gateway's family."""
    return IPv4Interface("0.0.0.0/0") if gateway.version == 4 else IPv6Interface("::/0")


def _prefix(network: object, version: int) -> int | None:
    """The length that a netmask or a number says; None for what is neither."""
    try:
        text = str(network)
        if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS:
            return int(text) if int(text) <= _BITS[version] else None
        mask = ip_address(text)
    except ValueError:  # also of a number with more digits than Python writes
        return None
    bits = f"{int(mask):0{_BITS[version]}b}"
    return None if mask.version != version or "01" in bits else bits.count("1")


def _without_scope(text: str) -> str:
    """An address of the machine itself lies on the link that it is given to. Raises ValueError."""
    if "%" in text:
        raise ValueError
    return text


def _shown(found: object) -> str:
    """As messages quote it: a document may have anything here, of any size."""
    try:
        text = ascii(found)
    except ValueError:
        return "a number"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _text(found: object) -> str:
    return found if isinstance(found, str) else ""


# What the parsers of network documents share. Import it inside functions: it needs `ipaddress`.

# Families → Interface.dhcp
DHCP = {frozenset[int](): "", frozenset({4}): "ipv4", frozenset({6}): "ipv6", frozenset({4, 6}): "yes"}


def card(what: str, name: object, mac: object, where: str, *, priority: int) -> Interface | None:
    """A network card, not yet set up; None, with a warning, if nothing says which it is. Raises Failure at `where`."""
    if not (name or mac):
        log.warning(f"{where}: {what} is left out: nothing says which network card it is")
        return None
    try:
        return Interface(name=text(name), mac=text(mac), priority=priority)
    except Failure as failure:
        failure.where = where
        raise


def distinct(servers: list[Address]) -> list[Address]:
    """Each once, in their order."""
    return list(dict.fromkeys(servers))
