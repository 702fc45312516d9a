"""docs/reference/platforms.md §3.4."""

from tests.platforms.samples import DriveSample

DRIVES = (DriveSample("config-2", {}, config_path="openstack/latest/user_data"),)
