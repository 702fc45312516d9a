"""Which disks a machine has, read from a tree like sysfs and from properties like udev's."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from ignition.host import devices, machine_disks, paths, root_device

PROPERTIES = {
    "sda": {"ID_BUS": "ata", "ID_MODEL": "QEMU_HARDDISK", "ID_SERIAL": "QEMU_HARDDISK_WX1", "ID_SERIAL_SHORT": "WX1"},
    "sdb": {"ID_BUS": "usb", "ID_SERIAL": "Stick_0:0"},
    "sdc": {"ID_BUS": "scsi", "ID_SERIAL": "0QEMU_QEMU_HARDDISK_s-3", "ID_SCSI_SERIAL": "s-3"},
    "vda": {"ID_SERIAL": "v-1"},
    "nvme0n1": {"ID_SERIAL": "QEMU NVMe Ctrl_n-1", "ID_SERIAL_SHORT": "n-1", "ID_MODEL": "QEMU NVMe Ctrl"},
}


@pytest.fixture
def sysfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(devices, "SYSFS", str(tmp_path))
    monkeypatch.setattr(root_device, "read", lambda: None)
    monkeypatch.setattr(paths, "ESP", str(tmp_path / "none"))
    (tmp_path / "block").mkdir()
    (tmp_path / "class").mkdir()
    (tmp_path / "class/block").symlink_to(tmp_path / "block")
    return tmp_path / "block"


def add(sysfs: Path, name: str, members: Mapping[str, str], *, size: int = 2048) -> None:
    for path, content in {"size": f"{size}\n", "removable": "0\n", **members}.items():
        (sysfs / name / path).parent.mkdir(parents=True, exist_ok=True)
        (sysfs / name / path).write_text(content)


def test_disks_are_described_in_all_spellings(sysfs: Path) -> None:
    add(sysfs, "sda", {"device/model": "QEMU HARDDISK   \n"}, size=1 << 21)
    add(sysfs, "sdb", {"device/model": "Stick \n", "removable": "1\n"})
    add(sysfs, "sdc", {"device/model": "QEMU HARDDISK\n"})
    add(sysfs, "vda", {"device/x": "", "serial": "v-1\n"})
    add(sysfs, "nvme0n1", {"device/model": "QEMU NVMe Ctrl      \n", "device/serial": "n-1 \n"})
    add(sysfs, "mmcblk0", {"device/name": "SD16G\n", "device/serial": "0x1234\n"})
    found = machine_disks.probe(lambda name: PROPERTIES.get(name, {}))
    assert [(d.name, d.size, d.serials, d.models, d.transport, d.removable, d.user) for d in found] == [
        ("sda", 1 << 30, ("WX1", "QEMU_HARDDISK_WX1"), ("QEMU HARDDISK", "QEMU_HARDDISK"), "ata", False, ""),
        ("sdb", 1 << 20, ("Stick_0:0",), ("Stick",), "usb", True, ""),
        ("sdc", 1 << 20, ("s-3", "0QEMU_QEMU_HARDDISK_s-3"), ("QEMU HARDDISK",), "scsi", False, ""),
        ("vda", 1 << 20, ("v-1",), (), "virtio", False, ""),
        ("mmcblk0", 1 << 20, ("0x1234",), ("SD16G",), "mmc", False, ""),
        ("nvme0n1", 1 << 20, ("n-1", "QEMU NVMe Ctrl_n-1"), ("QEMU NVMe Ctrl",), "nvme", False, ""),
    ]


@pytest.mark.parametrize(
    ("name", "members", "size"),
    [
        pytest.param("loop0", {}, 2048, id="no hardware"),
        pytest.param("sr0", {"device/x": ""}, 2048, id="optical drive"),
        pytest.param("fd0", {"device/x": ""}, 2048, id="floppy drive"),
        pytest.param("mmcblk0boot1", {"device/x": ""}, 2048, id="boot area of a memory card"),
        pytest.param("nvme0c0n1", {"device/x": "", "hidden": "1\n"}, 2048, id="one path of several"),
        pytest.param("sdb", {"device/x": ""}, 0, id="no medium"),
    ],
)
def test_what_is_no_disk(sysfs: Path, name: str, members: dict[str, str], size: int) -> None:
    add(sysfs, name, members, size=size)
    assert machine_disks.probe(lambda _: {}) == []


def test_user_of_a_partition_uses_the_disk(sysfs: Path) -> None:
    add(sysfs, "vda", {"device/x": "", "vda2/partition": "2\n", "vda2/start": "0\n", "vda2/size": "8\n", "vda2/holders/md0": ""})
    (sysfs / "vda2").symlink_to(sysfs / "vda/vda2")
    (sysfs / "vda2/device").parent.mkdir(exist_ok=True)
    [disk] = [disk for disk in machine_disks.probe(lambda _: {}) if disk.name == "vda"]
    assert disk.user == "partition 2 is held by md0"


def test_disk_below_the_array_that_holds_root(sysfs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("vda", "vdb", "vdc"):
        add(sysfs, name, {"device/x": ""})
    for name in ("vda", "vdb"):
        add(sysfs, f"{name}/{name}1", {"partition": "1\n"})
        (sysfs / f"{name}1").symlink_to(sysfs / f"{name}/{name}1")
        (sysfs / f"md0/slaves/{name}1").mkdir(parents=True)

    (sysfs.parent / "md0").touch()
    (sysfs.parent / "vdc").touch()

    class Root:
        def node(self) -> str:
            return str(sysfs.parent / "md0")

    monkeypatch.setattr(root_device, "read", Root)
    monkeypatch.setattr(devices, "name_of", lambda node: Path(node).name)
    found = {disk.name: disk.user for disk in machine_disks.probe(lambda _: {})}
    assert found == {"vda": "it holds ROOT", "vdb": "it holds ROOT", "vdc": ""}
    monkeypatch.setattr(paths, "ESP", str(sysfs.parent / "vdc"))
    assert {disk.name: disk.user for disk in machine_disks.probe(lambda _: {})} == found | {"vdc": "it holds EFI-SYSTEM"}


@pytest.mark.parametrize(
    ("name", "properties", "transport"),
    [
        ("nvme0n1", {"ID_BUS": "x"}, "nvme"),
        ("vda", {}, "virtio"),
        ("mmcblk0", {}, "mmc"),
        ("xvda", {}, "xen"),
        ("dasda", {"ID_BUS": "x"}, "ccw"),
        ("sda", {"ID_BUS": "usb"}, "usb"),
        ("sda", {}, ""),
    ],
)
def test_bus_of_a_disk(sysfs: Path, name: str, properties: dict[str, str], transport: str) -> None:
    add(sysfs, name, {"device/x": ""})
    [disk] = machine_disks.probe(lambda _: properties)
    assert disk.transport == transport


def test_disks_are_in_the_order_of_their_names(sysfs: Path) -> None:
    for name in ("sdaa", "sdz", "sdb"):
        add(sysfs, name, {"device/x": ""})
    assert [disk.name for disk in machine_disks.probe(lambda _: {})] == ["sdb", "sdz", "sdaa"]


@pytest.mark.parametrize("name", ["mmcblk0rpmb", "mmcblk0gp1", "mmcblk12boot0", "sr10", "fd1"])
def test_areas_of_cards_and_drives_are_no_disks(sysfs: Path, name: str) -> None:
    add(sysfs, name, {"device/x": ""})
    assert machine_disks.probe(lambda _: {}) == []


def test_name_of_a_memory_card_comes_first(sysfs: Path) -> None:
    add(sysfs, "mmcblk0", {"device/name": "SD16G\n", "device/model": "model\n"})
    [disk] = machine_disks.probe(lambda _: {"ID_MODEL": "model_of_udev"})
    assert disk.models == ("SD16G", "model", "model_of_udev")
