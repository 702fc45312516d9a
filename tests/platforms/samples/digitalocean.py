"""docs/reference/platforms.md §10.5."""

import json
from typing import Any

from tests.platforms.samples import KEY, Sample

PRIVATE: dict[str, Any] = {
    "ipv4": {"ip_address": "10.114.0.2", "netmask": "255.255.240.0", "gateway": "10.114.0.1"},
    "mac": "54:11:00:00:00:01",
    "type": "private",
}
PUBLIC: dict[str, Any] = {
    "ipv4": {"ip_address": "198.51.100.7", "netmask": "255.255.255.0", "gateway": "198.51.100.1"},
    "ipv6": {
        "ip_address": "2001:0DB8:0002:00D0:0000:0000:0010:4001",
        "cidr": 64,
        "gateway": "2001:0DB8:0002:00D0:0000:0000:0000:0001",
    },
    "anchor_ipv4": {"ip_address": "10.19.0.5", "netmask": "255.255.0.0", "gateway": "10.19.0.1"},
    "mac": "54:11:00:00:00:02",
    "type": "public",
}


def droplet(*, private: object = (PRIVATE,), public: object = (PUBLIC,), **members: object) -> bytes:
    """The document with other interfaces or members."""
    whole = {
        "droplet_id": 1234,
        "hostname": "web-1",
        "public_keys": [KEY],
        "region": "fra1",
        "interfaces": {"private": private, "public": public},
        "floating_ip": {"ipv4": {"active": False}},
        "dns": {"nameservers": ["203.0.113.53", "203.0.113.54"]},
    }
    return json.dumps(whole | members).encode()


SAMPLE = Sample(
    {"/metadata/v1.json": droplet()},
    config_path="/metadata/v1/user-data",
    none_if_404=False,
    attributes={
        f"{start}_DIGITALOCEAN_{name}": value
        for start in ("AFTERBURN", "COREOS")
        for name, value in {
            "HOSTNAME": "web-1",
            "REGION": "fra1",
            "IPV4_PUBLIC_0": "198.51.100.7",
            "IPV6_PUBLIC_0": "2001:db8:2:d0::10:4001",
            "IPV4_ANCHOR_0": "10.19.0.5",
            "IPV4_PRIVATE_0": "10.114.0.2",
        }.items()
    },
    hostname="web-1",
    ssh_keys=[KEY],
)
