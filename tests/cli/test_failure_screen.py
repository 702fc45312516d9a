"""The one screen of a failed first boot."""

from pathlib import Path

import pytest

from ignition.cli.failure_screen import WIDTH, screen, show_failure
from ignition.errors import Failure, InvalidConfig, RootInMemory


class Entry:
    def __init__(self, level: str, text: str) -> None:
        self.level, self.text = level, text

    def __str__(self) -> str:
        return self.text


class Report:
    def __init__(self, *entries: Entry) -> None:
        self.entries = entries


def test_screen_says_stage_place_cause_and_remedy() -> None:
    text = screen("disks", Failure("no such disk", where="$.storage.disks.0.device", fix="attach the disk"))
    assert "The first boot failed in the stage 'disks'." in text
    assert "where: $.storage.disks.0.device" in text
    assert "what:  no such disk" in text
    assert "do:    attach the disk" in text


def test_screen_without_fix_points_to_the_journal() -> None:
    assert "do:    see the journal: journalctl --identifier=ignition --all" in screen("files", Failure("x"))


def test_screen_shows_every_error_of_a_config_but_no_warning() -> None:
    report = Report(Entry("error", "error at $.a"), Entry("warning", "warning at $.b"), Entry("error", "error at $.c"))
    text = screen("fetch", InvalidConfig("the config is not valid", report=report))
    assert [line for line in text.splitlines() if line.startswith("  - ")] == ["  - error at $.a", "  - error at $.c"]


def test_screen_counts_the_errors_it_leaves_out() -> None:
    report = Report(*(Entry("error", f"error {number}") for number in range(15)))
    assert "… and 3 more, in the journal" in screen("fetch", InvalidConfig("bad", report=report))


@pytest.mark.parametrize("what", ["word " * 60, "two\nlines"], ids=["long", "lines"])
def test_screen_fits_a_serial_console(what: str) -> None:
    assert max(len(line) for line in screen("files", Failure(what)).splitlines()) <= WIDTH


def test_screen_is_written_beside_the_state_file(tmp_path: Path) -> None:
    show_failure("files", str(tmp_path / "state"), Failure("boom"))
    assert "boom" in (tmp_path / "failure.txt").read_text()


def test_screen_that_cannot_be_written_does_not_raise(tmp_path: Path) -> None:
    show_failure("files", str(tmp_path / "none" / "state"), Failure("boom"))
    assert list(tmp_path.iterdir()) == []


def test_screen_says_that_nothing_is_lost_only_where_that_is_true() -> None:
    assert "Nothing is lost" in screen("disks", Failure("x"))
    assert "Nothing is lost" not in screen("disks", RootInMemory("x"))
    assert "Leave the machine on: ROOT's contents would be lost." in screen("disks", RootInMemory("x"))
