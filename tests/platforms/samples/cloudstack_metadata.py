"""docs/reference/platforms.md §10.8."""

from tests.platforms.samples import KEY, Sample

VIRTUAL_ROUTER = "10.1.1.1"
LEASES = {"2": f"ADDRESS=10.1.1.14\nSERVER_ADDRESS={VIRTUAL_ROUTER}\n"}
DATA = "/latest/meta-data"
VALUES = {
    "instance-id": "i-2-14-VM",
    "local-hostname": "web-1",
    "availability-zone": "zone1",
    "public-ipv4": "198.51.100.20",
    "local-ipv4": "10.1.1.14",
    "vm-id": "14",
    "service-offering": "Small Instance",
    "cloud-identifier": "CloudStack-{3f2c}",
}
NAMES = {
    "INSTANCE_ID": "instance-id",
    "LOCAL_HOSTNAME": "local-hostname",
    "AVAILABILITY_ZONE": "availability-zone",
    "IPV4_PUBLIC": "public-ipv4",
    "IPV4_LOCAL": "local-ipv4",
    "VM_ID": "vm-id",
    "SERVICE_OFFERING": "service-offering",
    "CLOUD_IDENTIFIER": "cloud-identifier",
}
SAMPLE = Sample(
    {**{f"{DATA}/{name}": value for name, value in VALUES.items()}, f"{DATA}/public-keys": f"{KEY}\n"},
    address=VIRTUAL_ROUTER,
    leases=LEASES,
    attributes={
        **{f"{group}_CLOUDSTACK_{name}": VALUES[path] for name, path in NAMES.items() for group in ("AFTERBURN", "COREOS")},
        "COREOS_CLOUDSTACK_HOSTNAME": "web-1",
    },
    ssh_keys=[KEY],
    optional=(f"{DATA}/public-ipv4", f"{DATA}/vm-id"),
)
