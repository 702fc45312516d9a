"""docs/reference/platforms.md §10.13."""

import json

from tests.platforms.samples import KEY, DriveSample

META = {"uuid": "5d307ca9", "hostname": "web-1.example", "instance_type": "u1.small", "public_keys": {"a": KEY, "b": f"{KEY}\n"}}
ROUTE = {"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": "10.135.0.1"}
NETWORK = {
    "links": [
        {"id": "if0", "type": "phy", "ethernet_mac_address": "06:AA:bb:cc:dd:01"},
        {"id": "if1", "name": "eth0", "type": "phy", "ethernet_mac_address": "06:52:db:00:00:01"},
    ],
    "networks": [
        {"id": "n0", "link": "if0", "type": "ipv4_dhcp"},
        {"id": "n1", "link": "if1", "type": "ipv4", "ip_address": "10.135.0.10", "netmask": "255.255.255.192", "routes": [ROUTE]},
        {"id": "n2", "link": "if1", "type": "ipv6", "ip_address": "2001:db8::10", "netmask": "ffff:ffff:ffff:ffff::"},
        {"id": "n3", "link": "if0", "type": "ipv6_dhcp"},
        {"id": "n4", "link": "if9", "type": "ipv4_dhcp"},
    ],
    "services": [{"type": "dns", "address": "10.0.80.11"}],
}
CONFIG_2 = {"openstack/latest/meta_data.json": json.dumps(META), "openstack/latest/network_data.json": json.dumps(NETWORK)}
CIDATA = {
    "meta-data": "instance-id: 5d307ca9\nlocal-hostname: web-1.example\n",
    "network-config": """version: 2
ethernets:
  id0:
    match: {macaddress: "06:aa:bb:cc:dd:02"}
    addresses: [192.0.2.10/24]
    gateway4: 192.0.2.1
    nameservers: {addresses: [192.0.2.53]}
""",
}
DRIVES = (
    DriveSample(
        "config-2",
        CONFIG_2,
        config_path="openstack/latest/user_data",
        attributes={
            "AFTERBURN_KUBEVIRT_INSTANCE_ID": "5d307ca9",
            "AFTERBURN_KUBEVIRT_HOSTNAME": "web-1.example",
            "AFTERBURN_KUBEVIRT_INSTANCE_TYPE": "u1.small",
            "AFTERBURN_KUBEVIRT_IPV4": "10.135.0.10",
            "AFTERBURN_KUBEVIRT_IPV6": "2001:db8::10",
        },
        hostname="web-1.example",
        ssh_keys=[KEY, KEY],
    ),
    DriveSample(
        "cidata",
        CIDATA,
        config_path="user-data",
        attributes={
            "AFTERBURN_KUBEVIRT_INSTANCE_ID": "5d307ca9",
            "AFTERBURN_KUBEVIRT_HOSTNAME": "web-1.example",
            "AFTERBURN_KUBEVIRT_IPV4": "192.0.2.10",
        },
        hostname="web-1.example",
    ),
)
