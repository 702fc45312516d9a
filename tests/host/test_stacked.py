"""Devices on devices by the names that people know."""

from pathlib import Path

import pytest

from ignition.host import devices


@pytest.fixture
def sysfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(devices, "SYSFS", str(tmp_path))
    monkeypatch.setattr(devices, "MD_DIRECTORY", str(tmp_path / "md"))
    return tmp_path / "class/block"


@pytest.mark.parametrize(
    ("mapping", "uuid", "text"),
    [
        ("data", "CRYPT-LUKS2-7c1d-data", "held by the encrypted volume data"),
        ("group-volume", "LVM-abcdef", "held by the logical volume group/volume"),
        ("my--group-my--data--1", "LVM-abcdef", "held by the logical volume my-group/my-data-1"),
        ("my----group-v", "LVM-abcdef", "held by the logical volume my--group/v"),
        ("linear", "", "held by the mapping linear"),
    ],
)
def test_mapping_has_its_kind_and_name(sysfs: Path, mapping: str, uuid: str, text: str) -> None:
    (sysfs / "dm-3/dm").mkdir(parents=True)
    (sysfs / "dm-3/dm/name").write_text(f"{mapping}\n", encoding="utf-8")
    (sysfs / "dm-3/dm/uuid").write_text(f"{uuid}\n", encoding="utf-8")
    assert devices.describe_holder("dm-3") == text


def test_array_has_the_name_in_dev_md(sysfs: Path) -> None:
    (sysfs / "md127/md").mkdir(parents=True)
    assert devices.describe_holder("md127") == "member of the array /dev/md127"
    links = sysfs.parent.parent / "md"
    links.mkdir()
    (links / "other").symlink_to("../md126")
    (links / "data").symlink_to("../md127")
    assert devices.describe_holder("md127") == f"member of the array {links}/data"


def test_what_is_of_no_known_kind_has_the_name_of_the_kernel(sysfs: Path) -> None:
    assert devices.describe_holder("bcache0") == "held by bcache0"
