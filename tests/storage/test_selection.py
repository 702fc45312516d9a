"""Disks selected by what they are: the choice as a table, its errors, and the links on loop devices."""

import os
from pathlib import Path

import pytest

from ignition.config.model import Storage
from ignition.config.model.extensions import DiskExtension, Select
from ignition.config.model.storage import Disk, Filesystem, Luks, Partition, Raid
from ignition.errors import Failure
from ignition.host import devices, machine_disks
from ignition.host.machine_disks import MachineDisk
from ignition.operation import Context
from ignition.storage import selection

from .conftest import MakeLoop

GIB = 1 << 30
WHERE = "$.storage.disks.0.x-coreos.select"
ROOT = MachineDisk("vda", 10 * GIB, serials=("root",), transport="virtio", user="it holds ROOT")
SMALL = MachineDisk("vdb", GIB, serials=("s-1",), transport="virtio")
LARGE = MachineDisk("sda", 4 * GIB, serials=("WX1", "QEMU_WX1"), models=("QEMU HARDDISK", "QEMU_HARDDISK"), transport="scsi")
STICK = MachineDisk("sdb", GIB // 2, models=("Stick",), transport="usb", removable=True)
NVME = MachineDisk("nvme0n1", 4 * GIB, serials=("n-1",), models=("QEMU NVMe Ctrl",), transport="nvme")
BUSY = MachineDisk("vdc", GIB // 4, serials=("busy",), transport="virtio", user="partition 1 is mounted on /var")
MACHINE = [ROOT, SMALL, LARGE, STICK, NVME, BUSY]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        pytest.param(Select(size="smallest"), ["sdb"], id="smallest: not one in use"),
        pytest.param(Select(size="smallest", removable=False), ["vdb"], id="smallest that is not removable"),
        pytest.param(Select(size="largest"), ["sda", "nvme0n1"], id="largest: not ROOT's, and two of one size"),
        pytest.param(Select(size="largest", transport="nvme"), ["nvme0n1"], id="largest of a transport"),
        pytest.param(Select(serial="s-1"), ["vdb"], id="serial"),
        pytest.param(Select(serial="QEMU_WX1"), ["sda"], id="serial in udev's spelling"),
        pytest.param(Select(serial="root"), ["vda"], id="serial of a disk in use"),
        pytest.param(Select(serial="s-1", size="largest"), ["vdb"], id="serial and size"),
        pytest.param(Select(model="QEMU_HARDDISK"), ["sda"], id="model in udev's spelling"),
        pytest.param(Select(model="QEMU"), [], id="a part of a model"),
        pytest.param(Select(transport="virtio"), ["vdb"], id="transport: not one in use"),
        pytest.param(Select(removable=True), ["sdb"], id="removable"),
        pytest.param(Select(removable=False), ["vdb", "sda", "nvme0n1"], id="not removable"),
        pytest.param(Select(serial="n-1", transport="scsi"), [], id="all predicates count"),
    ],
)
def test_choice(wanted: Select, names: list[str]) -> None:
    matching, others = selection.choose(wanted, MACHINE)
    assert [disk.name for disk in matching] == names
    assert sorted(disk.name for disk in matching) + sorted(d.name for d, _ in others) != []
    assert len(matching) + len(others) == len(MACHINE)


LIST = (
    "/dev/vda (10 GiB, serial root, no model, virtio): transport is not nvme, in use (it holds ROOT): only a serial selects it; "
    "/dev/vdb (1 GiB, serial s-1, no model, virtio): transport is not nvme; "
    "/dev/sdb (0.5 GiB, no serial, model Stick, usb, removable): transport is not nvme, removable"
)


@pytest.mark.parametrize(
    ("wanted", "machine", "what", "fix"),
    [
        pytest.param(
            Select(transport="nvme", removable=False),
            [ROOT, SMALL, STICK],
            f"no disk matches transport nvme, not removable: {LIST}",
            "correct the criteria",
            id="none",
        ),
        pytest.param(
            Select(size="largest"),
            [SMALL, LARGE, NVME],
            "2 disks match largest: /dev/sda (4 GiB, serial WX1, model QEMU HARDDISK, scsi); "
            "/dev/nvme0n1 (4 GiB, serial n-1, model QEMU NVMe Ctrl, nvme). "
            "Not these: /dev/vdb (1 GiB, serial s-1, no model, virtio): not the largest",
            "add criteria, such as the serial, so that exactly one matches",
            id="two",
        ),
        pytest.param(
            Select(serial="a", model="m"),
            [],
            "no disk matches serial a, model m: there are no disks",
            "correct the criteria",
            id="no disk at all",
        ),
        pytest.param(
            Select(serial="a", model="m"),
            [STICK],
            "no disk matches serial a, model m: "
            "/dev/sdb (0.5 GiB, no serial, model Stick, usb, removable): serial is not a, model is not m",
            "correct the criteria",
            id="serial and model",
        ),
    ],
)
def test_not_exactly_one_is_an_error_that_lists_all(
    wanted: Select, machine: list[MachineDisk], what: str, fix: str, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_disks, "probe", lambda: machine)
    monkeypatch.setattr(devices, "moments", lambda *_: iter([None]))
    monkeypatch.setattr(devices, "settled", lambda: None)
    [operation] = selection.plan((Disk(device="/dev/disk/by-ignition/x", extension=DiskExtension(select=wanted)),))
    with pytest.raises(Failure) as caught:
        operation.execute(context)
    assert (caught.value.what, caught.value.where, caught.value.fix) == (what, WHERE, fix)


def test_disk_that_comes_late_is_found(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([[SMALL], [SMALL], [SMALL, NVME]])
    linked = []
    monkeypatch.setattr(machine_disks, "probe", lambda: next(looks))
    monkeypatch.setattr(devices, "moments", lambda *_: iter([None, None, None]))
    monkeypatch.setattr(devices, "settled", lambda: None)
    monkeypatch.setattr(selection, "link", lambda device, node: linked.append((device, node)))
    selection.SelectDisk("/dev/disk/by-ignition/x", Select(transport="nvme"), "$.storage.disks.0").execute(context)
    assert linked == [("/dev/disk/by-ignition/x", "/dev/nvme0n1")]


def test_plan_selects_first_and_links_partitions_after_the_table() -> None:
    disk = Disk(device="/dev/disk/by-ignition/x", extension=DiskExtension(select=Select(size="smallest", removable=False)))
    assert [op.describe() for op in selection.plan((Disk(device="/dev/vdb"), disk))] == [
        "select /dev/disk/by-ignition/x: smallest, not removable ($.storage.disks.1)"
    ]
    assert selection.plan_partitions(disk, "/dev/vdb", "$.storage.disks.1") == []
    for changed in (disk.evolve(wipe_table=True), disk.evolve(partitions=(Partition(number=1),))):
        assert [op.describe() for op in selection.plan_partitions(changed, "/dev/vdb", "$.storage.disks.1")] == [
            "link the partitions of /dev/vdb as /dev/disk/by-ignition/x-part… ($.storage.disks.1)"
        ]
    assert selection.plan_partitions(Disk(device="/dev/vdb", wipe_table=True), "/dev/vdb", "$.storage.disks.1") == []


X = "/dev/disk/by-ignition/x"
SELECTED = (Disk(device=X, extension=DiskExtension(select=Select(size="smallest"))),)


@pytest.mark.parametrize(
    ("storage", "where"),
    [
        (Storage(disks=SELECTED, raid=(Raid(name="r", devices=(f"{X}-part1", f"{X}2")),)), "$.storage.raid.0.devices.1"),
        (Storage(disks=SELECTED, luks=(Luks(name="l", device=f"{X}2"),)), "$.storage.luks.0.device"),
        (
            Storage(disks=SELECTED, filesystems=(Filesystem(device=X), Filesystem(device=f"{X}2"))),
            "$.storage.filesystems.1.device",
        ),
    ],
)
def test_name_that_no_disk_has_is_refused(storage: Storage, where: str) -> None:
    with pytest.raises(Failure) as caught:
        selection.check(storage)
    assert caught.value.what == f"no disk of the config has the name {X}2"
    assert (caught.value.where, caught.value.fix) == (where, "add it to storage.disks, with x-coreos.select")


@pytest.mark.root
def test_links_follow_the_table(make_loop: MakeLoop, tmp_path: Path) -> None:
    from ignition.host import blkpg

    node = make_loop(16)
    directory = tmp_path / "by-ignition"
    descriptor = os.open(node, os.O_RDONLY)
    blkpg.synchronise(descriptor, devices.name_of(node), {1: (1 << 20, 1 << 20), 5: (4 << 20, 1 << 20)})
    selection.link(str(directory / "data"), node)
    (directory / "other").symlink_to("/dev/null")
    (directory / "data-party").symlink_to("/dev/null")
    found = {link.name: os.readlink(link) for link in directory.iterdir()}
    mine = {"other": "/dev/null", "data-party": "/dev/null", "data": node}
    assert found == {**mine, "data-part1": f"{node}p1", "data-part5": f"{node}p5"}
    blkpg.synchronise(descriptor, devices.name_of(node), {2: (1 << 20, 1 << 20)})
    os.close(descriptor)
    selection.link(str(directory / "data"), node)
    assert {link.name: os.readlink(link) for link in directory.iterdir()} == {**mine, "data-part2": f"{node}p2"}
