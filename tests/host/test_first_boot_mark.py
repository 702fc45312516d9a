"""What an earlier attempt noted."""

from pathlib import Path

from ignition.host.first_boot_mark import DISKS_DONE, earlier


def test_notes_are_words(tmp_path: Path) -> None:
    (tmp_path / "earlier").write_text("\nroot-in-memory\ndisks-done\n")
    assert earlier(str(tmp_path / "earlier")) == {"root-in-memory", DISKS_DONE}


def test_first_attempt_has_none(tmp_path: Path) -> None:
    assert earlier(str(tmp_path / "earlier")) == frozenset()
