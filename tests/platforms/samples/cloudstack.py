"""docs/reference/platforms.md §10.8."""

from tests.platforms.samples import DriveSample, Sample
from tests.platforms.samples.cloudstack_metadata import LEASES, VIRTUAL_ROUTER

SAMPLE = Sample({}, address=VIRTUAL_ROUTER, leases=LEASES, config_path="/latest/user-data")
DRIVES = tuple(DriveSample(label, {}, config_path="cloudstack/userdata/user_data.txt") for label in ("config-2", "CONFIG-2"))
