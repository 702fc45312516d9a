"""docs/reference/platforms.md §10.9."""

from tests.fetch.server import Reply
from tests.platforms.samples import KEY, Sample

DATA = "/latest/meta-data"
SAMPLE = Sample(
    {
        f"{DATA}/eipv4": Reply(404),
        f"{DATA}/hostname": "web-1",
        f"{DATA}/instance-id": "i-0jl1",
        f"{DATA}/image-id": "m-0xi2",
        f"{DATA}/region-id": "eu-central-1",
        f"{DATA}/zone-id": "eu-central-1a",
        f"{DATA}/vpc-id": "vpc-gw8",
        f"{DATA}/private-ipv4": "192.168.10.4",
        f"{DATA}/public-ipv4": "",
        f"{DATA}/instance/instance-type": "ecs.t5-lc1m1.small",
        f"{DATA}/public-keys/": "0/\n1/",
        f"{DATA}/public-keys/0/openssh-key": KEY,
        f"{DATA}/public-keys/1/openssh-key": f"{KEY}\n",
    },
    address="100.100.100.200",
    config_path="/latest/user-data",
    attributes={
        "AFTERBURN_ALIYUN_HOSTNAME": "web-1",
        "AFTERBURN_ALIYUN_INSTANCE_ID": "i-0jl1",
        "AFTERBURN_ALIYUN_IMAGE_ID": "m-0xi2",
        "AFTERBURN_ALIYUN_REGION_ID": "eu-central-1",
        "AFTERBURN_ALIYUN_ZONE_ID": "eu-central-1a",
        "AFTERBURN_ALIYUN_VPC_ID": "vpc-gw8",
        "AFTERBURN_ALIYUN_IPV4_PRIVATE": "192.168.10.4",
        "AFTERBURN_ALIYUN_INSTANCE_TYPE": "ecs.t5-lc1m1.small",
    },
    hostname="web-1",
    ssh_keys=[KEY],
    optional=(f"{DATA}/hostname", f"{DATA}/vpc-id", f"{DATA}/instance/instance-type"),
)
