"""What is particular about DigitalOcean: numbering, spelling of addresses, network. The rest: samples/digitalocean.py."""

import pytest

from ignition.errors import Failure
from tests.fetch.server import Reply
from tests.platforms import networks, samples
from tests.platforms.samples.digitalocean import PRIVATE, PUBLIC, droplet
from tests.platforms.test_samples import attributes_of, described, read, service

SAMPLE = samples.load("digitalocean")
DOCUMENT = "/metadata/v1.json"
PUBLIC_UNIT = """\
[Match]
MACAddress=54:11:00:00:00:02

[Network]
DNS=203.0.113.53
DNS=203.0.113.54

[Address]
Address=198.51.100.7/24

[Address]
Address=2001:db8:2:d0::10:4001/64

[Address]
Address=10.19.0.5/16

[Route]
Destination=198.51.100.7/24
Gateway=198.51.100.1

[Route]
Destination=0.0.0.0/0
Gateway=198.51.100.1

[Route]
Destination=2001:db8:2:d0::10:4001/64
Gateway=2001:db8:2:d0::1

[Route]
Destination=::/0
Gateway=2001:db8:2:d0::1

[Route]
Destination=10.19.0.5/16
Gateway=10.19.0.1
"""
PRIVATE_UNIT = """\
[Match]
MACAddress=54:11:00:00:00:01

[Network]
DNS=203.0.113.53
DNS=203.0.113.54

[Address]
Address=10.114.0.2/20

[Route]
Destination=10.114.0.2/20
Gateway=10.114.0.1
"""


def units(body: bytes) -> dict[str, str]:
    return networks.units("digitalocean", {"v1.json": body})


def test_public_and_private_interfaces() -> None:
    assert units(droplet()) == {
        "10-54:11:00:00:00:02.network": PUBLIC_UNIT,
        "10-54:11:00:00:00:01.network": PRIVATE_UNIT,
    }


def test_entries_of_one_card_are_joined_the_later_first() -> None:
    second = {**PRIVATE, "mac": "54:11:00:00:00:01", "ipv4": PRIVATE["ipv4"] | {"ip_address": "10.114.0.9"}}
    (unit,) = units(droplet(private=[PRIVATE, second], public=[])).values()
    assert [line for line in unit.splitlines() if line.startswith(("Address", "Dest"))] == [
        "Address=10.114.0.9/20",
        "Address=10.114.0.2/20",
        "Destination=10.114.0.9/20",
        "Destination=10.114.0.2/20",
    ]


def test_private_entry_of_the_public_card_takes_its_file() -> None:
    found = units(droplet(private=[PRIVATE | {"mac": PUBLIC["mac"]}]))
    assert found == {"10-54:11:00:00:00:02.network": PRIVATE_UNIT.replace("00:01", "00:02")}


def test_only_the_type_gives_a_default_route() -> None:
    (unit,) = units(droplet(private=[], public=[PUBLIC | {"type": "other"}])).values()
    assert "/0" not in unit


@pytest.mark.parametrize("interfaces", [{}, {"private": None}])
def test_machine_without_interfaces(interfaces: object) -> None:
    assert units(droplet(interfaces=interfaces)) == {}


@pytest.mark.parametrize(
    ("changes", "what", "where"),
    [
        ({"mac": None}, "the metadata has no mac", "interfaces.private.0 of v1.json"),
        (
            {"ipv4": {"ip_address": "10.1.1.1", "gateway": "10.1.1.2"}},
            "the metadata has no netmask",
            "ipv4 of interfaces.private.0 of v1.json",
        ),
        (
            {"ipv6": {"ip_address": "2001:db8::1", "netmask": "64", "gateway": "fe80::1"}},
            "the metadata has no cidr",
            "ipv6 of interfaces.private.0 of v1.json",
        ),
        (
            {"ipv4": {"ip_address": "10.1.1.1", "netmask": "255.255.0.0"}},
            "None is not an IP address",
            "ipv4 of interfaces.private.0 of v1.json",
        ),
    ],
)
def test_network_that_lacks_something_is_refused(changes: dict[str, object], what: str, where: str) -> None:
    with pytest.raises(Failure) as caught:
        units(droplet(private=[PRIVATE | changes]))
    assert (caught.value.what, caught.value.where) == (what, where)


@pytest.mark.root
def test_addresses_are_numbered_as_their_interfaces() -> None:
    """As in Afterburn: an interface without the address leaves its number out."""
    only_v6 = {"ipv6": PUBLIC["ipv6"], "mac": "54:11:00:00:00:03", "type": "public"}
    with service(SAMPLE, {DOCUMENT: Reply(body=droplet(public=[only_v6, PUBLIC]))}):
        found = attributes_of("digitalocean")
    assert {name.removeprefix("COREOS_DIGITALOCEAN_") for name in found if name.startswith("COREOS") and "PUBLIC" in name} == {
        "IPV6_PUBLIC_0",
        "IPV4_PUBLIC_1",
        "IPV6_PUBLIC_1",
    }
    assert "COREOS_DIGITALOCEAN_IPV4_ANCHOR_1" in found


@pytest.mark.root
def test_address_that_is_none_is_refused() -> None:
    broken = PUBLIC | {"ipv6": {"ip_address": "x"}}
    with service(SAMPLE, {DOCUMENT: Reply(body=droplet(public=[broken]))}), pytest.raises(Failure) as caught:
        read("digitalocean", described)
    assert (caught.value.what, caught.value.where) == ("'x' is not an IP address", "public[].ipv6 of v1.json")


@pytest.mark.root
@pytest.mark.parametrize("member", ["hostname", "region"])
def test_document_without_a_member_is_refused_at_once(member: str) -> None:
    with service(SAMPLE, {DOCUMENT: Reply(body=droplet(**{member: None}))}) as server, pytest.raises(Failure) as caught:
        read("digitalocean", described)
    assert (caught.value.what, caught.value.where) == (f"the metadata has no {member}", "v1.json")
    assert len(server.requests) == 1


@pytest.mark.root
def test_absent_document_is_waited_for() -> None:
    with service(SAMPLE, {DOCUMENT: [Reply(404), SAMPLE.answers[DOCUMENT]]}):
        assert read("digitalocean", lambda reader: reader.hostname()) == "web-1"
