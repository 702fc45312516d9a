"""docs/reference/platforms.md §10.7."""

import json

from tests.platforms.samples import KEY, DriveSample, Sample

DATA = "/latest/meta-data"
META = {
    "uuid": "83679162-1378-4288-a2d4-70e13ec132aa",
    "hostname": "web-1.novalocal",
    "availability_zone": "nova",
    "public_keys": {"mykey": f"{KEY}\n"},
}
EC2 = {"instance-id": "i-00000abc", "instance-type": "m1.small", "local-ipv4": "10.0.0.5", "public-ipv4": ""}
ATTRIBUTES = {
    "AFTERBURN_OPENSTACK_HOSTNAME": "web-1.novalocal",
    "AFTERBURN_OPENSTACK_INSTANCE_ID": "i-00000abc",
    "AFTERBURN_OPENSTACK_INSTANCE_TYPE": "m1.small",
    "AFTERBURN_OPENSTACK_INSTANCE_UUID": "83679162-1378-4288-a2d4-70e13ec132aa",
    "AFTERBURN_OPENSTACK_IPV4_LOCAL": "10.0.0.5",
    "AFTERBURN_OPENSTACK_IPV4_PUBLIC": "",
    "COREOS_OPENSTACK_HOSTNAME": "web-1.novalocal",
    "COREOS_OPENSTACK_INSTANCE_ID": "i-00000abc",
    "COREOS_OPENSTACK_IPV4_LOCAL": "10.0.0.5",
    "COREOS_OPENSTACK_IPV4_PUBLIC": "",
}
SERVICE = {
    "/openstack/2012-08-10/meta_data.json": json.dumps(META),
    **{f"{DATA}/{name}": value for name, value in EC2.items()},
    f"{DATA}/hostname": "web-1.novalocal",
    f"{DATA}/public-keys": "0=mykey",
    f"{DATA}/public-keys/0/openssh-key": f"{KEY}\n",
}
OPTIONAL = (f"{DATA}/hostname", f"{DATA}/instance-type", "/openstack/2012-08-10/meta_data.json")
SAMPLE = Sample(
    SERVICE,
    config_path="/openstack/latest/user_data",
    attributes=ATTRIBUTES,
    hostname="web-1.novalocal",
    ssh_keys=[KEY],
    optional=OPTIONAL,
)
FILES = {"openstack/latest/meta_data.json": json.dumps(META), "ec2/latest/meta-data.json": json.dumps(EC2)}
DRIVES = tuple(
    DriveSample(
        label,
        FILES,
        config_path="openstack/latest/user_data",
        attributes=ATTRIBUTES,
        hostname="web-1.novalocal",
        ssh_keys=[KEY],
    )
    for label in ("config-2", "CONFIG-2")
)
