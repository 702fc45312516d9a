"""Network documents of platforms (cloud-init 1 and 2, OpenStack): what is understood, what is left out, what is refused."""

import json

import pytest

from ignition import platforms
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from ignition.host import log
from ignition.metadata.table import opened
from ignition.metadata.yaml_text import parse
from ignition.network import from_cloud_init, from_openstack, kernel_arguments, netplan
from ignition.network.model import Interface, Network
from tests.platforms import samples
from tests.platforms.drives import Machine, machine

__all__ = ["machine"]
OFFLINE = Fetcher(Settings(), offline=True)
HERE = "network-config"
Shown = dict[str, object]


def shown(interface: Interface) -> Shown:
    """What differs from an interface that nobody has set up."""
    found: Shown = {"id": interface.id, "mac": interface.mac if interface.name else "", "dhcp": interface.dhcp}
    found["addresses"] = [str(one) for one in interface.addresses]
    found["routes"] = [f"{route.destination} via {route.gateway}" for route in interface.routes]
    found["dns"] = [str(one) for one in interface.nameservers]
    return {key: value for key, value in found.items() if value}


def cloud_init(text: str) -> list[Shown]:
    return [shown(one) for one in from_cloud_init.network(parse(text), HERE).interfaces]


def physical(*subnets: str, more: str = "") -> str:
    return f"config: [{{type: physical, name: eth0, subnets: [{', '.join(subnets)}]}}{more}]"


@pytest.mark.parametrize(
    ("subnets", "expected"),
    [
        pytest.param(("{type: static, address: 192.0.2.2/24}",), {"addresses": ["192.0.2.2/24"]}, id="prefix"),
        pytest.param(
            ("{type: static, address: 192.0.2.2, netmask: 255.255.255.0}",), {"addresses": ["192.0.2.2/24"]}, id="netmask"
        ),
        pytest.param(("{type: static, address: 192.0.2.2, netmask: 24}",), {"addresses": ["192.0.2.2/24"]}, id="length"),
        pytest.param(
            ("{type: static6, address: '2001:db8::2/64', gateway: 'fe80::1'}",),
            {"addresses": ["2001:db8::2/64"], "routes": ["::/0 via fe80::1"]},
            id="IPv6",
        ),
        pytest.param(
            (
                "{type: static, address: 192.0.2.2/24, gateway: 192.0.2.1,"
                " routes: [{destination: 10.0.0.0/8, gateway: 192.0.2.9},"
                " {network: 10.9.0.0, netmask: 255.255.0.0, gateway: 192.0.2.8}]}",
            ),
            {"addresses": ["192.0.2.2/24"], "routes": ["10.0.0.0/8 via 192.0.2.9", "10.9.0.0/16 via 192.0.2.8"]},
            id="routes switch off the gateway",
        ),
        pytest.param(
            ("{type: static, address: 192.0.2.2/24, dns_nameservers: [192.0.2.53, '2001:db8::53']}",),
            {"addresses": ["192.0.2.2/24"], "dns": ["192.0.2.53", "2001:db8::53"]},
            id="servers of the subnet",
        ),
        pytest.param(("{type: static}",), {}, id="no address"),
        pytest.param(("{type: dhcp}",), {"dhcp": "ipv4"}, id="dhcp"),
        pytest.param(("{type: dhcp4}",), {"dhcp": "ipv4"}, id="dhcp4"),
        pytest.param(("{type: dhcp6}",), {"dhcp": "ipv6"}, id="dhcp6"),
        pytest.param(("{type: dhcp4}", "{type: dhcp6}"), {"dhcp": "yes"}, id="dhcp of both families"),
        pytest.param(("{type: dhcp, ipv4: true}",), {"dhcp": "ipv4"}, id="dhcp marked as IPv4"),
        pytest.param(("{type: dhcp, ipv6: true}",), {"dhcp": "ipv6"}, id="dhcp marked as IPv6"),
        pytest.param(("{type: manual}",), {}, id="manual"),
    ],
)
def test_version_1_subnets(subnets: tuple[str, ...], expected: Shown) -> None:
    assert cloud_init(physical(*subnets)) == [{"id": "eth0", **expected}]


def test_version_1_name_servers_are_of_every_interface() -> None:
    servers = ", {type: nameserver, address: [192.0.2.53]}, {type: nameserver, address: 192.0.2.54}"
    assert cloud_init(physical("{type: dhcp}", more=f", {{type: physical, name: eth1}}{servers}")) == [
        {"id": "eth0", "dhcp": "ipv4", "dns": ["192.0.2.53", "192.0.2.54"]},
        {"id": "eth1", "dns": ["192.0.2.53", "192.0.2.54"]},
    ]


@pytest.mark.parametrize("text", ["", "{}", "network: {version: 2}", "config: []", "{version: 1, config: null}"])
def test_document_without_network_cards(text: str) -> None:
    assert cloud_init(text) == []


@pytest.mark.parametrize(
    ("entry", "warning"),
    [
        ("{type: bond, name: bond0}", "network-config: entry of type bond ignored: only network cards are supported"),
        ("{type: physical}", "network-config: a physical entry ignored: it has neither a name nor a MAC address"),
    ],
)
def test_version_1_leaves_out_what_is_no_network_card(
    entry: str, warning: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log.configure(stage="", to_stdout=True)
    assert cloud_init(f"config: [{entry}]") == []
    assert warning in capsys.readouterr().out


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param("eth0: {dhcp4: true}", {"id": "eth0", "dhcp": "ipv4"}, id="dhcp4"),
        pytest.param("eth0: {dhcp4: yes, dhcp6: true}", {"id": "eth0", "dhcp": "yes"}, id="dhcp of both families"),
        pytest.param("eth0: {dhcp4: false}", {"id": "eth0"}, id="no dhcp"),
        pytest.param("ens3: {dhcp4: true}", {"id": "ens3", "dhcp": "ipv4"}, id="any name without match"),
        pytest.param("id0: {match: {macaddress: '06:AA:BB:CC:DD:02'}}", {"id": "06:aa:bb:cc:dd:02"}, id="by MAC address"),
        pytest.param("id0: {match: {macaddress: 06:11:22:33:44:02}}", {"id": "06:11:22:33:44:02"}, id="no number of base 60"),
        pytest.param(
            "eth0: {match: {macaddress: '06:aa:bb:cc:dd:02'}}", {"id": "eth0", "mac": "06:aa:bb:cc:dd:02"}, id="by both"
        ),
        pytest.param(
            "eth0: {addresses: [192.0.2.2/24, {'2001:db8::2/64': {lifetime: 0}}], gateway4: 192.0.2.1, gateway6: 'fe80::1'}",
            {
                "id": "eth0",
                "addresses": ["192.0.2.2/24", "2001:db8::2/64"],
                "routes": ["0.0.0.0/0 via 192.0.2.1", "::/0 via fe80::1"],
            },
            id="addresses and gateways",
        ),
        pytest.param(
            "eth0: {gateway4: 192.0.2.1, routes: [{to: 10.0.0.0/8, via: 192.0.2.9}, {to: default, via: 192.0.2.8}]}",
            {"id": "eth0", "routes": ["10.0.0.0/8 via 192.0.2.9", "0.0.0.0/0 via 192.0.2.8"]},
            id="routes switch off the gateways",
        ),
        pytest.param("eth0: {nameservers: {addresses: [192.0.2.54]}}", {"id": "eth0", "dns": ["192.0.2.54"]}, id="servers"),
    ],
)
@pytest.mark.parametrize("wrap", ["{}", "network: {}"])
def test_version_2_ethernets(entry: str, expected: Shown, wrap: str) -> None:
    assert cloud_init(wrap.format(f"{{version: 2, ethernets: {{{entry}}}}}")) == [expected]


def test_version_2_name_servers_at_the_top_are_of_every_interface() -> None:
    text = "{nameservers: {addresses: [192.0.2.53]}, ethernets: {eth0: {nameservers: {addresses: [192.0.2.54]}}, eth1: {}}}"
    assert cloud_init(text) == [{"id": "eth0", "dns": ["192.0.2.54", "192.0.2.53"]}, {"id": "eth1", "dns": ["192.0.2.53"]}]


NO_NETMASK, NO_ADDRESS = "is not a netmask or prefix length of an IPv4 address", "is not an IP address"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[]", "the document is not an object"),
        ("config: {}", "config is not a list of objects"),
        ("config: [1]", "config is not a list of objects"),
        ("ethernets: []", "ethernets is not an object"),
        ("ethernets: {eth0: 1}", "eth0 is not an object"),
        ("ethernets: {eth0: {addresses: [192.0.2.2]}}", "'192.0.2.2' is an IP address without a prefix length"),
        ("ethernets: {eth0: {gateway4: x}}", "'x' is not an IP address"),
        ("ethernets: {'eth0 ip=': {}}", "'eth0 ip=' is not a valid interface name"),
        (physical("{type: static, address: 192.0.2.2}"), "'192.0.2.2' is an IP address without a prefix length"),
        ("config: [{type: physical, mac_address: 'x'}]", "'x' is not a valid MAC address"),
        (physical("{type: static, address: 192.0.2.2, netmask: '" + "9" * 5000 + "'}"), f"'{'9' * 79}… {NO_NETMASK}"),
        (physical("{type: static, address: 192.0.2.2, netmask: 0x" + "f" * 5000 + "}"), f"'0x{'f' * 77}… {NO_NETMASK}"),
        (
            physical('{type: static, address: 192.0.2.2/24, dns_nameservers: ["fe80::1%e\\nDNS=x"]}'),
            f"'fe80::1%e\\nDNS=x' {NO_ADDRESS}",
        ),
        ("ethernets: {" + "a" * 128 + ": {}}", f"'{'a' * 80}'… is not a valid interface name"),
        ('ethernets: {"a\\nDHCP=yes": {}}', "'a\\nDHCP=yes' is not a valid interface name"),
    ],
)
def test_wrong_document_is_refused_at_its_place(text: str, what: str) -> None:
    with pytest.raises(Failure) as caught:
        cloud_init(text)
    assert (caught.value.what, caught.value.where) == (what, HERE)


def openstack(networks: list[Shown], **more: object) -> list[Shown]:
    links = [{"id": "a", "ethernet_mac_address": "06:00:00:00:00:0A"}, {"id": "b", "name": "eth0"}]
    document = {"links": links, "networks": networks, **more}
    return [shown(one) for one in from_openstack.network(json.loads(json.dumps(document)), HERE, priority=10).interfaces]


ROUTE = {"network": "10.0.0.0", "netmask": "255.0.0.0", "gateway": "192.0.2.9"}


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ({"type": "ipv4", "ip_address": "192.0.2.2", "netmask": "255.255.255.0"}, {"addresses": ["192.0.2.2/24"]}),
        ({"type": "ipv4", "ip_address": "192.0.2.2/24"}, {"addresses": ["192.0.2.2/24"]}),
        ({"type": "ipv6", "ip_address": "2001:db8::2", "netmask": "64"}, {"addresses": ["2001:db8::2/64"]}),
        ({"type": "ipv6", "ip_address": "2001:db8::2", "netmask": "ffff:ffff::"}, {"addresses": ["2001:db8::2/32"]}),
        ({"type": "ipv4_dhcp", "routes": [ROUTE]}, {"dhcp": "ipv4", "routes": ["10.0.0.0/8 via 192.0.2.9"]}),
        ({"type": "ipv6_dhcp", "dns_nameservers": ["192.0.2.53"]}, {"dhcp": "ipv6", "dns": ["192.0.2.53"]}),
        ({"type": "ipv6_slaac", "routes": [ROUTE]}, {"routes": ["10.0.0.0/8 via 192.0.2.9"]}),
    ],
)
def test_openstack_network(network: Shown, expected: Shown) -> None:
    assert openstack([{"link": "b", **network}]) == [{"id": "eth0", **expected}]


def test_openstack_networks_of_one_link_are_one_interface_and_named_ones_come_first() -> None:
    networks: list[Shown] = [
        {"link": link, "type": kind} for link, kind in (("a", "ipv4_dhcp"), ("b", "ipv4_dhcp"), ("a", "ipv6_dhcp"))
    ]
    services = [{"type": "dns", "address": "192.0.2.53"}, {"type": "ntp", "address": "x"}]
    assert openstack([*networks, {"link": "c", "type": "ipv4_dhcp"}], services=services) == [
        {"id": "eth0", "dhcp": "ipv4", "dns": ["192.0.2.53"]},
        {"id": "06:00:00:00:00:0a", "dhcp": "yes", "dns": ["192.0.2.53"]},
    ]


@pytest.mark.parametrize(
    ("networks", "what"),
    [
        (
            [{"link": "b", "type": "ipv4", "ip_address": "192.0.2.2", "netmask": "255.0.255.0"}],
            "is not a netmask or prefix length",
        ),
        ([{"link": "b", "type": "ipv4", "ip_address": "192.0.2.2"}], "is an IP address without a prefix length"),
        ([{"link": "b", "type": "ipv4", "routes": [{**ROUTE, "gateway": None}]}], "None is not an IP address"),
        ([{"link": "b", "routes": 1}], "routes is not a list of objects"),
    ],
)
def test_wrong_openstack_network_is_refused_at_its_place(networks: list[Shown], what: str) -> None:
    with pytest.raises(Failure) as caught:
        openstack(networks)
    assert what in caught.value.what
    assert caught.value.where == HERE


def read(name: str, label: str, machine: Machine) -> tuple[Network, str | None, object]:
    """(network, kernel arguments, netplan's document) of a platform's sample."""
    sample = next(sample for id, sample in samples.drives() if (id, sample.label) == (name, label))
    machine.attach(label, sample.files)
    with opened(platforms.metadata(name), OFFLINE) as (table, reader):
        assert table.network
        arguments = table.kernel_arguments(reader) if table.kernel_arguments else None
        return table.network(reader), arguments, table.netplan(reader) if table.netplan else None


def test_ibmcloud_classic(machine: Machine) -> None:
    network, arguments, document = read("ibmcloud-classic", "config-2", machine)
    assert [shown(one) for one in network.interfaces] == [
        {
            "id": "eth0",
            "mac": "06:52:db:00:00:01",
            "addresses": ["10.135.0.10/26"],
            "routes": ["0.0.0.0/0 via 10.135.0.1"],
            "dns": ["10.0.80.11"],
        }
    ]
    assert [one.priority for one in network.interfaces] == [10]
    assert (arguments, document) == (None, None)


def test_kubevirt_with_an_openstack_drive(machine: Machine) -> None:
    network, arguments, _ = read("kubevirt", "config-2", machine)
    assert [(one.id, one.priority) for one in network.interfaces] == [("eth0", 20), ("06:aa:bb:cc:dd:01", 20)]
    assert arguments == (
        "ip=10.135.0.10:::255.255.255.192::eth0:static ip=[2001:db8::10]:::64::eth0:static rd.route=0.0.0.0/0:10.135.0.1"
        " ip=06:aa:bb:cc:dd:01:dhcp,dhcp6 nameserver=10.0.80.11"
    )


def test_kubevirt_with_a_nocloud_drive(machine: Machine) -> None:
    network, arguments, _ = read("kubevirt", "cidata", machine)
    assert [one.id for one in network.interfaces] == ["06:aa:bb:cc:dd:02"]
    assert arguments == (
        "ip=192.0.2.10:::255.255.255.0::06:aa:bb:cc:dd:02:static rd.route=0.0.0.0/0:192.0.2.1 nameserver=192.0.2.53"
    )


def test_proxmoxve(machine: Machine) -> None:
    network, arguments, document = read("proxmoxve", "cidata", machine)
    assert [(one.id, one.mac, one.priority) for one in network.interfaces] == [("eth0", "bc:24:11:00:00:01", 20)]
    assert arguments == "ip=192.0.2.20::192.0.2.1:255.255.255.0:::off nameserver=192.0.2.53"
    assert document == {
        "network": {
            "version": 2,
            "ethernets": {
                "eth0": {
                    "addresses": ["192.0.2.20/24"],
                    "routes": [{"to": "0.0.0.0/0", "via": "192.0.2.1"}],
                    "nameservers": {"addresses": ["192.0.2.53"]},
                }
            },
        }
    }


@pytest.mark.parametrize(
    ("text", "by_interface", "by_address"),
    [
        pytest.param("{}", None, None, id="nothing"),
        pytest.param("ethernets: {eth0: {dhcp4: true}}", "ip=eth0:dhcp", "ip=dhcp", id="dhcp"),
        pytest.param("ethernets: {eth0: {dhcp6: true}}", "ip=eth0:dhcp6", "ip=dhcp6", id="dhcp6"),
        pytest.param(
            "ethernets: {eth0: {dhcp4: true, dhcp6: true}}", "ip=eth0:dhcp,dhcp6", "ip=dhcp,dhcp6", id="dhcp of both families"
        ),
        pytest.param(
            "ethernets: {eth0: {addresses: [192.0.2.2/24, '2001:db8::2/64'], gateway6: 'fe80::1',"
            " nameservers: {addresses: ['2001:db8::53', 192.0.2.53]}}}",
            "ip=192.0.2.2:::255.255.255.0::eth0:static ip=[2001:db8::2]:::64::eth0:static rd.route=[::/0]:[fe80::1]"
            " nameserver=[2001:db8::53] nameserver=192.0.2.53",
            "ip=192.0.2.2:::255.255.255.0:::off ip=[2001:db8::2]::[fe80::1]:64:::off nameserver=2001:db8::53,192.0.2.53",
            id="both families",
        ),
        pytest.param(
            "ethernets: {eth0: {routes: [{to: 10.0.0.0/8, via: 192.0.2.9}], addresses: [192.0.2.2/24]},"
            " eth1: {nameservers: [192.0.2.53]}, eth2: {nameservers: [192.0.2.53]}}",
            "ip=192.0.2.2:::255.255.255.0::eth0:static nameserver=192.0.2.53",
            "ip=192.0.2.2:::255.255.255.0:::off nameserver=192.0.2.53 nameserver=192.0.2.53",
            id="only default routes, and each server once",
        ),
    ],
)
def test_kernel_arguments(text: str, by_interface: str | None, by_address: str | None) -> None:
    network = from_cloud_init.network(parse(text), HERE)
    assert kernel_arguments.by_interface(network) == by_interface
    assert kernel_arguments.by_address(network) == by_address


def test_netplan_knows_a_nameless_card_by_its_address_and_says_nothing_of_no_card() -> None:
    network = from_cloud_init.network(
        parse("ethernets: {id0: {match: {macaddress: '06:00:00:00:00:0a'}, dhcp4: 1, dhcp6: true}}"), HERE
    )
    assert netplan.document(network) == {
        "network": {
            "version": 2,
            "ethernets": {"mac-06000000000a": {"match": {"macaddress": "06:00:00:00:00:0a"}, "dhcp6": True}},
        }
    }
    assert netplan.document(Network()) is None


@pytest.mark.parametrize(
    ("user", "vendor", "config"),
    [
        pytest.param(b"{1}", b"{2}", b"{1}", id="user-data counts first"),
        pytest.param(b"#cloud-config\nhostname: a", b"{2}", b"{2}", id="cloud-config does not count"),
        pytest.param(b"#cloud-config\n", b"#cloud-config\n", b"", id="nor does a second one"),
        pytest.param(b"#cloud-config \r\nhostname: a", b"{2}", b"{2}", id="in any spelling that is one"),
        pytest.param(b"#!/bin/sh\n", b"{2}", b"{2}", id="script"),
        pytest.param(b"Content-Type: multipart/mixed; boundary=b\n\n", b"{2}", b"{2}", id="several parts"),
        pytest.param(b"", b"{2}", b"{2}", id="empty"),
        pytest.param(b"#cloud-configs are no configs", b"{2}", b"#cloud-configs are no configs", id="what only looks like one"),
    ],
)
def test_proxmoxve_takes_the_first_file_that_is_not_for_coreos_cloudinit(
    user: bytes, vendor: bytes, config: bytes, machine: Machine
) -> None:
    machine.attach("cidata", {"user-data": user, "vendor-data": vendor})
    assert platforms.config_source("proxmoxve").fetch(OFFLINE) == config


def test_proxmoxve_whose_user_data_is_an_ignition_config_has_neither_hostname_nor_keys(machine: Machine) -> None:
    machine.attach("cidata", {"meta-data": b"instance-id: a\n", "user-data": b'{"hostname": "x", "ssh_authorized_keys": ["y"]}'})
    with opened(platforms.metadata("proxmoxve"), OFFLINE) as (_, reader):
        assert (reader.attributes(), reader.hostname(), reader.ssh_keys()) == ({"AFTERBURN_PROXMOXVE_INSTANCE_ID": "a"}, None, [])


def test_kubevirt_metadata_prefers_the_openstack_drive(machine: Machine) -> None:
    machine.attach("cidata", {"meta-data": b"{instance-id: nocloud, hostname: a}"})
    machine.attach("config-2", {"openstack/latest/meta_data.json": b'{"uuid": "openstack", "hostname": "a"}'})
    with opened(platforms.metadata("kubevirt"), OFFLINE) as (_, reader):
        assert reader.attributes()["AFTERBURN_KUBEVIRT_INSTANCE_ID"] == "openstack"


@pytest.mark.parametrize("name", ["kubevirt", "proxmoxve"])
def test_machine_without_a_drive_is_fine(name: str) -> None:
    assert all(table.may_be_absent for table in platforms.metadata(name))


@pytest.mark.parametrize(
    "text, told",
    [
        ("a: 1\n---\nb: 1\n", ["line 2: only the first document is read: a second one begins here"]),
        ("  a: 1\nb: 1\n", ["line 2: the document ends before this: it and everything after it is not read"]),
        ("a: 0\na: 1\n", ["line 2: the key 'a' is repeated: the last one counts"]),
        ("a: 1\n---\n", []),
    ],
)
def test_what_of_a_document_is_not_read_is_told(text: str, told: list[str]) -> None:
    said: list[str] = []
    log.divert(lambda _, message: said.append(message))
    assert parse(text) == {"a": "1"}
    assert said == [f"metadata in YAML, {one}" for one in told]
