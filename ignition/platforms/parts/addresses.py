"""IP addresses as metadata documents write them: with prefix length, with netmask, in odd spellings.

Import it inside functions: `ipaddress` costs 5 ms. Every Failure names the document that the text is from.
"""

from __future__ import annotations

from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface

from ignition.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.platforms.parts.network import Address, Interfaced

_FIX = "ask the platform's support"
_BITS = {4: 32, 6: 128}


def address(found: object, where: str) -> Address:
    """An address without its network. Raises Failure."""
    try:
        return ip_address(_text(found))
    except ValueError as error:
        raise Failure(f"{found!r} is no IP address", where=where, fix=_FIX) from error


def interface(found: object, where: str, *, network: object = None) -> Interfaced:
    """An address with its network, which is a netmask or a prefix length in `network`, else the text's own prefix."""
    if network is None:
        if "/" not in _text(found):
            raise Failure(f"{found!r} is an IP address without its network", where=where, fix=_FIX)
        try:
            return ip_interface(_text(found))
        except ValueError as error:
            raise Failure(f"{found!r} is no IP address with a prefix length", where=where, fix=_FIX) from error
    one = address(found, where)
    prefix = _prefix(network, one.version)
    if prefix is None:
        raise Failure(f"{network!r} is no netmask or prefix length of an IPv{one.version} address", where=where, fix=_FIX)
    return ip_interface((one, prefix))


def default_route(gateway: Address) -> IPv4Interface | IPv6Interface:
    """The destination that means everything, for a gateway's family."""
    return IPv4Interface("0.0.0.0/0") if gateway.version == 4 else IPv6Interface("::/0")


def _prefix(network: object, version: int) -> int | None:
    """The length that a netmask or a number says; None for what is neither."""
    text = str(network)
    if text.isdecimal():
        return int(text) if int(text) <= _BITS[version] else None
    try:
        mask = ip_address(text)
    except ValueError:
        return None
    bits = f"{int(mask):0{_BITS[version]}b}"
    return None if mask.version != version or "01" in bits else bits.count("1")


def _text(found: object) -> str:
    return found if isinstance(found, str) else ""
