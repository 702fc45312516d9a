"""Which platforms a unit of the companion runs on: its conditions, compared with the tables of the platforms.

No id stands in two places unnoticed: a table that gains a host name, a check-in and so on makes a test fail until the unit has
the id, or LEFT_OUT says why not. The originals' lists are in docs/reference/platforms.md §4.6.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ignition import platforms
from ignition.metadata.table import Metadata
from tests.dracut.test_units import UNITS, lines

PARAMETERS = ("ignition.platform.id", "flatcar.oem.id", "coreos.oem.id")
GENERATOR = Path(__file__).parent.parent.parent / "dracut/35coreos-ignition/ignition-generator"
HOSTNAMES = ("coreos-metadata-hostname.service", "coreos-metadata-hostname-drive.service")
# What each unit is for → the units, which share the platforms out.
UNITS_FOR: dict[str, tuple[str, ...]] = {
    "hostname": HOSTNAMES,
    "network": ("coreos-digitalocean-network.service", "coreos-static-network.service"),
    "kernel_arguments": ("coreos-metadata-network-kargs.service",),
    "first_user": ("coreos-metadata-ignition-fragment.service",),
    "check_in": ("coreos-metadata-checkin.service", "coreos-metadata-firstboot-checkin.service"),
    "ssh_keys": ("coreos-metadata-sshkeys@.service",),
}
_DHCP = "DHCP gives it"
_DRIVE_ID = "no kernel argument has this id: a drop-in names it as the provider"
LEFT_OUT: dict[str, dict[str, str]] = {
    "hostname": {
        "aws": _DHCP,
        "gcp": _DHCP,
        "ibmcloud-classic": "not in the originals",
        "openstack": _DHCP,
        "openstack-metadata": _DHCP,
        "packet": "coreos-static-network.service writes it, too",
        "powervs": "not in the originals",
        "vagrant-virtualbox": "Vagrant sets it over SSH",
    },
    "network": {
        "hetzner": "DHCP and router advertisements are enough for a first boot",
        "ibmcloud-classic": _DRIVE_ID,
        "kubevirt": "kernel arguments of the initramfs",
        "proxmoxve": "kernel arguments of the initramfs",
    },
}


def conditions(unit: str) -> set[tuple[str, str]]:
    """Pairs of kernel parameter and platform id, one of which must hold."""
    found = set()
    for line in lines(unit):
        if line.startswith("ConditionKernelCommandLine="):
            match = re.fullmatch(r"ConditionKernelCommandLine=\|([a-z.]+)=([a-z0-9-]+)", line)
            assert match, line
            found.add((match[1], match[2]))
    return found


def with_old_names(name: str) -> set[str]:
    """An id and those of earlier times that mean it."""
    return {name, *(old for old, new in platforms.ALIASES.items() if new == name)}


def having(table_member: str) -> set[str]:
    """The ids whose metadata has this."""
    return {name for name in platforms.ids() if any(getattr(table, table_member) for table in platforms.module(name).metadata)}


@pytest.mark.parametrize("member", UNITS_FOR)
def test_units_run_where_the_tables_have_something(member: str) -> None:
    left_out = LEFT_OUT.get(member, {})
    wanted = {name for found in having(member) - left_out.keys() for name in with_old_names(found)}
    present = {name for unit in UNITS_FOR[member] for _, name in conditions(unit)}
    assert present == wanted
    # An exception that is none any more is a lie.
    assert left_out.keys() <= having(member)


@pytest.mark.parametrize("member", UNITS_FOR)
def test_no_platform_has_two_units_for_one_thing(member: str) -> None:
    everyone = [condition for unit in UNITS_FOR[member] for condition in conditions(unit)]
    assert len(everyone) == len(set(everyone))


@pytest.mark.parametrize("unit", [unit for units in UNITS_FOR.values() for unit in units])
def test_each_generation_of_the_parameter_counts(unit: str) -> None:
    ids = {name for _, name in conditions(unit)}
    assert conditions(unit) == {(parameter, name) for parameter in PARAMETERS for name in ids}


def places(name: str) -> set[str]:
    return {type(table.place).__name__ for table in platforms.module(name).metadata}


def is_on_a_drive(name: str) -> bool:
    tables: tuple[Metadata, ...] = platforms.metadata(name)
    return all(type(table.place).__name__ == "Drive" for table in tables)


def test_host_name_from_a_drive_needs_no_network() -> None:
    by_network, by_drive = ({name for _, name in conditions(unit)} for unit in HOSTNAMES)
    assert {name: places(name) for name in by_drive if not is_on_a_drive(name)} == {}
    assert [name for name in by_network if is_on_a_drive(name)] == []
    assert "ExecStartPre=/usr/lib/coreos-ignition/network-up" in lines(HOSTNAMES[0])
    assert [line for line in lines(HOSTNAMES[1]) if "network-up" in line] == []


def test_delete_config_runs_where_a_config_can_be_removed() -> None:
    removing = {name for name in platforms.ids() if (source := platforms.module(name).config) and source.remove}
    assert {name for _, name in conditions("ignition-delete-config.service")} == removing


def test_generator_and_unit_agree_on_the_platform_with_a_network_at_every_boot() -> None:
    (name,) = {name for _, name in conditions("coreos-digitalocean-network.service")}
    assert f"= {name} ]" in GENERATOR.read_text()


@pytest.mark.parametrize(
    "name", sorted(name for name in UNITS if "ExecStartPre=/usr/lib/coreos-ignition/network-up" in lines(name))
)
def test_who_brings_the_network_up_does_it_before_asking(name: str) -> None:
    found = lines(name)
    start = next(index for index, line in enumerate(found) if line.startswith("ExecStart=/usr/bin/coreos-metadata"))
    assert found.index("ExecStartPre=/usr/lib/coreos-ignition/network-up") < start


def test_kinds_of_units_are_as_the_originals_order_them() -> None:
    orders: dict[str, Callable[[list[str]], bool]] = {
        "coreos-metadata-hostname.service": lambda found: "Before=ignition-files.service" in found,
        "coreos-static-network.service": lambda found: "Before=ignition-files.service" in found,
        "coreos-metadata-network-kargs.service": lambda found: "Before=ignition-network.service ignition-fetch.service" in found,
        "coreos-metadata-firstboot-checkin.service": lambda found: "ConditionFirstBoot=true" in found,
        "coreos-metadata-checkin.service": lambda found: "ConditionFirstBoot=true" not in found,
    }
    assert [unit for unit, holds in orders.items() if not holds(lines(unit))] == []


IN_INITRAMFS = [unit for member in ("hostname", "network", "kernel_arguments", "first_user") for unit in UNITS_FOR[member]]


@pytest.mark.parametrize("unit", IN_INITRAMFS)
def test_docs_name_the_platforms_of_the_unit(unit: str) -> None:
    text = (GENERATOR.parent.parent.parent / "docs/coreos-metadata.md").read_text()
    (row,) = re.findall(rf"^\| `{re.escape(unit)}` \| ([^|]*) \|", text, re.MULTILINE)
    today = {name for _, name in conditions(unit)} - platforms.ALIASES.keys()
    assert set(row.removesuffix(", at every boot").split(", ")) == today
