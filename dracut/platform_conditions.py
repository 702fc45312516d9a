"""Writes the conditions of units that run on some platforms only, from the tables in ignition/platforms.

platform_conditions.py UNIT...: in each file a line `@PLATFORMS:NAME@` becomes one condition per platform id and kernel parameter.
`dracut/install` runs it on the installed units, so a platform's id stands in its module and nowhere else. The failure screen
compares the firmware's names with those of the platforms: they are written into its file in the same way.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ignition import platforms
from ignition.platforms import Platform

# The generations of the parameter; each has been on the kernel command line of images.
PARAMETERS = ("ignition.platform.id", "flatcar.oem.id", "coreos.oem.id")
# In the file of the failure screen: id and name of each platform that the firmware of a machine may name.
_TITLES = "@PLATFORM-TITLES@"
_MARKER = re.compile(r"^@PLATFORMS:([a-z-]+)@$", re.MULTILINE)


def has(platform: Platform, member: str) -> bool:
    """Whether the metadata has this, and a unit applies it."""
    return member not in platform.without_unit and any(getattr(table, member) for table in platform.metadata)


def is_on_drives(platform: Platform) -> bool:
    """Whether the metadata can be read without a network."""
    return all(type(table.place).__name__ == "Drive" for table in platform.metadata)


def is_configured_by_network(platform: Platform) -> bool:
    """Whether only a service has the config, and cards need nothing but DHCP to reach it."""
    is_remote = platform.config is not None and platform.config.needs_network
    return is_remote and not has(platform, "kernel_arguments") and "network" not in platform.each_boot


SELECTIONS: dict[str, Callable[[Platform], bool]] = {
    "network-config": is_configured_by_network,
    "hostname": lambda one: has(one, "hostname") and not is_on_drives(one),
    "hostname-drive": lambda one: has(one, "hostname") and is_on_drives(one),
    "network": lambda one: has(one, "network") and "network" not in one.each_boot,
    "network-each-boot": lambda one: has(one, "network") and "network" in one.each_boot,
    "network-kargs": lambda one: has(one, "kernel_arguments"),
    "ignition-fragment": lambda one: has(one, "first_user"),
    "checkin": lambda one: has(one, "check_in") and "check_in" in one.each_boot,
    "firstboot-checkin": lambda one: has(one, "check_in") and "check_in" not in one.each_boot,
    "sshkeys": lambda one: has(one, "ssh_keys"),
    "metadata-deny": lambda one: bool(one.addresses),
    "delete-config": lambda one: one.config is not None and one.config.remove is not None,
}


def selected(name: str) -> list[str]:
    """The ids of today, sorted."""
    return [one for one in platforms.ids() if SELECTIONS[name](platforms.module(one))]


def selection(text: str) -> str:
    """The name in the marker of a unit; "" if it runs on all platforms."""
    found = _MARKER.search(text)
    return found[1] if found else ""


def expanded(text: str) -> str:
    """A unit with its conditions. One of them must hold (systemd.unit(5), "triggering conditions")."""

    def conditions(match: re.Match[str]) -> str:
        # Images of earlier releases have the earlier names on their kernel command line.
        names = [
            name for new in selected(match[1]) for name in (new, *(old for old, now in platforms.ALIASES.items() if now == new))
        ]
        return "\n".join(f"ConditionKernelCommandLine=|{parameter}={name}" for name in names for parameter in PARAMETERS)

    return _MARKER.sub(conditions, text).replace(_TITLES, "\n".join(titles()))


def titles() -> list[str]:
    """`aws Amazon EC2`: of each name the first id."""
    return [f"{one} {platforms.module(one).title}" for one in platforms.ids()]


def main(paths: list[str]) -> None:
    """Expand files in place; symlinks and files without a marker are left unchanged."""
    for path in map(Path, paths):
        text = "" if path.is_symlink() else path.read_text(encoding="utf-8")
        if selection(text) or _TITLES in text:
            path.write_text(expanded(text), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
