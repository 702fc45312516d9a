"""Which platforms a unit runs on: the conditions that dracut/install writes, compared with the tables of the platforms.

The originals' lists are in docs/reference/platforms.md §4.6.
"""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from dracut import platform_conditions
from ignition import platforms
from ignition.metadata.table import Metadata
from tests.dracut.test_units import UNITS, lines, text_of

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
    left_out = {name for name in platforms.ids() if member in platforms.module(name).without_unit}
    wanted = {name for found in having(member) - left_out for name in with_old_names(found)}
    present = {name for unit in UNITS_FOR[member] for _, name in conditions(unit)}
    assert present == wanted
    # An exception without something to except is a mistake.
    assert left_out <= having(member)


def test_exceptions_name_members_that_units_apply() -> None:
    for name in platforms.ids():
        platform = platforms.module(name)
        assert {*platform.without_unit, *platform.each_boot} <= UNITS_FOR.keys(), name
        assert all(platform.without_unit.values()), name


def test_every_selection_is_of_one_unit_and_every_marker_is_known() -> None:
    markers = [name for path in UNITS.values() if (name := platform_conditions.selection(path.read_text()))]
    assert sorted(markers) == sorted(platform_conditions.SELECTIONS)


def test_installed_units_have_their_conditions(tmp_path: Path) -> None:
    subprocess.run([str(GENERATOR.parents[1] / "install"), str(tmp_path)], check=True)
    installed = {path.name: path.read_text() for path in tmp_path.rglob("*.service") if not path.is_symlink()}
    assert [name for name, text in installed.items() if "@PLATFORMS" in text] == []
    marked = [name for name, path in UNITS.items() if platform_conditions.selection(path.read_text())]
    assert {name: installed[name] for name in marked} == {name: text_of(name) for name in marked}


def test_new_platform_costs_its_module_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Metadata(mock.Mock(), prefix="NEW_", hostname=mock.Mock(), check_in=lambda _: None)
    new, module = platforms.Platform("New", metadata=(table,)), platforms.module
    monkeypatch.setattr(platforms, "ids", lambda: ["new", "packet"])
    monkeypatch.setattr(platforms, "module", lambda name: new if name == "new" else module(name))
    assert platform_conditions.selected("hostname") == ["new"]
    assert platform_conditions.expanded("[Unit]\n@PLATFORMS:firstboot-checkin@\nA=b\n") == (
        "[Unit]\n"
        "ConditionKernelCommandLine=|ignition.platform.id=new\n"
        "ConditionKernelCommandLine=|flatcar.oem.id=new\n"
        "ConditionKernelCommandLine=|coreos.oem.id=new\n"
        "ConditionKernelCommandLine=|ignition.platform.id=packet\n"
        "ConditionKernelCommandLine=|flatcar.oem.id=packet\n"
        "ConditionKernelCommandLine=|coreos.oem.id=packet\n"
        "A=b\n"
    )


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


def test_denial_runs_where_the_service_has_an_address_of_its_own() -> None:
    having = {name for one in platforms.ids() if platforms.module(one).addresses for name in with_old_names(one)}
    assert {name for _, name in conditions("coreos-metadata-deny.service")} == having


def test_denial_is_complete_before_the_network_comes_up_and_after_others_flush_their_tables() -> None:
    found = lines("coreos-metadata-deny.service")
    assert {"DefaultDependencies=no", "Before=network-pre.target", "Wants=network-pre.target", "WantedBy=sysinit.target"} <= {
        *found
    }
    assert {"After=nftables.service", "PartOf=nftables.service", "ReloadPropagatedFrom=nftables.service"} <= {*found}
    # It is not stopped at shutdown, when programs may still run.
    assert [line for line in found if line.startswith("Conflicts=")] == []


def test_denial_is_off_by_default() -> None:
    top = GENERATOR.parents[2]
    preset = top / "vm-tests/image/files/root/usr/lib/systemd/system-preset/50-coreos.preset"
    for enabling in (preset, top / "ignition/arming/plan.py", top / "docs/your-image.md"):
        text = enabling.read_text()
        assert "ignition-growroot.service" in text  # units that are on
        assert "coreos-metadata-deny" not in text
