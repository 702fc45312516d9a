"""Network links, asked and changed through netlink. Importing `pyroute2` costs 300 ms: only a conversion of networks pays it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ignition.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

IFF_UP = 1  # linux/if.h


def is_up(name: str) -> bool | None:
    """Whether a link is set up by the administrator, with or without a carrier; None if there is none. Raises Failure."""
    with _netlink() as ip:
        found = ip.link_lookup(ifname=name)
        return bool(ip.get_links(found[0])[0]["flags"] & IFF_UP) if found else None


def set_state(name: str, *, up: bool) -> None:
    """Take a link up or down. Raises Failure."""
    word = "up" if up else "down"
    with _netlink() as ip:
        found = ip.link_lookup(ifname=name)
        if not found:
            raise Failure(f"there is no link {name} to take {word}", where=name)
        from pyroute2.netlink.exceptions import NetlinkError

        try:
            ip.link("set", index=found[0], state=word)
        except NetlinkError as error:
            raise Failure(f"the link cannot be taken {word}: {error.args[-1]}", where=name) from error


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
        raise Failure("links cannot be asked: pyroute2 is missing", fix="install python3-pyroute2") from error
    with IPRoute() as ip:
        yield ip
