"""docs/reference/platforms.md §10.10."""

from tests.platforms.samples import KEY, Sample

NETWORK = """\
version: 1
config:
- {type: physical, name: eth0, mac_address: "96:00:00:00:00:01", subnets: [{type: dhcp, ipv4: true}, {type: static, ipv6: true,
    address: "2001:db8:5::1/64", gateway: "fe80::1", dns_nameservers: ["2001:db8::53"]}]}
"""
SERVER = """\
availability-zone: hel1-dc2
hostname: web-1
instance-id: 4711
public-ipv4: 198.51.100.30
region: eu-central
network-config:
""" + "".join(f"  {line}\n" for line in NETWORK.splitlines())
DATA = "/hetzner/v1/metadata"
SAMPLE = Sample(
    {
        DATA: SERVER,
        f"{DATA}/private-networks": '- ip: 10.0.0.2\n  mac_address: "86:00:00:00:00:02"\n  network_id: 99\n- ip: 10.1.0.2\n',
        f"{DATA}/hostname": "web-1",
        f"{DATA}/public-keys": f'["{KEY}"]',
        f"{DATA}/network-config": NETWORK,
    },
    config_path="/hetzner/v1/userdata",
    attributes={
        "AFTERBURN_HETZNER_AVAILABILITY_ZONE": "hel1-dc2",
        "AFTERBURN_HETZNER_HOSTNAME": "web-1",
        "AFTERBURN_HETZNER_INSTANCE_ID": "4711",
        "AFTERBURN_HETZNER_PUBLIC_IPV4": "198.51.100.30",
        "AFTERBURN_HETZNER_PUBLIC_IPV6": "2001:db8:5::1",
        "AFTERBURN_HETZNER_REGION": "eu-central",
        "AFTERBURN_HETZNER_PRIVATE_IPV4_0": "10.0.0.2",
        "AFTERBURN_HETZNER_PRIVATE_IPV4_1": "10.1.0.2",
    },
    hostname="web-1",
    ssh_keys=[KEY],
)
