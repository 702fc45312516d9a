"""What an earlier attempt noted."""

from pathlib import Path

import pytest

from ignition.host import first_boot_mark
from ignition.host.first_boot_mark import DISKS_DONE, ROOT_IN_MEMORY, earlier, note


def test_notes_are_words(tmp_path: Path) -> None:
    (tmp_path / "earlier").write_text("\nroot-in-memory\ndisks-done\n")
    assert earlier(str(tmp_path / "earlier")) == {ROOT_IN_MEMORY, DISKS_DONE}


def test_first_attempt_has_none(tmp_path: Path) -> None:
    assert earlier(str(tmp_path / "earlier")) == frozenset()


def test_note_is_written_by_the_script_beside_the_flag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []
    monkeypatch.setattr(first_boot_mark, "run", lambda argv, **_: ran.append(argv))
    monkeypatch.setattr(first_boot_mark, "PROGRAM", str(tmp_path / "esp"))
    note(DISKS_DONE)
    assert ran == []  # a machine without the script has no flag
    (tmp_path / "esp").touch()
    note(DISKS_DONE)
    note(ROOT_IN_MEMORY)
    assert ran == [[f"{tmp_path}/esp", "note", "disks-done"], [f"{tmp_path}/esp", "note", "root-in-memory"]]


def test_names_are_those_of_the_script() -> None:
    script = (Path(__file__).parents[2] / "dracut/35coreos-ignition/esp").read_text()
    for name in (DISKS_DONE, ROOT_IN_MEMORY, first_boot_mark.EARLIER):
        assert f" {name} " in script.replace("\n", " ").replace(".", " "), name
    unit = (Path(__file__).parents[2] / "dracut/35coreos-ignition/ignition-begin.service").read_text()
    assert f"ExecStart={first_boot_mark.PROGRAM} begin\n" in unit
