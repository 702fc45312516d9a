"""VMware's properties: a stand-in for vmware-rpctool keeps them in files, or an OVF environment has them."""

import base64
import gzip
from pathlib import Path

import pytest

from ignition.cloudinit.datasources import Metadata, http
from ignition.cloudinit.datasources.vmware import GuestInfo, OvfEnvironment, VMware
from ignition.errors import Failure
from ignition.network.networkd import CLOUDINIT, files
from tests.fetch.server import Reply, serving
from tests.platforms.programs import Programs, programs
from tests.platforms.test_vmware import environment, put, values

__all__ = ["programs", "values"]
USER_DATA = b"#cloud-config\nhostname: web-1\n"
PACKED = base64.b64encode(gzip.compress(USER_DATA)).decode()
NETWORK = {
    "hostname": "web-1",
    "dns.server.0": "192.0.2.53",
    "dns.server.1": "2001:db8::53",
    "dns.server.3": "192.0.2.99",
    "dns.domain.0": "example.com",
    "dns.domain.1": "example.net",
    "interface.0.name": "ens192",
    "interface.0.mac": "00:50:56:00:00:01",
    "interface.0.dhcp": "no",
    "interface.0.role": "public",
    "interface.0.ip.0.address": "198.51.100.5/24",
    "interface.0.ip.1.address": "2001:db8::5/64",
    "interface.0.route.0.destination": "0.0.0.0/0",
    "interface.0.route.0.gateway": "198.51.100.1",
    "interface.1.mac": "00:50:56:00:00:02",
    "interface.1.role": "private",
    "interface.1.ip.0.address": "10.0.0.5/24",
    "interface.1.ip.1.address": "10.0.0.6/24",
    "interface.3.name": "after-the-hole",
    "interface.3.dhcp": "yes",
}


def guest(values: Path, properties: dict[str, str]) -> GuestInfo:
    for key, text in properties.items():
        (values / f"guestinfo.{key}").write_text(text)
    return GuestInfo()


def ovf(path: Path, properties: dict[str, str]) -> OvfEnvironment:
    path.write_text(environment(**{key.replace(".", "_"): text for key, text in properties.items()}))
    return OvfEnvironment(str(path))


def test_guestinfo_is_there_if_the_host_answers(values: Path) -> None:
    source = GuestInfo()
    assert (source.name, source.final, source.available()) == ("vmware", True, True)
    found = source.metadata()
    assert (source.user_data(), found.evolve(network=None)) == (b"", Metadata())
    assert found.network and files(found.network.convert(), CLOUDINIT) == {}, "the preset converts on every machine"


def test_guestinfo_is_not_there_without_a_host(programs: Programs) -> None:
    programs(vmware_rpctool="echo Failed to send; exit 1")
    assert not GuestInfo().available()


def test_guestinfo_is_not_there_without_its_program() -> None:
    assert not GuestInfo().available()


def test_ovf_environment_is_there_if_its_file_is(tmp_path: Path) -> None:
    source = OvfEnvironment(str(tmp_path / "ovf-env.xml"))
    assert (source.name, source.final, source.available()) == ("vmware", True, False)
    assert ovf(tmp_path / "ovf-env.xml", {}).available()


@pytest.fixture(params=["guestinfo", "OVF environment of guestinfo", "OVF environment in a file"])
def source(request: pytest.FixtureRequest, values: Path, tmp_path: Path) -> VMware:
    """All properties of the network, and user data, in each of the places."""
    whole = {**NETWORK, "coreos.config.data": PACKED, "coreos.config.data.encoding": "gzip+base64"}
    if request.param == "guestinfo":
        return guest(values, whole)
    text = environment(**{key.replace(".", "_"): value for key, value in whole.items()})
    if request.param == "OVF environment in a file":
        path = tmp_path / "ovf-env.xml"
        path.write_text(text)
        return OvfEnvironment(str(path))
    return guest(values, {"ovfenv": text, "hostname": "not-this-one", "ignition.config.data": "not this"})


def test_properties_are_read_wherever_they_are(source: VMware) -> None:
    assert source.user_data() == USER_DATA
    found = source.metadata()
    assert found.evolve(network=None) == Metadata(
        hostname="web-1", public_ipv4="198.51.100.5", public_ipv6="2001:db8::5", private_ipv4="10.0.0.6"
    )


def test_network_of_properties_becomes_units(source: VMware) -> None:
    found = source.metadata().network
    assert found and found.format == "vmware"
    servers = "Domains=example.com example.net\nDNS=192.0.2.53\nDNS=2001:db8::53\n"
    assert files(found.convert(), CLOUDINIT) == {
        "00-ens192.network": f"[Match]\nName=ens192\nMACAddress=00:50:56:00:00:01\n\n[Network]\n{servers}\n"
        "[Address]\nAddress=198.51.100.5/24\n\n[Address]\nAddress=2001:db8::5/64\n\n"
        "[Route]\nDestination=0.0.0.0/0\nGateway=198.51.100.1\n",
        "00-00:50:56:00:00:02.network": f"[Match]\nMACAddress=00:50:56:00:00:02\n\n[Network]\n{servers}\n"
        "[Address]\nAddress=10.0.0.5/24\n\n[Address]\nAddress=10.0.0.6/24\n",
    }


def test_ignition_names_come_first_and_data_before_urls(values: Path) -> None:
    both = {"coreos.config.data": "#!/bin/sh coreos", "ignition.config.url": "http://127.0.0.1:1/"}
    assert guest(values, both).user_data() == b"#!/bin/sh coreos"
    assert guest(values, {"ignition.config.data": "#!/bin/sh ignition"}).user_data() == b"#!/bin/sh ignition"


def test_user_data_at_a_url_is_fetched_and_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "SETTINGS", http.SETTINGS.evolve(first_pause_s=0.01))
    with serving({"/u": [Reply(503), Reply(body=USER_DATA)]}) as server:
        path = tmp_path / "ovf-env.xml"
        source = ovf(path, {"coreos.config.url": f"{server.url}/u", "coreos.config.data.encoding": "base64"})
        assert source.user_data() == USER_DATA
        assert server.requests[0].headers["User-Agent"].startswith("coreos-cloudinit/")


def test_unknown_encoding_is_refused(values: Path) -> None:
    with pytest.raises(Failure, match="unknown encoding 'rot13'") as caught:
        guest(values, {"coreos.config.data": "x", "coreos.config.data.encoding": "rot13"}).user_data()
    assert caught.value.where == "guestinfo.coreos.config.data.encoding"


def test_ovf_environment_that_is_missing_fails_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="^.*: the file does not exist") as caught:
        OvfEnvironment(str(tmp_path / "none.xml")).user_data()
    assert caught.value.where == str(tmp_path / "none.xml")


def test_ovf_environment_that_is_not_utf_8(tmp_path: Path) -> None:
    source = ovf(tmp_path / "ovf-env.xml", {"hostname": "a"})
    text = (tmp_path / "ovf-env.xml").read_bytes()
    (tmp_path / "ovf-env.xml").write_bytes(text + b"<!-- \xe9 -->")
    assert source.metadata().hostname == "a"


def test_ovf_environment_that_is_no_xml_fails_with_its_place(values: Path, tmp_path: Path) -> None:
    put(values, ovfenv="<Environment")
    with pytest.raises(Failure, match="the OVF environment is not valid XML") as caught:
        GuestInfo().user_data()
    assert caught.value.where == "guestinfo.ovfenv"
    (tmp_path / "ovf-env.xml").write_text("<Environment")
    with pytest.raises(Failure, match="the OVF environment is not valid XML") as caught:
        OvfEnvironment(str(tmp_path / "ovf-env.xml")).metadata()
    assert caught.value.where == str(tmp_path / "ovf-env.xml")


@pytest.mark.parametrize(
    ("key", "text", "message", "place"),
    [
        ("role", "internal", "unknown role 'internal'", "role"),
        ("ip.0.address", "198.51.100.5", "'198.51.100.5' is an IP address without a prefix length", "ip.0.address"),
        ("ip.0.address", "198.51.100.5/99", "'198.51.100.5/99' is not an IP address with a prefix length", "ip.0.address"),
    ],
)
def test_role_or_address_that_is_none_fails(values: Path, key: str, text: str, message: str, place: str) -> None:
    found = guest(values, {**NETWORK, "hostname": "web", f"interface.0.{key}": text}).metadata()
    assert found.hostname == "web"
    assert [(one.what, one.where) for one in found.problems] == [(message, f"guestinfo.interface.0.{place}")]


@pytest.mark.parametrize(
    ("changes", "message", "place"),
    [
        ({"interface.0.dhcp": "perhaps"}, "'perhaps' is neither yes nor no", "interface.0.dhcp"),
        ({"interface.0.mac": "00:50"}, "'00:50' is not a valid MAC address", "interface.0"),
        ({"interface.0.route.0.gateway": "x"}, "'x' is not an IP address", "interface.0.route.0.gateway"),
        ({"interface.0.route.0.destination": ""}, "the route lacks a destination or a gateway", "interface.0.route.0"),
        ({"interface.0.route.0.destination": "10.0.0.0"}, "without a prefix length", "interface.0.route.0.destination"),
        ({"interface.0.name": "", "interface.0.mac": ""}, "neither name nor MAC address", "interface.0"),
        ({"dns.server.1": "dns.example"}, "'dns.example' is not an IP address", "dns.server.1"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_network_that_makes_no_sense_fails(values: Path, changes: dict[str, str], message: str, place: str) -> None:
    found = guest(values, {**NETWORK, **changes}).metadata().network
    assert found
    with pytest.raises(Failure, match=message) as caught:
        found.convert()
    assert caught.value.where == place


def converted(values: Path, properties: dict[str, str]) -> dict[str, str]:
    found = guest(values, properties).metadata().network
    assert found
    return files(found.convert(), CLOUDINIT)


def test_dhcp_has_no_dns_lines(values: Path) -> None:
    found = converted(values, {"dns.server.0": "192.0.2.53", "interface.0.name": "ens192", "interface.0.dhcp": "yes"})
    assert found == {
        "00-ens192.network": "[Match]\nName=ens192\n\n[Network]\nDHCP=true\nKeepConfiguration=dhcp-on-stop\nIPv6AcceptRA=true\n"
    }


def test_static_wins_over_dhcp(values: Path) -> None:
    assert "DHCP" not in converted(values, {**NETWORK, "interface.0.dhcp": "yes"})["00-ens192.network"]


def test_first_interface_without_anything_to_set_up_ends_the_list(values: Path) -> None:
    properties = {"interface.0.name": "a", "interface.0.dhcp": "no", "interface.1.name": "b", "interface.1.dhcp": "yes"}
    assert converted(values, properties) == {}


def test_a_role_alone_is_no_interface(values: Path) -> None:
    assert converted(values, {"interface.0.role": "public", "interface.1.name": "b", "interface.1.dhcp": "yes"}) == {}
