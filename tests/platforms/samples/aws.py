"""docs/reference/platforms.md §10.1."""

from tests.fetch.server import Reply
from tests.platforms.samples import KEY, Sample

TOKEN = "AQAEAExampleTokenNoLineFeed=="
DATA = "/2021-01-03/meta-data"
SAMPLE = Sample(
    {
        "/latest/api/token": TOKEN,
        f"{DATA}/instance-id": "i-0abc1234def567890",
        f"{DATA}/instance-type": "t3.small",
        f"{DATA}/local-ipv4": "172.31.5.20",
        f"{DATA}/public-ipv4": Reply(404),
        f"{DATA}/hostname": "ip-172-31-5-20.eu-west-1.compute.internal",
        f"{DATA}/placement/availability-zone": "eu-west-1b",
        f"{DATA}/placement/availability-zone-id": "euw1-az2",
        f"{DATA}/public-keys": "0=first-key\n1=name=with=equals",
        f"{DATA}/public-keys/0/openssh-key": f"{KEY}\n",
        f"{DATA}/public-keys/1/openssh-key": KEY,
        "/2021-01-03/dynamic/instance-identity/document": '{"region":"eu-west-1","privateIp":"172.31.5.20"}',
    },
    config_path="/2019-10-01/user-data",
    attributes={
        "AFTERBURN_AWS_AVAILABILITY_ZONE": "eu-west-1b",
        "AFTERBURN_AWS_AVAILABILITY_ZONE_ID": "euw1-az2",
        "AFTERBURN_AWS_HOSTNAME": "ip-172-31-5-20.eu-west-1.compute.internal",
        "AFTERBURN_AWS_INSTANCE_ID": "i-0abc1234def567890",
        "AFTERBURN_AWS_INSTANCE_TYPE": "t3.small",
        "AFTERBURN_AWS_IPV4_LOCAL": "172.31.5.20",
        "AFTERBURN_AWS_REGION": "eu-west-1",
        "COREOS_EC2_AVAILABILITY_ZONE": "eu-west-1b",
        "COREOS_EC2_HOSTNAME": "ip-172-31-5-20.eu-west-1.compute.internal",
        "COREOS_EC2_INSTANCE_ID": "i-0abc1234def567890",
        "COREOS_EC2_IPV4_LOCAL": "172.31.5.20",
        "COREOS_EC2_REGION": "eu-west-1",
    },
    hostname="ip-172-31-5-20.eu-west-1.compute.internal",
    ssh_keys=[KEY, KEY],
    optional=(f"{DATA}/hostname", f"{DATA}/instance-type", f"{DATA}/placement/availability-zone"),
    demands={
        "/2019-10-01/user-data": {"X-aws-ec2-metadata-token": TOKEN},
        f"{DATA}/instance-id": {"X-aws-ec2-metadata-token": TOKEN},
        "/latest/api/token": {"X-aws-ec2-metadata-token-ttl-seconds": "21600"},
    },
)
