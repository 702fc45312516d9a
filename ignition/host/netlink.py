"""Network links, read and changed through netlink.

`pyroute2` costs 300 ms at import: only conversions of networks and commands for people pay for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ignition.errors import Failure, missing_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

IFF_UP = 1  # linux/if.h
_LOOPBACK = 772  # linux/if_arp.h, ARPHRD_LOOPBACK


class Link:
    """A link and its addresses, with their prefix lengths: `10.0.2.15/24`, those that routers forward first.

    `state` is the kernel's (RFC 2863): "up", "down", "unknown", "dormant", "lowerlayerdown"; `mac` is "" without one.
    """

    __slots__ = ("addresses", "mac", "name", "state")

    def __init__(self, name: str, state: str, mac: str, addresses: list[str]) -> None:
        self.name, self.state, self.mac, self.addresses = name, state, mac, addresses

    def __repr__(self) -> str:
        return f"Link({self.name!r}, {self.state!r}, {self.addresses!r})"


def links() -> list[Link]:
    """The links of this network namespace but its loopback, in the kernel's order. Raises Failure."""
    with _netlink() as ip:
        found = [one for one in ip.get_links() if one["ifi_type"] != _LOOPBACK]
        addresses: dict[int, list[tuple[int, str]]] = {}
        for one in ip.get_addr():
            # IFA_ADDRESS is the other end of a point-to-point link.
            address = one.get_attr("IFA_LOCAL") or one.get_attr("IFA_ADDRESS")
            addresses.setdefault(one["index"], []).append((one["scope"], f"{address}/{one['prefixlen']}"))
    return [
        Link(
            one.get_attr("IFLA_IFNAME"),
            (one.get_attr("IFLA_OPERSTATE") or "unknown").lower(),
            one.get_attr("IFLA_ADDRESS") or "",
            # The scope is 0 for all destinations, and rises with the distance that it excludes: linux/rtnetlink.h.
            [address for _, address in sorted(addresses.get(one["index"], []), key=lambda pair: pair[0])],
        )
        for one in found
    ]


def is_up(name: str) -> bool | None:
    """Whether a link is administratively up, with or without a carrier; None if it does not exist. Raises Failure."""
    with _netlink() as ip:
        found = ip.link_lookup(ifname=name)
        return bool(ip.get_links(found[0])[0]["flags"] & IFF_UP) if found else None


def set_state(name: str, *, up: bool) -> None:
    """Set a link up or down. Raises Failure."""
    word = "up" if up else "down"
    with _netlink() as ip:
        found = ip.link_lookup(ifname=name)
        if not found:
            raise Failure(f"cannot set link {name} {word}: it does not exist", where=name)
        from pyroute2.netlink.exceptions import NetlinkError

        try:
            ip.link("set", index=found[0], state=word)
        except NetlinkError as error:
            raise Failure(f"cannot set link {name} {word}: {error.args[-1]}", where=name) from error


def address_of(mac: str) -> str | None:
    """The first IPv4 address of the first link that has this MAC address and an IPv4 address. Raises Failure."""
    from socket import AF_INET

    with _netlink() as ip:
        for index in ip.link_lookup(address=mac):
            for one in ip.get_addr(family=AF_INET, index=index):
                address: str = one.get_attr("IFA_LOCAL")
                return address
    return None


@contextmanager
def _netlink() -> Iterator[Any]:
    try:
        from pyroute2 import IPRoute
    except ImportError as error:
        raise missing_module(error) from error
    with IPRoute() as ip:
        yield ip
