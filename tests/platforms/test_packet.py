"""What is particular about Packet: TLS, bonds, check-in, reports, own counters. The rest: samples/packet.py."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from coreos_metadata.main import main as coreos_metadata
from ignition import platforms
from ignition.cli.ignition import SUCCESS, main
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher
from ignition.metadata.reader import Reader
from ignition.platforms import packet
from tests.fetch.server import Reply, Server, serving
from tests.platforms import networks, samples
from tests.platforms.samples.packet import ADDRESSES, INTERFACES, machine
from tests.platforms.test_samples import QUICK, attributes_of, config_of, described, read, service

SAMPLE = samples.load("packet")
SLAVE = """\
[Match]
PermanentMACAddress=ec:0d:9a:00:00:0{}

[Network]
Bond=bond0

[Link]
RequiredForOnline=no
"""
BOND = """\
[Match]
Name=bond0

[Network]
DNS=203.0.113.53
DNS=203.0.113.54

[Link]
RequiredForOnline=degraded-carrier

[Address]
Address=198.51.100.11/31

[Address]
Address=2001:db8:1::3/127

[Address]
Address=10.80.0.3/31

[Route]
Destination=0.0.0.0/0
Gateway=198.51.100.10

[Route]
Destination=::/0
Gateway=2001:db8:1::2

[Route]
Destination=10.0.0.0/8
Gateway=10.80.0.2
"""
DEVICE = """\
[NetDev]
Name=bond0
Kind=bond
MACAddress=ec:0d:9a:00:00:01

[Bond]
TransmitHashPolicy=layer3+4
MIIMonitorSec=.1
UpDelaySec=.2
DownDelaySec=.2
Mode=802.3ad
LACPTransmitRate=fast
"""
FALLBACK = "[Match]\nPath=pci-*\n\n[Network]\n\n[Link]\nUnmanaged=yes\n"


@pytest.fixture
def netif_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """networkd's file, with two name servers."""
    path = tmp_path / "state"
    path.write_text("OPER_STATE=routable\nDNS=203.0.113.53 203.0.113.54\nNTP=\n")
    monkeypatch.setattr(packet, "NETIF_STATE", str(path))
    return path


def units(body: bytes) -> dict[str, str]:
    return networks.units("packet", {"metadata": body})


def test_bonded_network(netif_state: Path) -> None:
    assert units(machine()) == {
        "10-ec:0d:9a:00:00:01.network": SLAVE.format(1),
        "10-ec:0d:9a:00:00:02.network": SLAVE.format(2),
        "05-bond0.network": BOND,
        "05-bond0.netdev": DEVICE,
        "80-pci-*.network": FALLBACK,
    }


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (0, "balance-rr"),
        (1, "active-backup"),
        (2, "balance-xor"),
        (3, "broadcast"),
        (5, "balance-tlb"),
        (6, "balance-alb"),
    ],
)
def test_modes_without_lacp(netif_state: Path, number: int, name: str) -> None:
    device = units(machine(bonding={"mode": number}))["05-bond0.netdev"]
    assert device == DEVICE.replace("802.3ad", name).replace("LACPTransmitRate=fast\n", "")


@pytest.mark.parametrize("bonding", [{"mode": 7}, {"mode": -1}, {"mode": "4"}, {}, None])
def test_mode_that_is_unknown_is_refused(netif_state: Path, bonding: dict[str, object] | None) -> None:
    with pytest.raises(Failure) as caught:
        units(machine(bonding=bonding))
    number = (bonding or {}).get("mode")
    assert (caught.value.what, caught.value.where) == (f"network.bonding.mode is {number!r}", "metadata")


def test_addresses_are_the_first_bonds(netif_state: Path) -> None:
    cards = [{"mac": f"ec:0d:9a:00:00:0{number}", "bond": bond} for number, bond in enumerate(("a", "b", "a", None))]
    found = units(machine(interfaces=cards))
    assert found["05-a.network"] == BOND.replace("bond0", "a")
    assert found["05-b.network"] == BOND.replace("bond0", "b").partition("\n[Address]")[0]
    assert "MACAddress=ec:0d:9a:00:00:00" in found["05-a.netdev"]
    assert "MACAddress=ec:0d:9a:00:00:01" in found["05-b.netdev"]
    assert (
        found["10-ec:0d:9a:00:00:03.network"] == "[Match]\nMACAddress=ec:0d:9a:00:00:03\n\n[Network]\n\n[Link]\nUnmanaged=yes\n"
    )


def test_network_without_bond_gives_no_addresses(capsys: pytest.CaptureFixture[str]) -> None:
    """No name servers are needed then: nothing reads networkd's state."""
    cards = [{"name": one["name"], "mac": one["mac"]} for one in INTERFACES]
    found = units(machine(interfaces=cards))
    assert set(found) == {"10-ec:0d:9a:00:00:01.network", "10-ec:0d:9a:00:00:02.network"}
    assert all("Unmanaged=yes" in unit and "[Address]" not in unit for unit in found.values())
    assert "none of the interfaces belongs to a bond: no addresses are set" in capsys.readouterr().out


def test_network_without_interfaces() -> None:
    assert units(machine(interfaces=[])) == {}


def test_missing_name_servers_are_refused(netif_state: Path) -> None:
    netif_state.write_text("OPER_STATE=routable\n")
    with pytest.raises(Failure) as caught:
        units(machine())
    assert (caught.value.what, caught.value.where) == ("the machine has no name servers: DNS= is missing", str(netif_state))


def test_state_that_is_not_there_is_refused(netif_state: Path) -> None:
    netif_state.unlink()
    with pytest.raises(Failure) as caught:
        units(machine())
    assert caught.value.what == "the machine's name servers cannot be read: No such file or directory"
    assert caught.value.where == str(netif_state)


@pytest.mark.root
def test_each_kind_of_address_has_its_own_counter() -> None:
    more = [ADDRESSES[2] | {"address": "10.80.0.5", "gateway": "10.80.0.4"}, ADDRESSES[1] | {"public": False}, *ADDRESSES]
    with service(SAMPLE, {"/metadata": Reply(body=machine(addresses=more))}):
        found = attributes_of("packet")
    start = "AFTERBURN_PACKET_"
    assert {name.removeprefix(start): value for name, value in found.items() if name.startswith(f"{start}IPV")} == {
        "IPV4_PRIVATE_0": "10.80.0.5",
        "IPV4_PRIVATE_1": "10.80.0.3",
        "IPV4_PRIVATE_GATEWAY_0": "10.80.0.4",
        "IPV4_PRIVATE_GATEWAY_1": "10.80.0.2",
        "IPV4_PUBLIC_0": "198.51.100.11",
        "IPV4_PUBLIC_GATEWAY_0": "198.51.100.10",
        "IPV6_PUBLIC_0": "2001:db8:1::3",
        "IPV6_PUBLIC_GATEWAY_0": "2001:db8:1::2",
        "IPV6_PRIVATE_0": "2001:db8:1::3",
        "IPV6_PRIVATE_GATEWAY_0": "2001:db8:1::2",
    }
    assert found["COREOS_PACKET_IPV4_PRIVATE_1"] == "10.80.0.3"
    assert "COREOS_PACKET_IPV4_PRIVATE_GATEWAY_0" not in found


@pytest.mark.root
def test_member_error_is_ignored() -> None:
    body = json.dumps(json.loads(machine()) | {"error": "x"}).encode()
    with service(SAMPLE, {"/metadata": Reply(body=body)}):
        assert read("packet", described) == (SAMPLE.attributes, "web-1", SAMPLE.ssh_keys)


@pytest.mark.root
def test_server_with_the_certificate_of_another_authority_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with service(SAMPLE):
        monkeypatch.setattr("ignition.fetch.transport.SYSTEM_BUNDLE", "/etc/ssl/certs/ca-certificates.crt")
        with pytest.raises(Failure, match="the server's TLS certificate is not accepted"):
            config_of("packet")


@contextmanager
def plain_service(answers: dict[str, Reply | list[Reply]]) -> Iterator[Server]:
    """The service with TLS, and beside it the one without, which takes check-ins and events."""
    with service(SAMPLE), serving(answers, address=(SAMPLE.address, 80)) as server:
        yield server


def check_in(reader: Reader) -> None:
    (table,) = platforms.metadata("packet")
    assert table.check_in
    table.check_in(reader)


@pytest.mark.root
def test_check_in() -> None:
    with plain_service({"/phone-home": [Reply(503), Reply(201)]}) as server:
        read("packet", check_in)
        for request in server.requests:
            assert (request.method, request.path, request.body) == ("POST", "/phone-home", b"")
            assert request.headers["Content-Type"] == "application/json"
            assert request.headers["Content-Length"] == "0"
            assert request.headers["Host"] == "metadata.packet.net"
        assert len(server.requests) == 2


@pytest.mark.root
@pytest.mark.parametrize(
    ("problem", "event"),
    [
        ("", {"state": "running", "message": "[files] Ignition status: finished successfully"}),
        ("no space", {"state": "failed", "message": "[files] Ignition error: no space"}),
    ],
)
def test_report_of_a_stage(problem: str, event: dict[str, str]) -> None:
    report = platforms.module("packet").report
    assert report
    with plain_service({"/events": Reply(201)}) as server, Fetcher(QUICK, offline=False) as fetcher:
        report(fetcher, "files", problem)
        (request,) = server.requests
        assert (request.method, request.path) == ("POST", "/events")
        assert json.loads(request.body) == event
        assert request.headers["Content-Type"] == "application/json"


@pytest.mark.root
def test_agent_tells_how_its_stages_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ignition.stages.status_report.LIMIT_S", 60.0)  # this machine may be busy
    flags = [f"-{name}={tmp_path}/{name}" for name in ("config-cache", "neednet", "state-file")]
    with plain_service({"/events": Reply(201)}) as server:
        for stage in ("fetch-offline", "fetch", "kargs"):
            assert main([f"-stage={stage}", "-platform=packet", f"-root={tmp_path}", "-log-to-stdout", *flags]) == SUCCESS
        assert (tmp_path / "neednet").exists()
        messages = [json.loads(request.body)["message"] for request in server.requests]
        assert messages == [f"[{stage}] Ignition status: finished successfully" for stage in ("fetch", "kargs")]


@pytest.mark.root
def test_companion_writes_all_and_checks_in(tmp_path: Path, netif_state: Path) -> None:
    """As the units of the first boot call it."""
    outputs = [f"--attributes={tmp_path}/coreos", f"--hostname={tmp_path}/hostname", f"--network-units={tmp_path}/network"]
    with plain_service({"/phone-home": Reply(201)}) as server:
        assert coreos_metadata(["--provider=packet", *outputs, "--check-in"]) == SUCCESS
        assert server.paths() == ["/phone-home"]
    assert "COREOS_PACKET_IPV4_PRIVATE_0=10.80.0.3\n" in (tmp_path / "coreos").read_text()
    assert (tmp_path / "hostname").read_text() == "web-1\n"
    assert {path.name: path.read_text() for path in (tmp_path / "network").iterdir()} == units(machine())
