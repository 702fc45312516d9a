"""docs/reference/platforms.md §3.3, §10.7."""

from tests.platforms.samples import DriveSample, Sample

SAMPLE = Sample({}, config_path="/openstack/latest/user_data")
DRIVES = (DriveSample("config-2", {}, config_path="openstack/latest/user_data"),)
