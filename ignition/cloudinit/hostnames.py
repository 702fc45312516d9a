"""The machine's name. Source: coreos-cloudinit.md 11.1 and 12.

A name that a person typed is taken whole; one of a datasource ends before its first dot and after 63 bytes, as in Flatcar.
"""

import os
import re

from ignition.host import command
from ignition.operation import Context, Operation

MOST_BYTES = 64  # linux/utsname.h
PATH = "/etc/hostname"
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?")
_MOST_OF_A_LABEL = 63


def shortened(name: str) -> str:
    """As a datasource's name is used."""
    return name.partition(".")[0].encode()[:_MOST_OF_A_LABEL].decode("utf-8", "ignore")


def is_name(name: str) -> bool:
    """Whether hostnamectl takes it."""
    labels = name.split(".")
    return len(name) <= MOST_BYTES and all(len(one) <= _MOST_OF_A_LABEL and _LABEL.fullmatch(one) for one in labels)


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
        command.run(["hostnamectl", "set-hostname", "--", self._name], why=self.describe())


def static(context: Context) -> str:
    """What /etc/hostname says; "" if nothing."""
    try:
        with open(context.root.outside(context.root.follow(PATH)), encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""
