"""What is particular about Hetzner: YAML, the network, the public IPv6 address. The rest: samples/hetzner.py."""

import pytest

from ignition import platforms
from ignition.errors import Failure
from ignition.metadata.reader import Reader
from tests.fetch.server import Reply
from tests.platforms import networks, samples
from tests.platforms.samples.hetzner import DATA, NETWORK, SERVER
from tests.platforms.test_samples import attributes_of, described, read, service

SAMPLE = samples.load("hetzner")
UNIT = """\
[Match]
Name=eth0
MACAddress=96:00:00:00:00:01

[Network]
DHCP=ipv4
DNS=2001:db8::53

[Address]
Address=2001:db8:5::1/64

[Route]
Destination=::/0
Gateway=fe80::1
"""


def units(network: str) -> dict[str, str]:
    return networks.units("hetzner", {"metadata/network-config": network.encode()})


def test_network() -> None:
    assert units(NETWORK) == {"20-eth0.network": UNIT}


@pytest.mark.parametrize(
    ("subnets", "dhcp"),
    [
        ("[{type: dhcp, ipv4: true}]", "DHCP=ipv4"),
        ("[{type: dhcp, ipv6: true}]", "DHCP=ipv6"),
        ("[{type: dhcp}, {type: dhcp, ipv6: true}]", "DHCP=yes"),
    ],
)
def test_member_ipv6_says_the_family_of_dhcp(subnets: str, dhcp: str) -> None:
    (unit,) = units(f"config: [{{type: physical, name: eth0, subnets: {subnets}}}]").values()
    assert [line for line in unit.splitlines() if line.startswith("DHCP")] == [dhcp]


def test_static_address_with_netmask() -> None:
    subnet = "{type: static, address: 198.51.100.9, netmask: 255.255.255.128, gateway: 198.51.100.1}"
    (unit,) = units(f"config: [{{type: physical, name: eth0, subnets: [{subnet}]}}]").values()
    assert "Address=198.51.100.9/25\n" in unit
    assert "Destination=0.0.0.0/0\nGateway=198.51.100.1\n" in unit


@pytest.mark.root
def test_netplan() -> None:
    def netplan(reader: Reader) -> object:
        (table,) = platforms.metadata("hetzner")
        assert table.netplan
        return table.netplan(reader)

    with service(SAMPLE):
        assert read("hetzner", netplan) == {
            "network": {
                "version": 2,
                "ethernets": {
                    "eth0": {
                        "dhcp4": True,
                        "addresses": ["2001:db8:5::1/64"],
                        "routes": [{"to": "::/0", "via": "fe80::1"}],
                        "nameservers": {"addresses": ["2001:db8::53"]},
                    }
                },
            }
        }


@pytest.mark.root
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("type: physical", "type: bond"),
        ("ipv6: true", "ipv6: false"),
        ('address: "2001:db8:5::1/64", ', ""),
        ("  config:", "  other:"),
        ("network-config:", "other:"),
    ],
)
def test_server_without_public_ipv6(old: str, new: str) -> None:
    with service(SAMPLE, {DATA: Reply(body=SERVER.replace(old, new).encode())}):
        found = attributes_of("hetzner")
    assert "AFTERBURN_HETZNER_PUBLIC_IPV6" not in found
    assert found["AFTERBURN_HETZNER_PUBLIC_IPV4"] == "198.51.100.30"


@pytest.mark.root
@pytest.mark.parametrize(
    "address, said",
    [
        ("fe80::x/64", "ignored: network-config of metadata: 'fe80::x' is not an IP address"),
        ("zz", "ignored: network-config of metadata: 'zz' is not an IP address"),
        ("198.51.100.30/24", "network-config of metadata: 198.51.100.30 is not an IPv6 address: ignored"),
    ],
)
def test_public_ipv6_that_is_none_is_left_out(address: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As in Afterburn, which logs it."""
    body = SERVER.replace("2001:db8:5::1/64", address).encode()
    with service(SAMPLE, {DATA: Reply(body=body)}):
        found = attributes_of("hetzner")
    assert SAMPLE.attributes
    assert found == {name: value for name, value in SAMPLE.attributes.items() if not name.endswith("_PUBLIC_IPV6")}
    assert said in capsys.readouterr().out


@pytest.mark.root
@pytest.mark.parametrize("body", [b"", b"[]", b"~"])
def test_server_without_private_networks(body: bytes) -> None:
    with service(SAMPLE, {f"{DATA}/private-networks": Reply(body=body)}):
        found = attributes_of("hetzner")
    assert not [name for name in found if "PRIVATE" in name]


@pytest.mark.root
def test_document_that_is_no_yaml_is_refused() -> None:
    with service(SAMPLE, {DATA: Reply(body=b"a: [")}), pytest.raises(Failure) as caught:
        read("hetzner", described)
    assert (caught.value.what, caught.value.where) == ("the metadata is not valid YAML", "metadata")
