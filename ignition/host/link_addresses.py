"""The links of this machine with their addresses in words, for a person: no netlink library, whose import takes 300 ms.

Sources: netdevice(7) (SIOCGIFADDR), /proc/net/if_inet6 (Documentation/networking/ip-sysctl.rst in the kernel has its flags), and
`operstate` of Documentation/ABI/testing/sysfs-class-net.
"""

from __future__ import annotations

import fcntl
import socket
import struct
from contextlib import suppress

IF_INET6 = "/proc/net/if_inet6"
SIOCGIFADDR = 0x8915  # linux/sockios.h
_REQUEST = struct.Struct("16sH2x4s16x")  # struct ifreq: name, and a sockaddr_in of which the address matters
_LOOPBACK = "lo"
_LINK_LOCAL = "20"  # the scope of fe80::/10 (net/ipv6.h)
_LISTED = 3


def addresses() -> dict[str, list[str]]:
    """Link → its addresses, IPv4 first, without the loopback and without link-local IPv6, by which no server answers."""
    found: dict[str, list[str]] = {name: [] for _, name in socket.if_nameindex() if name != _LOOPBACK}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as asked:
        for name, listed in found.items():
            with suppress(OSError):  # it has none
                answer = fcntl.ioctl(asked, SIOCGIFADDR, _REQUEST.pack(name.encode(), socket.AF_INET, bytes(4)))
                listed.append(socket.inet_ntoa(_REQUEST.unpack(answer)[2]))
    with suppress(OSError), open(IF_INET6, encoding="ascii", newline="\n") as file:
        for line in file:
            digits, _, _, scope, _, name = line.split()
            if name in found and scope != _LINK_LOCAL:
                found[name].append(socket.inet_ntop(socket.AF_INET6, bytes.fromhex(digits)))
    return found


def in_words() -> str:
    """`enp1s0 has 10.0.2.15`, or the links that have no address yet."""
    try:
        found = addresses()
    except OSError as error:
        return f"links unknown ({error.strerror})"
    having = [f"{name} has {' and '.join(listed)}" for name, listed in found.items() if listed]
    if having:
        return ", ".join(having[:_LISTED])
    return f"no link has an address yet ({', '.join(list(found)[:_LISTED])})" if found else "there is no network link"
