"""How large a device will be."""

from pathlib import Path

import pytest

from ignition.config.model.storage import Luks, Raid, Storage
from ignition.host.root_device import RootDevice
from ignition.storage import gpt
from ignition.storage.capacity import Planned

MIB = 1 << 20
GUID = "11111111-2222-4333-8444-555555555555"
TYPE = "0fc63daf-8483-4772-8e79-3d69d8477de4"


def table() -> gpt.Table:
    from ignition.storage.guid import to_bytes

    one = gpt.new_entry(2048, 2048 + 200 * 2048 - 1, type_guid=TYPE, unique=to_bytes(GUID), name="root")
    two = gpt.new_entry(1 << 20, (1 << 20) + 100 * 2048 - 1, type_guid=TYPE, name="other")
    return gpt.empty(512, 1 << 22).with_entries({1: one, 2: two})


NOW = {"/dev/sdz": 900 * MIB}
PLANNED = Planned({"/dev/vdb": table()}, NOW.get)


@pytest.mark.parametrize(
    ("device", "mib"),
    [
        ("/dev/vdb1", 200),
        ("/dev/disk/by-partlabel/root", 200),
        (f"/dev/disk/by-partuuid/{GUID}", 200),
        ("/dev/disk/by-partlabel/other", 100),
        ("/dev/sdz", 900),
        ("/dev/none", None),
    ],
)
def test_partition_counts_as_it_will_be_and_others_as_they_are(device: str, mib: int | None) -> None:
    assert PLANNED.of(device, Storage()) == (None if mib is None else mib * MIB)


@pytest.mark.parametrize(
    ("level", "spares", "mib"),
    [
        *(("raid1", 0, 100), ("raid0", 0, 1200), ("linear", 0, 1200), ("raid5", 0, 200), ("raid5", 1, 100), ("mirror", 1, 100)),
        *(("raid4", 0, 200), ("raid4", 1, 100), ("raid1", 2, 100), ("raid6", 0, 100)),
    ],
)
def test_array_is_as_large_as_its_level_makes_it(level: str, spares: int, mib: int) -> None:
    devices = ("/dev/vdb1", "/dev/vdb2", "/dev/sdz")
    storage = Storage(raid=(Raid(name="r", level=level, devices=devices, spares=spares),))
    assert PLANNED.of("/dev/md/r", storage) == mib * MIB


@pytest.mark.parametrize(("level", "mib"), [("raid6", 200), ("raid10", 200), ("raid4", 300), ("stripe", 1400)])
def test_array_of_four(level: str, mib: int) -> None:
    storage = Storage(raid=(Raid(name="r", level=level, devices=("/dev/vdb1", "/dev/vdb2", "/dev/sdz", "/dev/vdb1")),))
    assert PLANNED.of("/dev/md/r", storage) == mib * MIB


@pytest.mark.parametrize("device", ["/dev/mapper/v", "/dev/disk/by-id/dm-name-v"])
def test_volume_loses_its_header(device: str) -> None:
    assert PLANNED.of(device, Storage(luks=(Luks(name="v", device="/dev/vdb1"),))) == 184 * MIB


def test_what_lies_on_something_unknown_is_unknown() -> None:
    storage = Storage(
        raid=(Raid(name="r", level="raid1", devices=("/dev/vdb1", "/dev/none")),), luks=(Luks(name="v", device="/dev/md/r"),)
    )
    assert PLANNED.of("/dev/mapper/v", storage) is None
    assert PLANNED.of("/dev/md/r", Storage(raid=(Raid(name="r", level="raid1", devices=("/dev/vdb1",), spares=1),))) is None
    assert PLANNED.of("/dev/md/other", storage) is None


def test_volume_smaller_than_its_header_has_no_room() -> None:
    tiny = Planned({}, {"/dev/sdz": MIB}.get)
    assert tiny.of("/dev/mapper/v", Storage(luks=(Luks(name="v", device="/dev/sdz"),))) == 0
    assert tiny.of("/dev/mapper/v", Storage(luks=(Luks(name="v"),))) is None


def test_link_of_a_partition_is_that_of_its_disk(tmp_path: Path) -> None:
    for name, disk in (("ours", "/dev/vdb"), ("another", "/dev/sdz")):
        (tmp_path / name).symlink_to(disk)
    assert PLANNED.of(f"{tmp_path}/ours-part1", Storage()) == 200 * MIB
    assert PLANNED.of(f"{tmp_path}/ours-part2", Storage()) == 100 * MIB
    assert PLANNED.of(f"{tmp_path}/ours-part3", Storage()) is None
    assert PLANNED.of(f"{tmp_path}/another-part1", Storage()) is None


@pytest.mark.parametrize(
    ("device", "node"),
    [
        pytest.param("/dev/md/r", "/dev/md/r", id="array"),
        pytest.param("/dev/disk/by-id/dm-name-v", "/dev/mapper/v", id="volume"),
        pytest.param("/dev/disk/by-partlabel/other", "/dev/vdb2", id="partition by its label"),
        pytest.param("/dev/vdb1", "/dev/vdb1", id="partition that stays"),
        pytest.param("/dev/vdb3", "", id="partition that goes"),
        pytest.param("/dev/nvme0n1p1", "", id="partition of a disk without a table"),
        pytest.param("/dev/vdb", "/dev/vdb", id="disk"),
        pytest.param("/dev/sdz1", "/dev/sdz1", id="partition of another disk"),
    ],
)
def test_target_of_a_path_after_the_changes(device: str, node: str) -> None:
    planned = Planned({"/dev/vdb": table(), "/dev/nvme0n1": None}, NOW.get)
    storage = Storage(raid=(Raid(name="r", level="raid1"),), luks=(Luks(name="v", device="/dev/sdz"),))
    assert planned.node(device, storage) == node


@pytest.mark.parametrize(
    ("text", "now", "nodes"),
    [
        pytest.param("PARTLABEL=root", "", ["/dev/vdb1"], id="made"),
        pytest.param(f"PARTUUID={GUID}", "/dev/vdb3", ["/dev/vdb1"], id="made instead of one on the same disk"),
        pytest.param("PARTLABEL=root", "/dev/sdz1", ["/dev/vdb1", "/dev/sdz1"], id="made beside one on another disk"),
        pytest.param("PARTLABEL=none", "/dev/sdz1", ["/dev/sdz1"], id="kept"),
        pytest.param("PARTLABEL=none", "/dev/nvme0n1p1", [], id="gone with its table"),
    ],
)
def test_partitions_that_root_may_be_after_the_changes(text: str, now: str, nodes: list[str]) -> None:
    assert Planned({"/dev/vdb": table(), "/dev/nvme0n1": None}, NOW.get).named(RootDevice(text), now) == nodes
