"""docs/reference/platforms.md §10.13."""

import json

from tests.platforms.samples import KEY, DriveSample

META = {
    "hostname": "web-1.example.cloud",
    "name": "web-1",
    "uuid": "3c9085db-0000-4000-8000-000000000001",
    "public_keys": {"1": KEY},
}
NETWORK = {
    "links": [{"id": "if1", "name": "eth0", "mtu": None, "type": "phy", "ethernet_mac_address": "06:52:db:00:00:01"}],
    "networks": [
        {
            "id": "n1",
            "link": "if1",
            "type": "ipv4",
            "ip_address": "10.135.0.10",
            "netmask": "255.255.255.192",
            "routes": [{"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": "10.135.0.1"}],
        }
    ],
    "services": [{"type": "dns", "address": "10.0.80.11"}],
}
DRIVES = (
    DriveSample(
        "config-2",
        {"openstack/latest/meta_data.json": json.dumps(META), "openstack/latest/network_data.json": json.dumps(NETWORK)},
        attributes={
            "AFTERBURN_IBMCLOUD_CLASSIC_INSTANCE_ID": "3c9085db-0000-4000-8000-000000000001",
            "AFTERBURN_IBMCLOUD_CLASSIC_LOCAL_HOSTNAME": "web-1",
        },
        hostname="web-1",
        required=("openstack/latest/meta_data.json",),
    ),
)
