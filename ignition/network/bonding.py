"""Parameters of bonds, by the names of systemd-networkd and of the kernel.

Source: linux Documentation/networking/bonding.rst; systemd.netdev(5), [Bond].
"""

from __future__ import annotations

from ignition.errors import Failure
from ignition.host import log

# By the kernel's numbers.
MODES = ("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb")
_RATES = ("slow", "fast")
_KERNEL = {  # in the originals' order
    "TransmitHashPolicy": "xmit_hash_policy",
    "MIIMonitorSec": "miimon",
    "UpDelaySec": "updelay",
    "DownDelaySec": "downdelay",
    "Mode": "mode",
    "LACPTransmitRate": "lacp_rate",
}
_DIGITS = 9  # of a plausible time
_NUMBERED = {"Mode": MODES, "LACPTransmitRate": _RATES}


def kernel_parameters(options: dict[str, str]) -> dict[str, str]:
    """networkd's options as the kernel's parameters; times in milliseconds. Other options are ignored."""
    return {
        theirs: str(round(float(options[ours]) * 1000)) if ours.endswith("Sec") else options[ours]
        for ours, theirs in _KERNEL.items()
        if ours in options
    }


def networkd_options(parameters: dict[str, str]) -> dict[str, str]:
    """The kernel's parameters as lines of [Bond], sorted by name. Raises Failure for an invalid value."""
    networkd = {theirs: ours for ours, theirs in _KERNEL.items()}
    found = {}
    for name, value in parameters.items():
        if name in networkd:
            found[networkd[name]] = _networkd_value(networkd[name], value, name)
        else:
            log.warning(f"unsupported bond parameter {name} ignored")
    return dict(sorted(found.items()))


def _networkd_value(option: str, value: str, name: str) -> str:
    if option.endswith("Sec"):
        return _seconds(value, name)
    words = _NUMBERED.get(option, (value,))
    found = words[int(value)] if len(value) == 1 and value.isascii() and value.isdecimal() and int(value) < len(words) else value
    if found not in words:
        raise Failure(f"unknown value {value!r}", where=f"bond {name}", fix=f"use one of: {', '.join(words)}")
    return found


def _seconds(milliseconds: str, name: str) -> str:
    """`200` → `.2`, as the originals write it."""
    if not (milliseconds.isascii() and milliseconds.isdecimal()) or len(milliseconds) > _DIGITS:
        raise Failure(f"{milliseconds!r} is not a number of milliseconds", where=f"bond {name}", fix="write a number")
    seconds = f"{int(milliseconds) / 1000:g}"
    return seconds.removeprefix("0") if seconds.startswith("0.") else seconds
