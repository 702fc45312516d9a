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
    for name in (DISKS_DONE, ROOT_IN_MEMORY, first_boot_mark.EARLIER, first_boot_mark.FAILURES):
        assert f" {name} " in script.replace("\n", " ").replace(".", " "), name
    unit = (Path(__file__).parents[2] / "dracut/35coreos-ignition/ignition-begin.service").read_text()
    assert f" {first_boot_mark.PROGRAM} begin\n" in unit


@pytest.mark.parametrize(
    ("text", "times"),
    [
        pytest.param(None, 0, id="none"),
        pytest.param("0123456789abcdef 2\n", 2, id="two"),
        pytest.param("", 0, id="empty"),
        pytest.param("0123456789abcdef\n", 0, id="no number"),
        pytest.param("0123456789abcdef x\n", 0, id="word"),
        pytest.param("0123456789abcdef -1\n", 0, id="negative"),
        pytest.param("\udcff 2\n", 0, id="not text"),
    ],
)
def test_failures_are_those_that_the_script_counted(tmp_path: Path, text: str | None, times: int) -> None:
    path = tmp_path / "earlier-failures"
    if text is not None:
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert first_boot_mark.earlier_failures(str(path)) == times
