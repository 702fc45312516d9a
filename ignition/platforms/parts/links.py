"""What the parsers of network documents share. Import it inside functions: it needs `ipaddress`."""

from __future__ import annotations

import re

from ignition.errors import Failure
from ignition.platforms.parts.members import text
from ignition.platforms.parts.network import Interface

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.platforms.parts.network import Address

# Families → Interface.dhcp
DHCP = {frozenset[int](): "", frozenset({4}): "ipv4", frozenset({6}): "ipv6", frozenset({4, 6}): "yes"}
_MAC = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}")
_NAME = re.compile(r"[^\s/:%\x00-\x1f]{1,15}")  # linux/if.h: IFNAMSIZ; systemd's ifname_valid() in src/basic/socket-util.c


def card(name: object, mac: object, where: str, priority: int) -> Interface:
    """A network card, not yet set up. Raises Failure for what can be no interface's name or MAC address."""
    for found, what, pattern in ((text(name), "interface's name", _NAME), (text(mac), "MAC address", _MAC)):
        if found and not pattern.fullmatch(found):
            raise Failure(f"{found!r} is no {what}", where=where, fix="ask the platform's support")
    return Interface(name=text(name), mac=text(mac), priority=priority)


def distinct(servers: list[Address]) -> list[Address]:
    """Each once, in their order."""
    return list(dict.fromkeys(servers))
