"""Where the boot loader's files are looked for: on a machine made of links, records of udev and variables of the firmware."""

import os
from pathlib import Path

import pytest

from ignition.boot_loader import partitions
from ignition.boot_loader.partitions import ESP_TYPE, XBOOTLDR_TYPE
from ignition.errors import Failure
from ignition.host import devices, log, paths

ROOT_TYPE = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"
GUID = "0B54B0B6-54C2-4F5E-9A0D-3D3B0F1B6C01"


class Machine:
    """Disks with partitions, as sysfs, udev and the firmware show them."""

    def __init__(self, top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.top, self.minor = top, 0
        for name in ("sys/dev/block", "sys/class/block", "udev", "by-label", "by-partuuid", "nodes"):
            (top / name).mkdir(parents=True)
        monkeypatch.setattr(devices, "SYSFS", str(top / "sys"))
        monkeypatch.setattr(devices, "node_of", self.node)
        monkeypatch.setattr(partitions, "RECORDS", str(top / "udev"))
        monkeypatch.setattr(partitions, "ESP_LABEL", str(top / "by-label/EFI-SYSTEM"))
        monkeypatch.setattr(partitions, "BY_PARTUUID", str(top / "by-partuuid"))
        monkeypatch.setattr(partitions, "LOADER_DEVICE", str(top / "variable"))
        monkeypatch.setattr(paths, "FLAGGED", str(top / "flagged"))
        self.said: list[str] = []
        monkeypatch.setattr(log, "info", self.said.append)
        self.settled: list[list[str]] = []
        monkeypatch.setattr(partitions, "run", lambda argv, why, timeout_s: self.settled.append(argv))

    def node(self, name: str) -> str:
        """The device node of a kernel name."""
        return str(self.top / "nodes" / name)

    def partition(self, name: str, type_guid: str, *, label: str = "", guid: str = "") -> str:
        """Add vda1 and the like; returns its node."""
        self.minor += 1
        disk = name.rstrip("0123456789")
        directory = self.top / "sys/devices" / disk / name
        directory.mkdir(parents=True)
        (directory / "partition").write_text(f"{name[len(disk) :]}\n")
        (self.top / f"sys/dev/block/254:{self.minor}").symlink_to(directory)
        (self.top / "sys/class/block" / name).symlink_to(directory)
        (self.top / f"udev/b254:{self.minor}").write_text(f"I:1\nE:ID_FS_TYPE=vfat\nE:ID_PART_ENTRY_TYPE={type_guid}\n")
        Path(self.node(name)).touch()
        for folder, link in (("by-label", label), ("by-partuuid", guid)):
            if link:
                (self.top / folder / link).symlink_to(self.node(name))
        return self.node(name)

    def started_from(self, guid: str) -> None:
        """The variable that systemd-boot leaves."""
        (self.top / "variable").write_bytes(b"\x06\0\0\0" + f"{guid}\0".encode("utf-16-le"))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """One without disks."""
    return Machine(tmp_path, monkeypatch)


def test_label_of_our_image_wins_over_the_type(machine: Machine) -> None:
    machine.partition("vda1", ESP_TYPE)
    ours = machine.partition("vdb1", ROOT_TYPE, label="EFI-SYSTEM")
    assert partitions.find() == (ours, "")
    assert machine.settled == [["udevadm", "settle", "--timeout=30"]]


def test_partition_that_the_boot_loader_was_started_from_wins_over_the_label(machine: Machine) -> None:
    machine.partition("vda1", ESP_TYPE, label="EFI-SYSTEM")
    named = machine.partition("vdb1", ESP_TYPE, guid=GUID.lower())
    machine.started_from(GUID)
    assert partitions.find() == (named, "")


def test_only_esp_is_taken_whatever_its_label_and_that_is_said(machine: Machine) -> None:
    machine.partition("vda2", ROOT_TYPE)
    esp = machine.partition("vda1", ESP_TYPE, label="ESP")
    assert partitions.find() == (esp, "")
    assert machine.said == [f"{esp} is the only EFI system partition: used although its label is not EFI-SYSTEM"]


def test_extended_partition_is_that_of_the_same_disk(machine: Machine) -> None:
    machine.partition("vda1", XBOOTLDR_TYPE)
    machine.partition("vdc1", XBOOTLDR_TYPE)
    esp = machine.partition("vdb1", ESP_TYPE, label="EFI-SYSTEM")
    beside = machine.partition("vdb13", XBOOTLDR_TYPE)
    assert partitions.find() == (esp, beside)


def test_extended_partition_of_another_disk_is_not_taken(machine: Machine) -> None:
    esp = machine.partition("vda1", ESP_TYPE, label="EFI-SYSTEM")
    machine.partition("vdb2", XBOOTLDR_TYPE)
    assert partitions.find() == (esp, "")


def test_several_without_a_label_are_refused(machine: Machine) -> None:
    nodes = [machine.partition("vda1", ESP_TYPE), machine.partition("vdb1", ESP_TYPE)]
    with pytest.raises(Failure) as caught:
        partitions.find()
    assert caught.value.what == f"several EFI system partitions found: {', '.join(nodes)}"
    assert caught.value.fix == "set the file system label EFI-SYSTEM on the one with the boot loader"


@pytest.mark.parametrize("udev", [True, False], ids=["other-partitions", "no-records"])
def test_none_is_refused(machine: Machine, udev: bool) -> None:
    if udev:
        machine.partition("vda1", ROOT_TYPE)
    else:
        (machine.top / "udev").rmdir()
    with pytest.raises(Failure, match="no EFI system partition found") as caught:
        partitions.find()
    assert "(PXE), set its arguments on the server" in caught.value.fix


@pytest.mark.parametrize(
    ("flagged", "named", "expected"),
    [(True, False, "by-label/EFI-SYSTEM"), (False, True, f"by-partuuid/{GUID.lower()}")],
    ids=["flag-was-seen", "loader-says-so"],
)
def test_partition_that_must_come_is_waited_for(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, flagged: bool, named: bool, expected: str
) -> None:
    waited: list[str] = []

    def resolve(path: str, *, timeout_s: float) -> str:
        waited.append(path)
        return "/dev/vdz1"

    monkeypatch.setattr(devices, "resolve", resolve)
    machine.partition("vda1", ESP_TYPE)
    if flagged:
        (machine.top / "flagged").touch()
    if named:
        machine.started_from(GUID)
    assert partitions.find() == ("/dev/vdz1", "")
    assert waited == [str(machine.top / expected)]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        pytest.param(None, "", id="no-variable"),
        pytest.param(b"\x06\0\0\0" + f"{GUID}\0".encode("utf-16-le"), GUID.lower(), id="systemd-boot"),
        pytest.param(b"\x06\0\0\0" + GUID.encode("utf-16-le"), GUID.lower(), id="no-end"),
        pytest.param(b"\x06\0\0\0", "", id="empty"),
        pytest.param(b"\x06\0\0\0x", "", id="half-a-character"),
    ],
)
def test_variable_of_the_boot_loader(machine: Machine, content: bytes | None, named: str) -> None:
    if content is not None:
        (machine.top / "variable").write_bytes(content)
    assert partitions.loader_partition() == named


def test_notes_are_on_the_partition_with_the_label_if_there_is_one(machine: Machine) -> None:
    esp = machine.partition("vda1", ESP_TYPE)
    assert partitions.with_notes(esp) == esp
    labelled = machine.partition("vdb1", ESP_TYPE, label="EFI-SYSTEM")
    assert partitions.with_notes(esp) == labelled


def test_record_of_a_device_that_has_gone_is_left_out(machine: Machine) -> None:
    machine.partition("vda1", ESP_TYPE)
    stays = machine.partition("vdb1", ESP_TYPE)
    os.unlink(machine.top / "sys/dev/block/254:1")
    os.symlink("gone", machine.top / "udev/b254:9")
    (machine.top / "udev/c254:2").write_text(f"E:ID_PART_ENTRY_TYPE={ESP_TYPE}\n")
    assert partitions.of_type(ESP_TYPE) == [stays]
