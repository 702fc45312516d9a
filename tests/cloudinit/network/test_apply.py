"""A converted network is put where networkd looks, and made to count: links in a namespace, programs played by scripts."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ignition.cloudinit.datasources import NetworkConfig
from ignition.cloudinit.network import FORMATS, apply
from ignition.errors import CommandFailed, Failure
from ignition.fetch.engine import Fetcher, Settings
from ignition.host import netlink
from ignition.host.root import Root
from ignition.network.from_debian import network
from ignition.network.model import Interface, Network
from ignition.operation import Context, Runner
from tests.netns import namespace
from tests.platforms.programs import Programs, programs

__all__ = ["programs"]
STACKED = (
    "iface eth0 inet manual\niface bond0 inet manual\nbond-slaves eth0 eth1\nbond-mode 4\nbond-miimon 100\n"
    "iface bond0.5 inet dhcp\niface bond9 inet dhcp\nbond-slaves eth9\nbond-mode 1\n"
)
RESTART = "systemctl restart systemd-networkd.service"
# What the links are like in the middle of a restart.
SHOW = "ip -brief link show eth0 2>/dev/null | grep -c UP >>{}/up; exit {}"


@pytest.fixture
def context(tmp_path: Path) -> Context:
    (tmp_path / "root").mkdir()
    return Context(Root(str(tmp_path / "root")), Fetcher(Settings(), offline=True))


@pytest.fixture
def links() -> Iterator[None]:
    """eth0 and eth1, both up, with their other ends; eth9 does not exist."""
    with namespace():
        for command in (
            "link add eth0 type veth peer name far0",
            "link add eth1 type veth peer name far1",
            *(f"link set {name} up" for name in ("eth0", "far0", "eth1", "far1")),
            "address add 10.0.0.2/24 dev eth0",
            "route add 10.9.0.0/16 via 10.0.0.1",
        ):
            subprocess.run(["ip", *command.split()], check=True)
        yield


def run(text: str, context: Context, tmp_path: Path) -> list[str]:
    """What was done of what was planned."""
    operations = apply.plan(network(text, "interfaces"), context)
    with Runner("cloudinit", str(tmp_path / "operations")) as runner:
        runner.run(operations, context)
        return [f"{record['what']}: {record['result']}" for record in runner._records]


@pytest.mark.root
def test_links_go_down_and_networkd_finds_the_files(context: Context, tmp_path: Path, programs: Programs, links: None) -> None:
    calls = programs(systemctl=SHOW.format(tmp_path, 0), modprobe="exit 0")
    done = run(STACKED, context, tmp_path)
    assert done[-1] == (
        "take bond0, bond0.5, bond9, eth0, eth1, eth9 down, load 8021q, bonding, restart systemd-networkd.service: done"
    )
    assert calls.read_text().splitlines() == ["modprobe -- 8021q", "modprobe -- bonding miimon=100 mode=802.3ad", RESTART]
    assert (tmp_path / "up").read_text() == "0\n", "eth0 is down while networkd starts"
    # networkd brings them up, when they have joined the bond; it is not here.
    assert [netlink.is_up("eth0"), netlink.is_up("eth1"), netlink.is_up("eth9")] == [False, False, None]
    routes = subprocess.run(["ip", "route"], capture_output=True, text=True, check=True).stdout
    assert "10.9.0.0/16" not in routes, "nothing of the old life stays"
    directory = tmp_path / "root/run/systemd/network"
    assert (directory / "02-eth0.network").read_text() == "[Match]\nName=eth0\n\n[Network]\nBond=bond0\n"
    assert {path.stat().st_mode & 0o7777 for path in directory.iterdir()} == {0o644}
    assert len(list(directory.iterdir())) == len(done) - 1


@pytest.mark.root
def test_second_run_changes_nothing_and_says_so(context: Context, tmp_path: Path, programs: Programs, links: None) -> None:
    calls = programs(systemctl="exit 0", modprobe="exit 0")
    run(STACKED, context, tmp_path)
    calls.write_text("")
    assert {line.rpartition(": ")[2] for line in run(STACKED, context, tmp_path)} == {"already"}
    assert calls.read_text() == ""


@pytest.mark.root
def test_one_changed_file_is_enough_for_a_restart(context: Context, tmp_path: Path, programs: Programs, links: None) -> None:
    calls = programs(systemctl="exit 0")
    run("iface eth0 inet dhcp\niface eth1 inet dhcp\n", context, tmp_path)
    calls.write_text("")
    done = run("iface eth0 inet dhcp\niface eth1 inet manual\n", context, tmp_path)
    assert [line.rpartition(": ")[2] for line in done] == ["already", "done", "done"]
    assert calls.read_text() == f"{RESTART}\n", "no bond and no VLAN: no module"


@pytest.mark.root
def test_networkd_is_restarted_although_a_module_is_missing(
    context: Context, tmp_path: Path, programs: Programs, links: None
) -> None:
    calls = programs(systemctl=SHOW.format(tmp_path, 0), modprobe="echo not found >&2; exit 1")
    with pytest.raises(CommandFailed, match=r"load the module 8021q.*not found"):
        run(STACKED, context, tmp_path)
    assert calls.read_text().splitlines() == ["modprobe -- 8021q", RESTART]


@pytest.mark.root
def test_links_come_up_again_although_networkd_does_not_start(
    context: Context, tmp_path: Path, programs: Programs, links: None
) -> None:
    programs(systemctl="exit 1")
    with pytest.raises(CommandFailed, match=r"restart systemd-networkd\.service"):
        run("iface eth0 inet dhcp\n", context, tmp_path)
    assert netlink.is_up("eth0")


@pytest.mark.root
def test_link_that_was_down_stays_so(context: Context, tmp_path: Path, programs: Programs, links: None) -> None:
    programs(systemctl="exit 0")
    netlink.set_state("eth1", up=False)
    run("iface eth1 inet dhcp\n", context, tmp_path)
    assert netlink.is_up("eth1") is False


def test_links_known_by_their_mac_address_are_left_to_networkd() -> None:
    assert apply._links(Network([Interface(mac="00:50:56:00:00:01"), Interface(name="eth0")])) == ["eth0"]
    assert apply.RestartNetwork([], []).describe() == "restart systemd-networkd.service"


@pytest.mark.root
def test_failure_of_a_link_is_only_logged(
    context: Context,
    tmp_path: Path,
    programs: Programs,
    links: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(name: str, *, up: bool) -> None:
        raise Failure("cannot set link eth0 down: Operation not permitted", where=name)

    monkeypatch.setattr(netlink, "set_state", refuse)
    calls = programs(systemctl="exit 0")
    run("iface eth0 inet dhcp\n", context, tmp_path)
    assert calls.read_text() == f"{RESTART}\n"
    assert "eth0: cannot set link eth0 down" in capsys.readouterr().out


def test_networkd_is_restarted_without_pyroute2(
    context: Context,
    tmp_path: Path,
    programs: Programs,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "pyroute2", None)
    calls = programs(systemctl="exit 0")
    run("iface eth0 inet dhcp\n", context, tmp_path)
    assert calls.read_text() == f"{RESTART}\n"
    assert "pyroute2 is missing (fix: pip install pyroute2, or apt install python3-pyroute2)" in capsys.readouterr().out


@pytest.mark.root
def test_link_that_is_not_there_cannot_change() -> None:
    with namespace():
        with pytest.raises(Failure, match="cannot set link eth0 down: it does not exist") as caught:
            netlink.set_state("eth0", up=False)
    assert caught.value.where == "eth0"


def test_source_without_a_network_cannot_be_converted() -> None:
    with pytest.raises(Failure, match="the datasource has no network to convert from debian") as caught:
        apply.converted("debian", None, "cloud-drive at /media/configdrive")
    assert caught.value.where == "cloud-drive at /media/configdrive"


@pytest.mark.parametrize("format", FORMATS)
def test_network_of_another_kind_is_refused(format: str) -> None:
    asked = next(other for other in FORMATS if other != format)
    expected = Network()
    found = NetworkConfig(format, lambda: expected)
    assert apply.converted(format, found, "somewhere") is expected
    with pytest.raises(Failure, match=f"has the format {format}, not {asked}") as caught:
        apply.converted(asked, found, "somewhere")
    assert caught.value.fix == f"use --convert-netconf={format}"


def test_no_network_at_all_restarts_nothing(context: Context) -> None:
    assert apply.plan(Network(), context) == []


@pytest.mark.root
def test_what_the_kernel_refuses_is_said(links: None) -> None:
    netlink.is_up("eth0")  # loads pyroute2 while everything may be read
    os.seteuid(65534)
    try:
        with pytest.raises(Failure) as caught:
            netlink.set_state("eth0", up=False)
    finally:
        os.seteuid(0)
    assert str(caught.value) == "eth0: cannot set link eth0 down: Operation not permitted"
    assert netlink.is_up("eth0")
