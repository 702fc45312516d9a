"""docs/reference/platforms.md §10.7."""

from tests.platforms.samples import KEY, Sample
from tests.platforms.samples.openstack import ATTRIBUTES, OPTIONAL, SERVICE

SAMPLE = Sample(SERVICE, attributes=ATTRIBUTES, hostname="web-1.novalocal", ssh_keys=[KEY], optional=OPTIONAL)
