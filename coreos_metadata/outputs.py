"""Files that the companion writes atomically: attributes, host name, and the network for the program that sets it up."""

from __future__ import annotations

import os

from ignition.host import hostnames
from ignition.host.root import put, put_all
from ignition.patterns import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.network.model import Network

MODE = 0o644
NETPLAN_FILE = "50-afterburn.yaml"
NETPLAN_MODE = 0o600  # netplan warns about files that others can read
_PLAIN = lazy_pattern(r"[A-Za-z0-9_@%+=:,./-]*")
_PROTECTED = lazy_pattern(r'(["\\`$])')
_CONTROL = lazy_pattern(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def write_attributes(path: str, attributes: dict[str, str]) -> None:
    """Replace the attribute file; missing directories are created."""
    put(path, render(attributes).encode(), mode=MODE)


def render(attributes: dict[str, str]) -> str:
    """`NAME=value` lines, sorted, which systemd's EnvironmentFile= and a POSIX shell read alike, including hostile values.

    The originals do not quote, and truncate the file before they ask the service.
    """
    return "".join(f"{name}={quoted(value)}\n" for name, value in sorted(attributes.items()))


def quoted(value: str) -> str:
    """The value, quoted so that both readers restore it.

    In double quotes a backslash escapes double quote, backslash, backquote and dollar, in systemd (src/basic/env-file.c) and in
    shells. Control characters other than tab and line feed become U+FFFD: systemd drops a variable that contains one, and the
    whole file if it is not UTF-8.
    """
    value = _CONTROL.sub(_REPLACEMENT, value)
    protected = _PROTECTED.sub(r"\\\1", value)
    return value if _PLAIN.fullmatch(value) else f'"{protected}"'


def write_hostname(path: str, name: str) -> None:
    """Replace the host-name file: the name and a line feed. Source: docs/reference/platforms.md §4.4.

    The file is left alone if ignition/host/hostnames.py cannot derive a valid name.
    """
    found = hostnames.of_platform(name)
    if found:
        put(path, f"{found}\n".encode(), mode=MODE)


def write_netplan(directory: str, document: object) -> None:
    """Replace netplan's file. Source: docs/reference/platforms.md §4.1, §7.1; netplan's reference of `network`."""
    import yaml

    text = yaml.safe_dump(document, default_flow_style=False, sort_keys=False)
    put(os.path.join(directory, NETPLAN_FILE), text.encode(), mode=NETPLAN_MODE)


def write_networkd(directory: str, network: Network) -> None:
    """One file for each interface and device. The directory is created; other files in it stay."""
    from ignition.network import networkd

    put_all(directory, networkd.files(network, networkd.METADATA), mode=MODE)


def write_networkmanager(directory: str, network: Network) -> None:
    """One profile for each managed interface. The directory is created; other files in it stay."""
    from ignition.network import networkmanager

    put_all(directory, networkmanager.files(network), mode=networkmanager.MODE)
