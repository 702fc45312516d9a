"""docs/reference/platforms.md §10.13."""

from tests.platforms.samples import KEY, DriveSample

VENDOR = f"""Content-Type: multipart/form-data; boundary=xyz
MIME-Version: 1.0

--xyz
Content-Type: text/cloud-config

#cloud-config
ssh_authorized_keys:
- {KEY}

--xyz
Content-Type: text/x-shellscript

#!/bin/bash
true

--xyz--
"""
DRIVES = (
    DriveSample(
        "cidata",
        {"meta-data": "instance-id: 0717_1234\nlocal-hostname: web-1\n", "vendor-data": VENDOR},
        config_path="user-data",
        absent_is_none=True,
        attributes={"AFTERBURN_IBMCLOUD_INSTANCE_ID": "0717_1234", "AFTERBURN_IBMCLOUD_LOCAL_HOSTNAME": "web-1"},
        hostname="web-1",
        ssh_keys=[KEY],
    ),
)
