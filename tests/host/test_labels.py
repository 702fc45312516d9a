"""Devices by the label of their file system: by udev's link, or by blkid where udevd does not run."""

from pathlib import Path
from typing import Any

import pytest

from ignition.errors import CommandFailed
from ignition.host import devices, labels

MODPROBE = "modprobe -a virtio_blk sr_mod"
BLKID = "blkid -c /dev/null -o device -t LABEL=config-2 /dev/sr0 /dev/vda"


class Machine:
    """Two drives, an empty one, and the programs that ran."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
        self.ran: list[str] = []
        self.answer, self.has_drivers = (0, "/dev/sr0\n/dev/vda\n"), True
        for name, sectors in (("vda", 2048), ("sr0", 8), ("loop0", 0)):
            (directory / "class/block" / name).mkdir(parents=True)
            (directory / "class/block" / name / "size").write_text(f"{sectors}\n")
        monkeypatch.setattr(devices, "SYSFS", str(directory))
        monkeypatch.setattr(devices, "UDEV_CONTROL", str(directory / "control"))
        monkeypatch.setattr(labels, "LINKS", str(directory))
        monkeypatch.setattr(labels, "run", self._run)
        monkeypatch.setattr(labels, "status_and_output", self._status_and_output)

    def _run(self, argv: list[str], **_: Any) -> str:
        self.ran.append(" ".join(argv))
        if not self.has_drivers:
            raise CommandFailed("no such module", status=1)
        return ""

    def _status_and_output(self, argv: list[str], *, ok: tuple[int, ...], **_: Any) -> tuple[int, str]:
        self.ran.append(" ".join(argv))
        assert self.answer[0] in ok
        return self.answer


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    return Machine(monkeypatch, tmp_path)


def test_link_of_udev_is_followed(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "config-2").symlink_to("/dev/null")
    assert labels.find("config-2") == "/dev/null"
    assert machine.ran == []


def test_udevd_knows_every_label(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "control").touch()
    assert labels.find("config-2") == ""
    assert machine.ran == []


@pytest.mark.parametrize("has_drivers", [True, False])
def test_without_udevd_every_drive_with_a_medium_is_probed(machine: Machine, has_drivers: bool) -> None:
    machine.has_drivers = has_drivers
    assert labels.find("config-2") == "/dev/sr0"
    assert machine.ran == [MODPROBE, BLKID]


def test_label_that_no_drive_has(machine: Machine) -> None:
    machine.answer = (2, "")
    assert labels.find("config-2") == ""
    assert labels.probed("LABEL=config-2") == []


def test_machine_without_drives_is_not_probed(machine: Machine, tmp_path: Path) -> None:
    for name in ("vda", "sr0"):
        (tmp_path / "class/block" / name / "size").write_text("0\n")
    assert labels.probed("LABEL=config-2") == []
    assert machine.ran == []
