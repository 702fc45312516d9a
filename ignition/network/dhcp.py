"""Options of DHCP leases, from the files that systemd-networkd keeps. Source: docs/reference/platforms.md §3.3, §4.2.

The directory is read again each time, so that a network card that appears later counts, too. NetworkManager's leases are not
read: the initramfs has networkd.
"""

from __future__ import annotations

import os
import time

from ignition.errors import NotHere
from ignition.host import progress

LEASES = "/run/systemd/netif/leases"  # a file for each interface, named by its number: lines KEY=value
SERVER = "SERVER_ADDRESS"
LIMIT_S = 30.0
_PAUSE_S = 0.2


def option(key: str) -> str:
    """The value of the first lease that has the key, in the order of interface numbers; "" if no lease has it."""
    try:
        names = sorted((name for name in os.listdir(LEASES) if name.isascii() and name.isdecimal()), key=int)
    except FileNotFoundError:
        return ""
    for name in names:
        try:
            with open(os.path.join(LEASES, name), encoding="utf-8", errors="replace", newline="\n") as file:
                lease = {name: value for name, _, value in (line.strip(" \t\n").partition("=") for line in file)}
        except FileNotFoundError:  # released since
            continue
        if lease.get(key):
            return lease[key]
    return ""


def server(limit_s: float = LIMIT_S) -> str:
    """The address of the DHCP server; waits for a lease. Raises NotHere if none names a server in time."""
    deadline = time.monotonic() + limit_s
    waiting = progress.Waiting("a DHCP lease", detail=progress.network)
    while not (found := option(SERVER)):
        left = deadline - time.monotonic()
        waiting.say("no lease names a server yet", left_s=max(0.0, left))
        if left <= 0:
            raise NotHere(f"no DHCP lease names a server after {limit_s:g} s")
        time.sleep(_PAUSE_S)
    return found
