"""What is written for networkd and NetworkManager, byte by byte.

Expectations: docs/reference/platforms.md §7.2 and §7.3, by hand.
"""

from collections.abc import Callable
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path
from stat import S_IMODE

import pytest

from coreos_metadata.outputs import write_networkd, write_networkmanager
from ignition.errors import Failure
from ignition.host.hostnames import shown
from ignition.network import networkmanager
from ignition.network.model import Device, Interface, Network, Route
from ignition.network.networkd import METADATA, files

STATIC = Interface(
    mac="54:11:00:00:00:0A",
    nameservers=[ip_address("203.0.113.53"), ip_address("2001:db8::53")],
    addresses=[ip_interface("198.51.100.7/24"), ip_interface("2001:db8:2::10/64"), ip_interface("10.19.0.5/16")],
    routes=[
        Route(ip_interface("198.51.100.7/24"), ip_address("198.51.100.1")),
        Route(ip_network("0.0.0.0/0"), ip_address("198.51.100.1")),
        Route(ip_network("::/0"), ip_address("2001:db8:2::1")),
    ],
)
BOND = Network(
    [
        Interface(mac="ec:0d:9a:00:00:01", bond="bond0", required_for_online="no"),
        Interface(mac="ec:0d:9a:00:00:03", unmanaged=True),
        Interface(name="bond0", priority=5, addresses=[ip_interface("10.80.0.3/31")], required_for_online="degraded-carrier"),
        Interface(path="pci-*", priority=80, unmanaged=True),
    ],
    [
        Device(
            "bond0",
            "bond",
            mac="EC:0D:9A:00:00:01",
            priority=5,
            options={
                "Bond": {
                    "TransmitHashPolicy": "layer3+4",
                    "MIIMonitorSec": ".1",
                    "UpDelaySec": ".2",
                    "DownDelaySec": ".2",
                    "Mode": "802.3ad",
                    "LACPTransmitRate": "fast",
                }
            },
        )
    ],
)


def test_static_addresses_for_networkd() -> None:
    assert files(Network([STATIC]), METADATA) == {
        "10-54:11:00:00:00:0a.network": """[Match]
MACAddress=54:11:00:00:00:0a

[Network]
DNS=203.0.113.53
DNS=2001:db8::53

[Address]
Address=198.51.100.7/24

[Address]
Address=2001:db8:2::10/64

[Address]
Address=10.19.0.5/16

[Route]
Destination=198.51.100.7/24
Gateway=198.51.100.1

[Route]
Destination=0.0.0.0/0
Gateway=198.51.100.1

[Route]
Destination=::/0
Gateway=2001:db8:2::1
"""
    }


def test_bond_for_networkd() -> None:
    assert files(BOND, METADATA) == {
        "10-ec:0d:9a:00:00:01.network": "[Match]\nPermanentMACAddress=ec:0d:9a:00:00:01\n\n[Network]\nBond=bond0\n\n"
        "[Link]\nRequiredForOnline=no\n",
        "10-ec:0d:9a:00:00:03.network": "[Match]\nMACAddress=ec:0d:9a:00:00:03\n\n[Network]\n\n[Link]\nUnmanaged=yes\n",
        "05-bond0.network": "[Match]\nName=bond0\n\n[Network]\n\n[Link]\nRequiredForOnline=degraded-carrier\n\n"
        "[Address]\nAddress=10.80.0.3/31\n",
        "80-pci-*.network": "[Match]\nPath=pci-*\n\n[Network]\n\n[Link]\nUnmanaged=yes\n",
        "05-bond0.netdev": "[NetDev]\nName=bond0\nKind=bond\nMACAddress=ec:0d:9a:00:00:01\n\n"
        "[Bond]\nTransmitHashPolicy=layer3+4\n"
        "MIIMonitorSec=.1\nUpDelaySec=.2\nDownDelaySec=.2\nMode=802.3ad\nLACPTransmitRate=fast\n",
    }


@pytest.mark.parametrize(("dhcp", "line"), [("yes", "DHCP=yes\n"), ("ipv4", "DHCP=ipv4\n"), ("ipv6", "DHCP=ipv6\n"), ("", "")])
def test_dhcp_for_networkd(dhcp: str, line: str) -> None:
    content = files(Network([Interface(name="eth0", priority=20, dhcp=dhcp)]), METADATA)["20-eth0.network"]
    assert content == f"[Match]\nName=eth0\n\n[Network]\n{line}"


@pytest.mark.parametrize(
    "name", ["../evil", "a/b", "..", "a\0b", "eth0\nDHCP=yes", "eth0\r", "a b", "[Match]", "\ud800", "a" * 128]
)
@pytest.mark.parametrize(
    ("make", "what"),
    [
        pytest.param(lambda name: Interface(name=name), "interface name", id="interface"),
        pytest.param(lambda path: Interface(path=path), "udev path", id="path"),
        pytest.param(lambda bond: Interface(name="e", bond=bond), "bond name", id="bond"),
        pytest.param(lambda vlan: Interface(name="e", vlans=[vlan]), "VLAN name", id="VLAN"),
        pytest.param(lambda domain: Interface(name="e", domains=[domain]), "search domain", id="domain"),
        pytest.param(lambda name: Device(name, "bond"), "interface name", id="device"),
    ],
)
def test_name_that_would_be_more_than_a_name_is_refused(make: Callable[[str], object], what: str, name: str) -> None:
    with pytest.raises(Failure) as caught:
        make(name)
    assert caught.value.what == f"{shown(name)} is not a valid {what}"
    assert caught.value.where == "network of the metadata"


@pytest.mark.parametrize("mac", ["00:11", "00:11:22:33:44:5g", "00:11:22:33:44:55\n"])
def test_mac_address_that_is_none_is_refused(mac: str) -> None:
    with pytest.raises(Failure) as caught:
        Interface(mac=mac)
    assert caught.value.what == f"{mac!r} is not a valid MAC address"


def test_interface_without_name_and_mac_address_is_refused() -> None:
    with pytest.raises(Failure, match="an interface has neither name nor MAC address"):
        Interface()


def test_static_addresses_for_networkmanager() -> None:
    assert networkmanager.files(Network([STATIC])) == {
        "54:11:00:00:00:0a.nmconnection": """[connection]
id=54:11:00:00:00:0a
type=ethernet
autoconnect=true
autoconnect-priority=989

[ethernet]
mac-address=54:11:00:00:00:0a

[ipv4]
method=manual
address1=198.51.100.7/24
address2=10.19.0.5/16
gateway=198.51.100.1
route1=198.51.100.7/24,198.51.100.1,0
dns=203.0.113.53;

[ipv6]
method=manual
address1=2001:db8:2::10/64
gateway=2001:db8:2::1
dns=2001:db8::53;
"""
    }


def test_bond_for_networkmanager() -> None:
    found = networkmanager.files(BOND)
    assert found.keys() == {"ec:0d:9a:00:00:01.nmconnection", "bond0.nmconnection"}
    assert found["ec:0d:9a:00:00:01.nmconnection"] == (
        "[connection]\nid=ec:0d:9a:00:00:01\ntype=ethernet\nautoconnect=true\nautoconnect-priority=989\nmaster=bond0\n"
        "slave-type=bond\n\n[ethernet]\nmac-address=ec:0d:9a:00:00:01\n"
    )
    assert found["bond0.nmconnection"] == (
        "[connection]\nid=bond0\ntype=bond\ninterface-name=bond0\nautoconnect=true\nautoconnect-priority=994\n\n"
        "[bond]\nxmit_hash_policy=layer3+4\nmiimon=100\nupdelay=200\ndowndelay=200\nmode=802.3ad\nlacp_rate=fast\n\n"
        "[ethernet]\ncloned-mac-address=ec:0d:9a:00:00:01\n\n[ipv4]\nmethod=manual\naddress1=10.80.0.3/31\n\n[ipv6]\nmethod=disabled\n"
    )


def test_dhcp_for_networkmanager_leaves_static_addresses_out() -> None:
    interface = Interface(name="eth0", dhcp="ipv4", addresses=[ip_interface("10.0.0.2/8")])
    content = networkmanager.files(Network([interface]))["eth0.nmconnection"]
    assert content == (
        "[connection]\nid=eth0\ntype=ethernet\ninterface-name=eth0\nautoconnect=true\nautoconnect-priority=989\n\n"
        "[ipv4]\nmethod=auto\n\n[ipv6]\nmethod=disabled\n"
    )


def test_one_gateway_a_family_for_networkmanager(capsys: pytest.CaptureFixture[str]) -> None:
    gateways = [ip_address(one) for one in ("10.0.0.1", "2001:db8::1", "2001:db8::2", "2001:db8::1", "10.0.0.1")]
    routes = [Route(ip_network("0.0.0.0/0" if one.version == 4 else "::/0"), one) for one in gateways]
    routes += [Route(ip_network("2001:db8:1::/48"), gateways[2]), Route(ip_interface("10.1.2.3/8"), gateways[0])]
    interface = Interface(name="eth0", addresses=[ip_interface("10.0.0.2/8"), ip_interface("2001:db8::9/64")], routes=routes)
    content = networkmanager.files(Network([interface]))["eth0.nmconnection"]
    assert content.partition("[ipv4]\n")[2] == (
        "method=manual\naddress1=10.0.0.2/8\ngateway=10.0.0.1\nroute1=10.1.2.3/8,10.0.0.1,0\n\n"
        "[ipv6]\nmethod=manual\naddress1=2001:db8::9/64\ngateway=2001:db8::1\nroute1=2001:db8:1::/48,2001:db8::2,0\n"
    )
    out = capsys.readouterr().out
    assert out.count("ignored") == 1 and "default route through 2001:db8::2 ignored" in out


def test_bond_without_mac_address_for_networkmanager() -> None:
    found = networkmanager.files(Network([Interface(name="bond0")], [Device("bond0", "bond")]))
    assert "[ethernet]" not in found["bond0.nmconnection"]


def test_files_are_written_beside_others(tmp_path: Path) -> None:
    units, profiles = tmp_path / "a" / "network", tmp_path / "profiles"
    units.mkdir(parents=True)
    (units / "99-mine.network").write_text("mine")
    write_networkd(str(units), BOND)
    write_networkmanager(str(profiles), BOND)
    assert {path.name for path in units.iterdir()} == {"99-mine.network", *files(BOND, METADATA)}
    assert {S_IMODE(path.stat().st_mode) for path in profiles.iterdir()} == {0o600}


def test_machine_without_network_metadata_gets_an_empty_directory(tmp_path: Path) -> None:
    write_networkd(str(tmp_path / "units"), Network())
    assert list((tmp_path / "units").iterdir()) == []
