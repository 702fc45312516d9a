"""docs/reference/platforms.md §10.13."""

import json

from tests.platforms.samples import KEY, DriveSample

META = {
    "hostname": "web-1.example",
    "name": "web-1",
    "uuid": "4d9085db-0000-4000-8000-000000000002",
    "public_keys": {"a": KEY},
}
DRIVES = (
    DriveSample(
        "config-2",
        {"openstack/latest/meta_data.json": json.dumps(META)},
        config_path="openstack/latest/user_data",
        attributes={
            "AFTERBURN_POWERVS_INSTANCE_ID": "4d9085db-0000-4000-8000-000000000002",
            "AFTERBURN_POWERVS_LOCAL_HOSTNAME": "web-1",
        },
        hostname="web-1",
        ssh_keys=[KEY],
        required=("openstack/latest/meta_data.json",),
    ),
)
