"""Whether the network is waited for on platforms whose config is on a drive, or on a drive or in a service."""

import pytest

from ignition.errors import Failure
from tests.platforms.drives import Machine, machine
from tests.stages.conftest import Boot
from tests.stages.test_fetch import cached_files, file_named

__all__ = ["machine"]
NEEDNET = "net/neednet"
DRIVES = {
    "openstack": ("CONFIG-2", "openstack/latest/user_data"),
    "cloudstack": ("config-2", "cloudstack/userdata/user_data.txt"),
    "powervs": ("config-2", "openstack/latest/user_data"),
    "kubevirt": ("cidata", "user-data"),
    "azurestack": ("iso9660", "CustomData.bin"),
}


@pytest.mark.parametrize("name", sorted(DRIVES))
def test_config_on_a_drive_needs_no_network(name: str, boot: Boot, machine: Machine) -> None:
    label, path = DRIVES[name]
    machine.attach(label, {path: file_named("from-the-drive").encode(), "ovf-env.xml": b""})
    boot.execute("fetch-offline", platform=name)
    assert cached_files(boot) == ["/from-the-drive"]
    assert NEEDNET not in boot.files()


@pytest.mark.parametrize("name", ["openstack", "cloudstack", "brightbox", "azure"])
def test_network_is_asked_for_where_there_is_a_service(name: str, boot: Boot, machine: Machine) -> None:
    boot.execute("fetch-offline", platform=name)
    assert NEEDNET in boot.files()
    assert "cache.json" not in boot.files()


@pytest.mark.parametrize("name", ["powervs", "nutanix", "kubevirt", "azurestack"])
def test_boot_ends_where_there_is_none(name: str, boot: Boot, machine: Machine) -> None:
    with pytest.raises(Failure, match="after 90 s"):
        boot.execute("fetch-offline", platform=name)
    assert NEEDNET not in boot.files()


@pytest.mark.parametrize("name", ["ibmcloud", "proxmoxve"])
def test_machine_goes_on_without_a_config_where_that_is_usual(name: str, boot: Boot, machine: Machine) -> None:
    boot.execute("fetch-offline", platform=name)
    assert cached_files(boot) == []
    assert NEEDNET not in boot.files()
