"""Packet's network as units. Source: docs/reference/coreos-cloudinit.md §17.3, §17.4."""

import pytest

from ignition.cloudinit.network.packet import network
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher, Settings
from ignition.metadata.reader import Reader
from ignition.network.networkd import CLOUDINIT, files
from ignition.platforms.packet import PLATFORM
from tests.platforms.samples.packet import machine

SERVERS = "DNS=8.8.8.8\nDNS=8.8.4.4\n"


def units(document: bytes) -> dict[str, str]:
    return files(network(Reader(PLATFORM.metadata[0], {"metadata": document}.get, Fetcher(Settings(), offline=True))), CLOUDINIT)


def test_all_cards_are_in_one_bond_that_has_all_addresses() -> None:
    assert units(machine()) == {
        "00-bond0.netdev": "[NetDev]\nKind=bond\nName=bond0\nMACAddress=ec:0d:9a:00:00:01\n\n"
        "[Bond]\nDownDelaySec=.2\nLACPTransmitRate=fast\nMIIMonitorSec=.2\nMode=802.3ad\nUpDelaySec=.2\n",
        "00-eth0.network": f"[Match]\nName=eth0\n\n[Network]\nBond=bond0\n{SERVERS}",
        "01-eth1.network": f"[Match]\nName=eth1\n\n[Network]\nBond=bond0\n{SERVERS}",
        "00-bond0.network": f"[Match]\nName=bond0\n\n[Network]\n{SERVERS}\n"
        "[Address]\nAddress=198.51.100.11/31\n\n[Address]\nAddress=2001:db8:1::3/127\n\n[Address]\nAddress=10.80.0.3/31\n\n"
        "[Route]\nDestination=0.0.0.0/0\nGateway=198.51.100.10\n\n[Route]\nDestination=::/0\nGateway=2001:db8:1::2\n\n"
        "[Route]\nDestination=10.0.0.0/8\nGateway=10.80.0.2\n",
    }


@pytest.mark.parametrize(("dns", "lines"), [(["192.0.2.53"], ["DNS=192.0.2.53"]), ([], [])])
def test_name_servers_are_those_of_the_metadata(dns: list[str], lines: list[str]) -> None:
    found = units(machine(dns=dns))["00-eth0.network"]
    assert [line for line in found.splitlines() if line.startswith("DNS=")] == lines


def test_cards_are_numbered_in_hexadecimal() -> None:
    cards = [{"name": f"eth{number}", "mac": f"ec:0d:9a:00:00:{number:02x}"} for number in range(11)]
    assert "0a-eth10.network" in units(machine(interfaces=cards))


@pytest.mark.parametrize(
    ("changes", "message", "place"),
    [
        ({"interfaces": []}, "the metadata has no interfaces", "network.interfaces of metadata"),
        ({"interfaces": [{"mac": "ec:0d:9a:00:00:01"}]}, "the metadata has no name", "network.interfaces of metadata"),
        ({"interfaces": [{"name": "eth0"}]}, "the metadata has no mac", "network.interfaces of metadata"),
        ({"dns": ["x"]}, "'x' is not an IP address", "network.dns of metadata"),
        ({"addresses": [{"address": "10.0.0.1"}]}, "the metadata has no netmask", "network of metadata"),
    ],
    ids=["no interfaces", "no name", "no mac", "no server", "no netmask"],
)
def test_network_that_makes_no_sense_fails(changes: dict[str, object], message: str, place: str) -> None:
    with pytest.raises(Failure) as caught:
        units(machine(**changes))
    assert (caught.value.what, caught.value.where) == (message, place)
