"""The machine's name. Source: docs/reference/coreos-cloudinit.md §11.1 and §12.

A name in user data is used whole; one from a datasource ends before its first dot and after 63 bytes, as in Flatcar. The rules
for valid names, and for deriving one from an invalid name, are in ignition/host/hostnames.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from ignition.errors import Failure
from ignition.host import command, hostnames, reading
from ignition.operation import Context, Left, Operation

PATH = "/etc/hostname"
MACHINE_INFO = "/etc/machine-info"  # machine-info(5)
LIMIT_S = 30.0
_PRETTY = "PRETTY_HOSTNAME="


def is_typed_name(name: str) -> bool:
    """Whether it is valid in a cloud-config: old ones often contain underscores, which systemd accepted until version 247."""
    return hostnames.valid(name.replace("_", "-"))


def machine_info(text: str, pretty: str) -> str:
    """The text of /etc/machine-info with this pretty host name."""
    # Quoted as in os-release(5): in double quotes these characters require a backslash.
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

    def leaves(self, context: Context) -> Iterable[Left]:
        yield Left("host name", self._name, {})

    def execute(self, context: Context) -> None:
        # A short limit, since keys wait for it: hostnamed answers at once or, without a bus, never.
        command.run(["hostnamectl", "set-hostname", "--", self._name], why=self.describe(), timeout_s=LIMIT_S)


def static(context: Context) -> str:
    """The content of /etc/hostname; "" if it is missing or unreadable."""
    try:
        return (reading.read_text(context.root, PATH) or "").strip()
    except (Failure, OSError):
        return ""
