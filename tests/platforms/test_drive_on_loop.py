"""Drives that are block devices: found by blkid, mounted by mount(8), and gone afterwards. ISO, FAT and UDF: vm-tests."""

from pathlib import Path

import pytest

from ignition import platforms
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from ignition.host import devices, labels
from ignition.metadata.table import opened
from tests.loop_devices import MakeLoop, make_ext4, make_loop, mounts_of
from tests.platforms import samples
from tests.platforms.samples import CONFIG
from tests.platforms.test_samples import described

__all__ = ["make_loop"]
pytestmark = pytest.mark.root
OFFLINE = Fetcher(Settings(), offline=True)
SAMPLE = next(sample for name, sample in samples.drives() if name == "powervs")


@pytest.fixture
def node(tmp_path: Path, make_loop: MakeLoop) -> str:
    """The drive of powervs, as ext4."""
    for path, content in SAMPLE.files.items():
        (tmp_path / "tree" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / path).write_bytes(content)
    return make_ext4(make_loop, tmp_path / "tree", SAMPLE.label)


@pytest.fixture(autouse=True)
def no_udev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As early in the initramfs, whatever this host has."""
    monkeypatch.setattr(devices, "UDEV_CONTROL", str(tmp_path / "control"))
    monkeypatch.setattr(labels, "LINKS", str(tmp_path / "by-label"))


def test_drive_is_found_without_udev(node: str) -> None:
    assert labels.find(SAMPLE.label) == node
    assert labels.probed("TYPE=ext4").count(node) == 1
    assert labels.find("config-3") == ""


def test_link_of_udev_counts_first(tmp_path: Path, node: str) -> None:
    (tmp_path / "by-label").mkdir()
    (tmp_path / "by-label/other").symlink_to(node)
    assert labels.find("other") == node


def test_udev_that_runs_has_the_last_word(tmp_path: Path, node: str) -> None:
    (tmp_path / "control").touch()
    assert labels.find(SAMPLE.label) == ""


def test_config_and_metadata_are_read_and_the_drive_is_unmounted(node: str) -> None:
    assert platforms.config_source("powervs").fetch(OFFLINE) == CONFIG
    assert mounts_of(node) == []
    with opened(platforms.metadata("powervs"), OFFLINE) as (_, reader):
        assert len(mounts_of(node)) == 1
        assert described(reader) == (SAMPLE.attributes, SAMPLE.hostname, SAMPLE.ssh_keys)
    assert mounts_of(node) == []
