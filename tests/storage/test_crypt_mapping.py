"""Open volumes as sysfs shows them."""

from pathlib import Path

import pytest

from ignition.host import devices
from ignition.storage import crypt_mapping

UUID = "e854fff9-9ac3-4ef8-953e-ba16cd3fe8af"
DM_UUID = "CRYPT-LUKS2-e854fff99ac34ef8953eba16cd3fe8af-data"


@pytest.fixture
def sysfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sysfs with one disk."""
    (tmp_path / "class/block/vdb1").mkdir(parents=True)
    monkeypatch.setattr(devices, "SYSFS", str(tmp_path))
    return tmp_path / "class/block"


def map_device(sysfs: Path, device: str, name: str, uuid: str, *below: str) -> None:
    (sysfs / device / "dm").mkdir(parents=True)
    (sysfs / device / "dm/name").write_text(f"{name}\n")
    (sysfs / device / "dm/uuid").write_text(f"{uuid}\n")
    for one in below:
        (sysfs / device / "slaves" / one).mkdir(parents=True)


def test_open_volume_is_found_by_name_and_by_device(sysfs: Path) -> None:
    map_device(sysfs, "dm-0", "data", DM_UUID, "vdb1")
    for found in (crypt_mapping.mapping_named("data"), crypt_mapping.mapping_on_device("vdb1")):
        assert found is not None
        assert (found.name, found.device, found.uuid, found.below) == ("data", "dm-0", UUID, ("vdb1",))


def test_integrity_protection_in_between_is_passed_over(sysfs: Path) -> None:
    map_device(sysfs, "dm-0", "data_dif", "CRYPT-INTEGRITY-data_dif", "vdb1")
    map_device(sysfs, "dm-1", "data", DM_UUID, "dm-0")
    found = crypt_mapping.mapping_on_device("vdb1")
    assert found is not None
    assert (found.device, found.below) == ("dm-1", ("vdb1",))


def test_logical_volume_has_a_name_and_is_no_open_volume(sysfs: Path) -> None:
    map_device(sysfs, "dm-0", "vg-data", "LVM-xyz", "vdb1")
    found = crypt_mapping.mapping_named("vg-data")
    assert found is not None
    assert (found.uuid, found.below) == ("", ("vdb1",))
    assert crypt_mapping.mapping_on_device("vdb1") is None


def test_nothing_is_found_where_nothing_is_open(sysfs: Path) -> None:
    assert (crypt_mapping.mapping_named("data"), crypt_mapping.mapping_on_device("vdb1")) == (None, None)
    assert sysfs.exists()


@pytest.mark.parametrize(
    ("text", "uuid"),
    [
        (DM_UUID, UUID),
        ("CRYPT-LUKS1-e854fff99ac34ef8953eba16cd3fe8af-a-b-c", UUID),
        ("CRYPT-PLAIN-data", ""),
        ("CRYPT-LUKS2-short-data", ""),
        ("LVM-e854fff99ac34ef8953eba16cd3fe8af", ""),
        ("", ""),
    ],
)
def test_uuid_is_read_out_of_the_device_mappers(text: str, uuid: str) -> None:
    assert crypt_mapping.luks_uuid(text) == uuid
