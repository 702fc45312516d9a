"""What the DHCP server said, in the leases that systemd-networkd keeps. Source: docs/reference/platforms.md §3.3, §4.2.

The directory is read anew at each look, so that a network card that comes later counts, too. NetworkManager is not asked: the
initramfs has networkd.
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
    """What the first lease that has the key says, in the order of the interfaces; "" if none has."""
    try:
        names = sorted((name for name in os.listdir(LEASES) if name.isascii() and name.isdecimal()), key=int)
    except FileNotFoundError:
        return ""
    return next((value for name in names if (value := _lease(name).get(key))), "")


def _lease(name: str) -> dict[str, str]:
    try:
        with open(os.path.join(LEASES, name), encoding="utf-8", errors="replace", newline="\n") as file:
            return {key: value for key, _, value in (line.strip(" \t\n").partition("=") for line in file)}
    except FileNotFoundError:  # released meanwhile
        return {}


def server(limit_s: float = LIMIT_S) -> str:
    """The address of the DHCP server; a lease is waited for. Raises NotHere when none comes."""
    deadline = time.monotonic() + limit_s
    waiting = progress.Waiting("a DHCP lease")
    while not (found := option(SERVER)):
        left = deadline - time.monotonic()
        waiting.say("none names a server yet", left_s=max(0.0, left))
        if left <= 0:
            raise NotHere(f"no DHCP lease names a server after {limit_s:g} s")
        time.sleep(_PAUSE_S)
    return found
