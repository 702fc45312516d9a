"""docs/reference/platforms.md §10.6."""

import json

from tests.platforms.samples import KEY, Sample

MACHINE = {
    "id": "6d2f",
    "hostname": "web-1",
    "iqn": "iqn.2021-01.net.packet:device.6d2f",
    "plan": "c3.small.x86",
    "facility": "ams1",
    "tags": ["a"],
    "ssh_keys": [KEY],
    "phone_home_url": "http://metadata.packet.net/phone-home",
}
INTERFACES = [
    {"name": "eth0", "mac": "ec:0d:9a:00:00:01", "bond": "bond0"},
    {"name": "eth1", "mac": "ec:0d:9a:00:00:02", "bond": "bond0"},
]
ADDRESSES = [
    {
        "id": "a1",
        "address_family": 4,
        "netmask": "255.255.255.254",
        "public": True,
        "management": True,
        "address": "198.51.100.11",
        "gateway": "198.51.100.10",
    },
    {
        "id": "a2",
        "address_family": 6,
        "netmask": "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe",
        "public": True,
        "management": True,
        "address": "2001:db8:1::3",
        "gateway": "2001:db8:1::2",
    },
    {
        "id": "a3",
        "address_family": 4,
        "netmask": "255.255.255.254",
        "public": False,
        "management": True,
        "address": "10.80.0.3",
        "gateway": "10.80.0.2",
    },
]


def machine(**network: object) -> bytes:
    """The document with other members of `network`."""
    whole = {"bonding": {"mode": 4}, "interfaces": INTERFACES, "addresses": ADDRESSES, **network}
    return json.dumps({**MACHINE, "network": whole}).encode()


SAMPLE = Sample(
    {"/metadata": machine()},
    address="192.0.2.80",
    tls_name="metadata.packet.net",
    config_path="/userdata",
    none_if_404=False,
    attributes={
        "AFTERBURN_PACKET_HOSTNAME": "web-1",
        "AFTERBURN_PACKET_PHONE_HOME_URL": "http://metadata.packet.net/phone-home",
        "AFTERBURN_PACKET_PLAN": "c3.small.x86",
        "AFTERBURN_PACKET_IPV4_PUBLIC_0": "198.51.100.11",
        "AFTERBURN_PACKET_IPV4_PUBLIC_GATEWAY_0": "198.51.100.10",
        "AFTERBURN_PACKET_IPV4_PRIVATE_0": "10.80.0.3",
        "AFTERBURN_PACKET_IPV4_PRIVATE_GATEWAY_0": "10.80.0.2",
        "AFTERBURN_PACKET_IPV6_PUBLIC_0": "2001:db8:1::3",
        "AFTERBURN_PACKET_IPV6_PUBLIC_GATEWAY_0": "2001:db8:1::2",
        "COREOS_PACKET_HOSTNAME": "web-1",
        "COREOS_PACKET_PHONE_HOME_URL": "http://metadata.packet.net/phone-home",
        "COREOS_PACKET_IPV4_PUBLIC_0": "198.51.100.11",
        "COREOS_PACKET_IPV4_PRIVATE_0": "10.80.0.3",
        "COREOS_PACKET_IPV6_PUBLIC_0": "2001:db8:1::3",
    },
    hostname="web-1",
    ssh_keys=[KEY],
    demands={"/userdata": {"Accept": "*/*"}},
)
