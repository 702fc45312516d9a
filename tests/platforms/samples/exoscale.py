"""docs/reference/platforms.md §10.9."""

from tests.platforms.samples import KEY, Sample

DATA = "/1.0/meta-data"
SAMPLE = Sample(
    {
        f"{DATA}/instance-id": "b1a8",
        f"{DATA}/local-hostname": "web-1",
        f"{DATA}/public-hostname": "web-1.example",
        f"{DATA}/availability-zone": "ch-gva-2",
        f"{DATA}/public-ipv4": "198.51.100.60",
        f"{DATA}/local-ipv4": "198.51.100.60",
        f"{DATA}/service-offering": "Micro Instance",
        f"{DATA}/cloud-identifier": "CloudStack-{3f2c}",
        f"{DATA}/vm-id": "14",
        f"{DATA}/public-keys": f"{KEY}\n",
    },
    config_path="/1.0/user-data",
    attributes={
        "AFTERBURN_EXOSCALE_INSTANCE_ID": "b1a8",
        "AFTERBURN_EXOSCALE_LOCAL_HOSTNAME": "web-1",
        "AFTERBURN_EXOSCALE_PUBLIC_HOSTNAME": "web-1.example",
        "AFTERBURN_EXOSCALE_AVAILABILITY_ZONE": "ch-gva-2",
        "AFTERBURN_EXOSCALE_PUBLIC_IPV4": "198.51.100.60",
        "AFTERBURN_EXOSCALE_LOCAL_IPV4": "198.51.100.60",
        "AFTERBURN_EXOSCALE_SERVICE_OFFERING": "Micro Instance",
        "AFTERBURN_EXOSCALE_CLOUD_IDENTIFIER": "CloudStack-{3f2c}",
        "AFTERBURN_EXOSCALE_VM_ID": "14",
    },
    hostname="web-1",
    ssh_keys=[KEY],
)
