"""Debian's /etc/network/interfaces as units. Source: docs/reference/coreos-cloudinit.md §17.1, §17.4."""

import pytest

from ignition.errors import Failure
from ignition.network.from_debian import network
from ignition.network.networkd import CLOUDINIT, files

STACKED = """
auto lo
iface lo inet loopback

# the bottom comes last
auto bond0.5
iface bond0.5 inet static
    address 10.0.5.2
    netmask 255.255.255.0
    gateway 10.0.5.1
    dns-nameservers 192.0.2.53 \\
        192.0.2.54
    hwaddress ether 00:1B:21:00:00:05
    post-up route add -net 10.1.0.0 netmask 255.255.0.0 gw 10.0.5.254
    post-up route add -net 10.2.0.0/16 gw 10.0.5.254
    post-up echo done
    post-up route add -net 10.3.0.0 gw 10.0.5.254
    pre-down route del default
    vlan_raw_device bond0
auto bond0
iface bond0 inet manual
    bond-slaves eth0 eth1
    bond-mode 4
    bond-miimon 100
    bond-lacp-rate 1
iface eth1 inet manual
iface eth2 inet6 dhcp
"""


def units(text: str) -> dict[str, str]:
    return files(network(text, "interfaces"), CLOUDINIT)


def test_vlan_over_bond_over_card() -> None:
    found = units(STACKED)
    assert found == {
        "00-bond0.5.netdev": "[NetDev]\nKind=vlan\nName=bond0.5\nMACAddress=00:1b:21:00:00:05\n\n[VLAN]\nId=5\n",
        "00-bond0.5.network": "[Match]\nName=bond0.5\n\n[Network]\nDNS=192.0.2.53\nDNS=192.0.2.54\n\n"
        "[Address]\nAddress=10.0.5.2/24\n\n[Route]\nDestination=0.0.0.0/0\nGateway=10.0.5.1\n\n"
        "[Route]\nDestination=10.1.0.0/16\nGateway=10.0.5.254\n\n[Route]\nDestination=10.2.0.0/16\nGateway=10.0.5.254\n",
        "00-eth2.network": "[Match]\nName=eth2\n\n[Network]\nDHCP=true\nKeepConfiguration=dhcp-on-stop\nIPv6AcceptRA=true\n",
        "01-bond0.netdev": "[NetDev]\nKind=bond\nName=bond0\n\n[Bond]\nLACPTransmitRate=fast\nMIIMonitorSec=.1\nMode=802.3ad\n",
        "01-bond0.network": "[Match]\nName=bond0\n\n[Network]\nVLAN=bond0.5\n",
        "02-eth0.network": "[Match]\nName=eth0\n\n[Network]\nBond=bond0\n",
        "02-eth1.network": "[Match]\nName=eth1\n\n[Network]\nBond=bond0\n",
    }
    assert [name.rpartition(".")[0][3:] for name in found if name.endswith(".network")] == sorted(
        ["bond0", "bond0.5", "eth0", "eth1", "eth2"]
    )


@pytest.mark.parametrize(
    ("text", "parent", "number"),
    [
        ("iface vlan17 inet manual\nvlan_raw_device eth0", "eth0", "17"),
        ("iface eth0.0100 inet dhcp", "eth0", "100"),
        ("iface a.b.3 inet dhcp\nvlan_raw_device eth9", "eth9", "3"),
    ],
)
def test_vlans_are_known_by_their_name_or_their_raw_device(text: str, parent: str, number: str) -> None:
    found = units(text)
    name = text.split()[1]
    assert found[f"00-{name}.netdev"].endswith(f"[VLAN]\nId={number}\n")
    assert found[f"01-{parent}.network"] == f"[Match]\nName={parent}\n\n[Network]\nVLAN={name}\n"


def test_a_card_carries_several_vlans_and_its_own_address() -> None:
    text = "iface eth0.2 inet manual\niface eth0.1 inet manual\niface eth0 inet static\naddress 10.0.0.2\nnetmask 255.0.0.0\n"
    assert units(text)["01-eth0.network"] == (
        "[Match]\nName=eth0\n\n[Network]\nVLAN=eth0.1\nVLAN=eth0.2\n\n[Address]\nAddress=10.0.0.2/8\n"
    )


def test_bond_without_slaves_of_its_own() -> None:
    assert units("iface bond1 inet dhcp\nbond-slaves none") == {
        "00-bond1.netdev": "[NetDev]\nKind=bond\nName=bond1\n",
        "00-bond1.network": "[Match]\nName=bond1\n\n[Network]\nDHCP=true\nKeepConfiguration=dhcp-on-stop\nIPv6AcceptRA=true\n",
    }


def test_last_stanza_of_a_name_and_last_line_of_an_option_count() -> None:
    text = "iface eth0 inet dhcp\niface eth0 inet static\naddress 10.0.0.1\naddress 10.0.0.2\nnetmask 255.255.255.0\n"
    assert units(text) == {"00-eth0.network": "[Match]\nName=eth0\n\n[Network]\n\n[Address]\nAddress=10.0.0.2/24\n"}


def test_file_with_windows_line_ends_is_the_same() -> None:
    assert units(STACKED.replace("\n", "\r\n")) == units(STACKED)


def test_nothing_but_loopback_is_nothing() -> None:
    assert units("") == units("auto lo\niface lo inet loopback\n") == {}


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("address 10.0.0.1", "address is outside any stanza", "line 1"),
        ("auto eth0\nmapping eth0\n", "unsupported stanza mapping", "line 2"),
        ("\n#\nallow-hotplug eth0", "unsupported stanza allow-hotplug", "line 3"),
        ("iface eth0 inet", "iface requires a name, a family and a method", "line 1"),
        ("iface eth0 inet dhcp extra", "iface requires a name, a family and a method", "line 1"),
        ("iface eth0 inet ppp", "unsupported method ppp of eth0", "line 1"),
        ("iface eth0 inet static\naddress 10.0.0.1", "eth0 is static but lacks an address or a netmask", "line 1"),
        ("iface eth0 inet static\nnetmask 255.0.0.0", "eth0 is static but lacks an address or a netmask", "line 1"),
        ("iface e inet static\naddress 10.0.0.1\nnetmask 24", "e is static but lacks an address or a netmask", "line 1"),
        ("iface e inet static\naddress 1.2.3.4 5\nnetmask 255.0.0.0", "e is static but lacks an address", "line 1"),
        ("iface e inet static\naddress 10.0.0\nnetmask 255.0.0.0", "'10.0.0' is not an IP address", "line 1 address"),
        ("iface e inet static\naddress 10.0.0.1\nnetmask 255.0.255.0", "'255.0.255.0' is not a netmask", "line 1 address"),
        ("iface e inet static\naddress 1.2.3.4\nnetmask 255.0.0.0\ngateway x", "'x' is not an IP address", "line 1 gateway"),
        (
            "iface e inet static\naddress 1.2.3.4\nnetmask 255.0.0.0\ndns-nameservers x",
            "'x' is not an IP",
            "line 1 dns-nameservers",
        ),
        ("iface e.1 inet dhcp\nhwaddress ether 00:11", "00:11 is not a MAC address", "line 1 hwaddress"),
        ("iface e inet dhcp\nhwaddress ether 00:11", "00:11 is not a MAC address", "line 1 hwaddress"),
        ("\niface e.x inet dhcp", "the VLAN name e.x has no number", "line 2"),
        (f"iface e.{'1' * 100} inet dhcp", "has no number", "line 1"),
        (f"iface b inet dhcp\nbond-slaves e\nbond-mode {'1' * 5000}", "unknown value", "line 1 bond mode"),
        (f"iface b inet dhcp\nbond-slaves e\nbond-miimon {'1' * 5000}", "is not a number of milliseconds", "line 1 bond miimon"),
        ("iface e.4095 inet dhcp", "the VLAN name e.4095 has no number", "line 1"),
        ("iface net5 inet dhcp\nvlan_raw_device e", "the VLAN name net5 has no number", "line 1"),
        ("iface 17 inet dhcp\nvlan_raw_device e", "the VLAN name 17 has no number", "line 1"),
        ("iface b inet dhcp\nbond-slaves e\nbond-mode best", "unknown value 'best'", "line 1 bond mode"),
        ("iface b inet dhcp\nbond-slaves e\nbond-miimon 1s", "'1s' is not a number of milliseconds", "line 1 bond miimon"),
        ("iface b inet dhcp\nbond-slaves b", "b is stacked on itself", "line 1"),
        ("iface b inet dhcp\nbond-slaves c\niface c inet dhcp\nbond-slaves b", "b is stacked on itself", "line 1"),
        ("iface b inet dhcp\nbond-slaves e\niface c inet dhcp\nbond-slaves e", "e is a slave of b and of c", "line 1"),
        ("iface e/x inet dhcp", "'e/x' is not a valid interface name", "line 1"),
    ],
)
def test_what_makes_no_sense_fails_with_its_line(text: str, message: str, place: str) -> None:
    with pytest.raises(Failure) as caught:
        network(text, "interfaces")
    assert message in caught.value.what
    assert caught.value.where == f"interfaces {place}"


def test_name_of_a_device_that_is_none_fails() -> None:
    with pytest.raises(Failure, match="is not a valid interface name"):
        network("iface a=b.1 inet dhcp\nvlan_raw_device e", "interfaces")
