"""Vagrant's machines on VirtualBox. Source: docs/reference/platforms.md §5.1, §5.2.

There is no metadata service: the values come from the machine itself. Only Container Linux supported this platform, so attributes
have its names only. Vagrant sets the host name and configures eth1 while the machine boots.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ignition.errors import Failure
from ignition.metadata.config_source import ConfigSource
from ignition.metadata.table import Attribute, Metadata
from ignition.metadata.values import Value
from ignition.platforms import Platform
from ignition.platforms.virtualbox import PARTITION, partition_content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.engine import Fetcher
    from ignition.metadata.reader import Reader
    from ignition.metadata.service import Get

INTERFACE = "eth1"
TRIES, PAUSE_S = 30, 2.0
SIOCGIFADDR = 0x8915  # linux/sockios.h
_IFREQ_SIZE, _ADDRESS = 40, slice(20, 24)  # linux/if.h: a name of 16 bytes, then a sockaddr_in


class ThisMachine:
    """A place without documents: the values come from the kernel."""

    says = "the machine itself"

    @contextmanager
    def open(self, _: Fetcher) -> Iterator[Get]:
        yield lambda path: None


def _private_ipv4(_: Reader) -> str:
    """The first address of the interface, which may appear late."""
    for number in range(TRIES):
        if number:
            time.sleep(PAUSE_S)
        found = address(INTERFACE)
        if found:
            return found
    raise Failure(
        f"no IPv4 address within {(TRIES - 1) * PAUSE_S:g} s",
        where=INTERFACE,
        fix="add a private network to the Vagrantfile",
    )


def address(interface: str) -> str:
    """The first IPv4 address of an interface; "" if it has none, or does not exist."""
    import fcntl
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            answer = fcntl.ioctl(sock, SIOCGIFADDR, interface.encode().ljust(_IFREQ_SIZE, b"\0"))
        except OSError:
            return ""
    return socket.inet_ntoa(answer[_ADDRESS])


HOSTNAME = Value("the machine's host name", lambda _: os.uname().nodename)

PLATFORM = Platform(
    "Vagrant on VirtualBox",
    closing="root and the group of the partition's device (`disk`) can read it",
    without_unit={"hostname": "Vagrant sets it over SSH"},
    config=ConfigSource(f"the partition {PARTITION}", lambda _: partition_content(PARTITION), needs_network=False),
    metadata=(
        Metadata(
            ThisMachine(),
            prefix="VAGRANT_VIRTUALBOX_",
            legacy_prefix="VAGRANT_VIRTUALBOX_",
            attributes=(
                Attribute("", Value(f"the first IPv4 address of {INTERFACE}", _private_ipv4), legacy="PRIVATE_IPV4"),
                Attribute("", HOSTNAME, legacy="HOSTNAME"),
            ),
            hostname=HOSTNAME,
        ),
    ),
)
