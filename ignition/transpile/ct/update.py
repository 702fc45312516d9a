"""The sections `update` and `locksmith`, which share one file.

Source: docs/reference/config-transpiler.md §A6.4, and §A10 for the members of `update` that Flatcar added.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ignition.config.report import ERROR, WARNING, Finding
from ignition.config.url import syntax_problem
from ignition.patterns import lazy_pattern
from ignition.transpile.ct.units import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.transpile.ct.model import Locksmith, Update

PATH, MODE = "/etc/coreos/update.conf", 0o644
_GROUPS = ("stable", "beta", "alpha")
STRATEGIES = ("reboot", "etcd-lock", "off")
# Members of update behind `group`, in the order of the file. Their values are not quoted.
_UPDATE_VARIABLES = {
    "server": "SERVER",
    "pcr_policy_server": "PCR_POLICY_SERVER",
    "download_user": "DOWNLOAD_USER",
    "download_password": "DOWNLOAD_PASSWORD",
    "machine_alias": "MACHINE_ALIAS",
}
# Members of locksmith, in the order of the file.
_VARIABLES = {
    "reboot_strategy": "REBOOT_STRATEGY",
    "window_start": "LOCKSMITHD_REBOOT_WINDOW_START",
    "window_length": "LOCKSMITHD_REBOOT_WINDOW_LENGTH",
    "group": "LOCKSMITHD_GROUP",
    "etcd_endpoints": "LOCKSMITHD_ENDPOINT",
    "etcd_cafile": "LOCKSMITHD_ETCD_CAFILE",
    "etcd_certfile": "LOCKSMITHD_ETCD_CERTFILE",
    "etcd_keyfile": "LOCKSMITHD_ETCD_KEYFILE",
}
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
TIME = lazy_pattern("(?:[01]?[0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
# Go's time.ParseDuration.
DURATION = lazy_pattern(r"[-+]?(?:0|(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)", re.ASCII)
WINDOW_FIX = "write it as 4:00, or with a day as Thu 4:00"


def contents(update: Update | None, locksmith: Locksmith | None) -> str:
    """The text of the file; "" if it is not needed. Without a group the first line is empty, as in the original."""
    text = ""
    if update is not None:
        text += f"GROUP={update.group.lower()}" if update.group else ""
        more = [(variable, getattr(update, name)) for name, variable in _UPDATE_VARIABLES.items()]
        text += "".join(f"\n{variable}={value}" for variable, value in more if value)
    if locksmith is not None:
        given = [(variable, getattr(locksmith, name)) for name, variable in _VARIABLES.items()]
        text += "".join(f"\n{variable}={quoted(value)}" for variable, value in given if value is not None)
    return text


def update_findings(update: Update) -> Iterator[Finding]:
    """Findings of the rules of `update`."""
    if update.group.lower() not in _GROUPS and not update.server:
        yield Finding(WARNING, ("update",), "unknown update group", f"use one of {', '.join(_GROUPS)}, or set a server")
    if wrong := syntax_problem(update.server):
        yield Finding(ERROR, ("update", "server"), f"the URL {wrong}", "write the URL of the update server")


def locksmith_findings(locksmith: Locksmith) -> Iterator[Finding]:
    """Findings of the rules of `locksmith`."""
    strategy, start, length = locksmith.reboot_strategy, locksmith.window_start, locksmith.window_length
    if strategy is not None and strategy.lower() not in STRATEGIES:
        yield Finding(ERROR, ("locksmith", "reboot_strategy"), "unknown reboot strategy", f"use one of {', '.join(STRATEGIES)}")
    if bool(start) != bool(length):
        message = "window-start and window-length must both be specified"
        yield Finding(ERROR, ("locksmith",), message, "set window_start and window_length, or neither")
    if start and (message := _window_problem(start)):
        yield Finding(ERROR, ("locksmith", "window_start"), message, WINDOW_FIX)
    if length and not DURATION.fullmatch(length):
        yield Finding(ERROR, ("locksmith", "window_length"), "couldn't parse window length", "write it as 2h or 1h30m")


def _window_problem(start: str) -> str:
    day, blank, time = start.partition(" ")
    if blank and day.lower() not in DAYS:
        return "unknown day in window start"
    return "" if TIME.fullmatch(time.strip() if blank else start) else "couldn't parse window start"
