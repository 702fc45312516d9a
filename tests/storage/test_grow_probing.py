"""What sysfs says of arrays and mappings, here a made-up one. The real one is looked at in the VM case grow_stacks."""

from pathlib import Path

import pytest

from ignition.host import devices
from ignition.host.mounts import Mount
from ignition.host.root import Root
from ignition.storage.grow import keys, probing
from ignition.storage.grow.facts import Array, Disk, Other
from ignition.storage.luks_keys import Keys

KIB = 1024
GROUP, ONE, TWO = "a" * 32, "b" * 32, "c" * 32


class Sysfs:
    """Devices below class/block."""

    def __init__(self, path: Path) -> None:
        self._path = path / "class/block"

    def device(self, name: str, *below: str, **attributes: object) -> None:
        """`attributes`: a double underscore is a slash, another one a dash."""
        directory = self._path / name
        for kind in ("slaves", "holders"):
            (directory / kind).mkdir(parents=True, exist_ok=True)
        for path, value in attributes.items():
            file = directory / path.replace("__", "/").replace("dev_", "dev-")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{value}\n")
        for one in below:
            (directory / "slaves" / one).touch()
            (self._path / one / "holders" / name).touch()


@pytest.fixture
def sysfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sysfs:
    monkeypatch.setattr(devices, "SYSFS", str(tmp_path))
    monkeypatch.setattr(devices, "length", lambda node: 1000 * KIB)
    return Sysfs(tmp_path)


@pytest.fixture
def finder(tmp_path: Path) -> keys.KeyFinder:
    return keys.KeyFinder(Keys(), Root(str(tmp_path)))


def test_array_and_its_members(sysfs: Sysfs, finder: keys.KeyFinder) -> None:
    sysfs.device("vda")
    sysfs.device("vdb")
    facts = {"md__level": "raid1", "md__component_size": 900, "md__degraded": 1}
    sysfs.device("md127", "vda", "vdb", **facts, **{"md__dev_vda__offset": 2048, "md__dev_vdb__offset": 4096})
    found = probing._look("md127", finder)
    assert isinstance(found, Array)
    assert (found.level, found.used, found.missing, found.offsets) == ("raid1", 900 * KIB, 1, (2048 * 512, 4096 * 512))
    assert [(type(one), one.node, one.shared) for one in found.below] == [(Disk, "/dev/vda", ()), (Disk, "/dev/vdb", ())]


def test_second_holder_is_seen(sysfs: Sysfs, finder: keys.KeyFinder) -> None:
    sysfs.device("vda")
    sysfs.device("md1", "vda", md__level="raid1")
    sysfs.device("md2", "vda", md__level="raid1")
    assert probing._look("md1", finder).below[0].shared == ("md2",)


@pytest.mark.parametrize(
    ("uuid", "together"),
    [
        pytest.param(f"LVM-{GROUP}{TWO}", True, id="another volume of the group"),
        pytest.param(f"LVM-{GROUP}{TWO}-pool", True, id="an inner part of the group"),
        pytest.param(f"LVM-{TWO}{TWO}", False, id="another group"),
        pytest.param("CRYPT-LUKS2-1-x", False, id="encryption"),
    ],
)
def test_volumes_of_a_group_belong_together(sysfs: Sysfs, uuid: str, together: bool) -> None:
    sysfs.device("dm-0", dm__uuid=f"LVM-{GROUP}{ONE}")
    sysfs.device("dm-1", dm__uuid=uuid)
    assert probing._belongs_together("dm-0", "dm-1") is together


def test_unknown_mapping_is_named(sysfs: Sysfs, finder: keys.KeyFinder) -> None:
    sysfs.device("sda")
    sysfs.device("dm-0", "sda", dm__uuid="mpath-3600", dm__name="mpatha")
    sysfs.device("dm-1", "sda")
    for name, what in (("dm-0", "mpatha (mpath) is below it"), ("dm-1", "dm-1 (unknown kind) is below it")):
        found = probing._look(name, finder)
        assert isinstance(found, Other)
        assert (found.what, found.fix) == (what, probing.STACKED)
    assert (
        probing.STACKED == "growth goes through md RAID1, LUKS and LVM on partitions or whole disks only: grow the layers by hand"
    )


def test_partition_table_in_an_array_is_named(sysfs: Sysfs, finder: keys.KeyFinder, monkeypatch: pytest.MonkeyPatch) -> None:
    sysfs.device("vda")
    sysfs.device("md127", "vda", md__level="raid1")
    sysfs.device("md127p1")
    monkeypatch.setattr(devices, "partition_of", lambda name: ("md127", 1) if name == "md127p1" else None)
    found = probing._look("md127p1", finder)
    assert isinstance(found, Other)
    assert found.what == "/dev/md127p1 is a partition of /dev/md127, which is made of other devices"


def test_root_on_no_device_is_named(sysfs: Sysfs, finder: keys.KeyFinder) -> None:
    facts = probing.probe(Mount((0, 33), "/", "overlay", "overlay", read_only=False), finder, is_root=True)
    assert (facts.problem, facts.fix) == ("it is on overlay, which is not a block device", "put ROOT on a disk")
