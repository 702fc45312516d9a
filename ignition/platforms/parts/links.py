"""What the parsers of network documents share. Import it inside functions: it needs `ipaddress`."""

from __future__ import annotations

from ignition.errors import Failure
from ignition.host import log
from ignition.platforms.parts.members import text
from ignition.platforms.parts.network import Interface

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.platforms.parts.network import Address

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
