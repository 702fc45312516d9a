"""docs/reference/platforms.md §10.12."""

import json

from tests.platforms.samples import KEY, Sample

INSTANCE = {
    "id": "11111111-1111-4111-8111-111111111111",
    "commercial_type": "DEV1-S",
    "hostname": "web-1",
    "location": {"zone_id": "par1"},
    "private_ip": None,
    "public_ip": {"address": "198.51.100.50"},
    "ipv6": {"address": "2001:db8:9::1", "netmask": "64", "gateway": "2001:db8:9::"},
    "ssh_public_keys": [{"key": KEY}],
}
SAMPLE = Sample(
    {"/conf?format=json": json.dumps(INSTANCE)},
    address="169.254.42.42",
    config_path="/user_data/cloud-init",
    attributes={
        "AFTERBURN_SCALEWAY_HOSTNAME": "web-1",
        "AFTERBURN_SCALEWAY_INSTANCE_ID": "11111111-1111-4111-8111-111111111111",
        "AFTERBURN_SCALEWAY_INSTANCE_TYPE": "DEV1-S",
        "AFTERBURN_SCALEWAY_ZONE_ID": "par1",
        "AFTERBURN_SCALEWAY_IPV4_PUBLIC": "198.51.100.50",
        "AFTERBURN_SCALEWAY_IPV6_PUBLIC": "2001:db8:9::1",
    },
    hostname="web-1",
    ssh_keys=[KEY],
)
