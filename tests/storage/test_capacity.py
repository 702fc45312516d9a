"""How large a device will be."""

import pytest

from ignition.config.model.storage import Luks, Raid, Storage
from ignition.storage import gpt
from ignition.storage.capacity import LUKS_HEADER, Planned

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
    [("raid1", 0, 100), ("raid0", 0, 1200), ("linear", 0, 1200), ("raid5", 0, 200), ("raid5", 1, 100), ("mirror", 1, 100)],
)
def test_array_is_as_large_as_its_level_makes_it(level: str, spares: int, mib: int) -> None:
    devices = ("/dev/vdb1", "/dev/vdb2", "/dev/sdz")
    storage = Storage(raid=(Raid(name="r", level=level, devices=devices, spares=spares),))
    assert PLANNED.of("/dev/md/r", storage) == mib * MIB


@pytest.mark.parametrize(("level", "mib"), [("raid6", 200), ("raid10", 200)])
def test_array_of_four(level: str, mib: int) -> None:
    storage = Storage(raid=(Raid(name="r", level=level, devices=("/dev/vdb1", "/dev/vdb2", "/dev/sdz", "/dev/vdb1")),))
    assert PLANNED.of("/dev/md/r", storage) == mib * MIB


@pytest.mark.parametrize("device", ["/dev/mapper/v", "/dev/disk/by-id/dm-name-v"])
def test_volume_loses_its_header(device: str) -> None:
    assert PLANNED.of(device, Storage(luks=(Luks(name="v", device="/dev/vdb1"),))) == 200 * MIB - LUKS_HEADER


def test_what_lies_on_something_unknown_is_unknown() -> None:
    storage = Storage(
        raid=(Raid(name="r", level="raid1", devices=("/dev/vdb1", "/dev/none")),), luks=(Luks(name="v", device="/dev/md/r"),)
    )
    assert PLANNED.of("/dev/mapper/v", storage) is None
