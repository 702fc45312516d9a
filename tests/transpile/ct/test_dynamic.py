"""Every variable that a Container Linux Config can ask for is one that the companion writes on that platform."""

import pytest

from ignition import platforms
from ignition.transpile.ct import dynamic

# `ct` forgot its prefix; what people compare stays as it was, and a machine takes the right name.
NEVER_SET = "CLOUDSTACK_LOCAL_HOSTNAME"
IDS = ("aws", "azure", "digitalocean", "gcp", "openstack", "packet", "vagrant", "cloudstack-configdrive", "cloudstack-metadata")


def written(platform: str) -> set[str]:
    """All names of the companion for a platform, those of lists with the number 0."""
    return {name for table in platforms.metadata(platform) for row in table.attributes for name in table.names(row)}


@pytest.mark.parametrize("platform", sorted(set(dynamic.PLATFORMS) - {"custom"}))
def test_variables_of_ct_are_written(platform: str) -> None:
    assert set(dynamic.PLATFORMS[platform].values()) - written(platform) <= {NEVER_SET}


@pytest.mark.parametrize("platform", IDS)
def test_variables_of_a_machine_are_written(platform: str) -> None:
    found = dynamic.of_machine(platform)
    assert found.fields and set(found.fields.values()) <= written(platform)
    assert found.told == ""


def test_cloudstack_may_be_a_drive() -> None:
    found = dynamic.of_machine("cloudstack")
    assert set(found.fields.values()) <= written(found.told)
