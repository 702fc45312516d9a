"""IBM Power Systems Virtual Server: a config drive. Source: docs/reference/platforms.md §3.4, §5.1, §5.3, §10.13."""

from __future__ import annotations

from ignition.metadata.drive import Drive, drive
from ignition.metadata.ssh_keys import members
from ignition.metadata.table import Attribute, Metadata
from ignition.metadata.values import Document
from ignition.platforms import Platform

META = Document("openstack/latest/meta_data.json")

PLATFORM = Platform(
    "IBM Power Systems Virtual Server",
    closing="root and the group of the drive's device (Debian: `cdrom` or `disk`) can read it; detach the drive",
    without_unit={"hostname": "not in the originals"},
    config=drive({"config-2": ("openstack/latest/user_data",)}),
    metadata=(
        Metadata(
            Drive("config-2"),
            prefix="POWERVS_",
            attributes=(
                Attribute("INSTANCE_ID", META.member("uuid", filled=True)),
                Attribute("LOCAL_HOSTNAME", META.member("name", filled=True)),
            ),
            hostname=META.member("name"),
            ssh_keys=members(META.member("public_keys.*")),
        ),
    ),
)
