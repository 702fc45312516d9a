"""The machine's name. Source: docs/reference/coreos-cloudinit.md §11.1 and §12.

A name that a person typed is taken whole; one of a datasource ends before its first dot and after 63 bytes, as in Flatcar. What
is valid, and what is made of a name that is not: ignition/host/hostnames.py.
"""

from __future__ import annotations

import os

from ignition.errors import Failure
from ignition.host import command, hostnames, reading
from ignition.operation import Context, Operation

PATH = "/etc/hostname"
MACHINE_INFO = "/etc/machine-info"  # machine-info(5)
LIMIT_S = 30.0
_PRETTY = "PRETTY_HOSTNAME="


def is_typed_name(name: str) -> bool:
    """Whether a cloud-config may have it: underscores are common in old ones, and systemd took them until version 247."""
    return hostnames.valid(name.replace("_", "-"))


def machine_info(text: str, pretty: str) -> str:
    """The text of /etc/machine-info with this pretty host name in it."""
    # Read as os-release(5): in double quotes these characters need a backslash.
    quoted = "".join(f"\\{one}" if one in '"\\$`' else one for one in pretty)
    kept = [line for line in reading.lines(text) if not line.startswith(_PRETTY)]
    return "".join(f"{line}\n" for line in [*kept, f'{_PRETTY}"{quoted}"'])


class SetHostname(Operation):
    """The static and the transient name, through hostnamectl."""

    kind = "set-hostname"
    path = PATH

    def __init__(self, name: str) -> None:
        self._name = name

    def describe(self) -> str:
        return f"set the host name {self._name}"

    def already_there(self, context: Context) -> bool:
        return static(context) == self._name == os.uname().nodename

    def execute(self, context: Context) -> None:
        # Keys wait for it, and hostnamed answers at once or, without a bus, never.
        command.run(["hostnamectl", "set-hostname", "--", self._name], why=self.describe(), timeout_s=LIMIT_S)


def static(context: Context) -> str:
    """What /etc/hostname says; "" if nothing."""
    try:
        return (reading.read_text(context.root, PATH) or "").strip()
    except (Failure, OSError):
        return ""
