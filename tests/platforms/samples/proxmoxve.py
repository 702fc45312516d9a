"""docs/reference/platforms.md §10.13."""

from tests.platforms.samples import KEY, DriveSample

NETWORK = """version: 1
config:
  - type: physical
    name: eth0
    mac_address: 'bc:24:11:00:00:01'
    subnets:
      - {type: static, address: '192.0.2.20', netmask: '255.255.255.0', gateway: '192.0.2.1'}
  - {type: nameserver, address: ['192.0.2.53'], search: ['example']}
"""
FILES = {
    "meta-data": "instance-id: 15a9919cb91024fb\n",
    "user-data": f"#cloud-config\nhostname: web-1\nssh_authorized_keys:\n  - {KEY}\n",
    "network-config": NETWORK,
}
DRIVES = (
    DriveSample(
        "cidata",
        FILES,
        config_path="vendor-data",
        absent_is_none=True,
        attributes={
            "AFTERBURN_PROXMOXVE_INSTANCE_ID": "15a9919cb91024fb",
            "AFTERBURN_PROXMOXVE_HOSTNAME": "web-1",
            "AFTERBURN_PROXMOXVE_IPV4": "192.0.2.20",
        },
        hostname="web-1",
        ssh_keys=[KEY],
    ),
)
