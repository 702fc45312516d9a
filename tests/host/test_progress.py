"""What people are told while a program waits, on a clock of the test's own."""

import io
import sys
import time
from collections.abc import Iterator

import pytest

from ignition.errors import Failure
from ignition.fetch import retry
from ignition.fetch.settings import Settings
from ignition.host import devices, progress
from tests.fetch.server import FakeClock


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """Lines that a person sees on the console of a boot."""
    shown: list[str] = []
    progress.to(shown.append)
    yield shown
    progress.to(None)


def refuse(_: retry.Deadline) -> str:
    raise retry.Transient("connection refused")


def fetch(total_s: float | None, attempts: int | None = None) -> None:
    fake = FakeClock()
    clock = retry.Clock(fake.now, fake.sleep, fake.random)
    deadline = retry.Deadline(clock, total_s)
    settings = Settings(total_s=total_s, attempts=attempts)
    with pytest.raises(Failure):
        retry.until_done(refuse, what="GET http://x/", where="x", settings=settings, clock=clock, deadline=deadline)


def test_console_has_reason_attempt_and_seconds_left_in_few_lines(lines: list[str]) -> None:
    fetch(120.0)
    assert 4 <= len(lines) <= 6
    assert lines[0].startswith("waiting for GET http://x/: connection refused (attempt ")
    assert lines[0].endswith(" s left)")
    left = [int(line.rpartition(", ")[2].partition(" ")[0]) for line in lines]
    assert left == sorted(left, reverse=True) and 100 < left[0] <= 116


def test_number_of_lines_is_bounded_for_a_wait_without_end(lines: list[str]) -> None:
    fetch(None, attempts=5000)  # some four hours
    assert len(lines) <= 14
    assert lines[-1].endswith(", no limit)")


def test_short_wait_is_no_news(lines: list[str]) -> None:
    fetch(3.0)
    assert lines == []


def test_wait_for_a_disk_is_told(lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "POLL_S", 0.04)
    progress.to(lines.append, first_s=0.05)
    with pytest.raises(Failure) as caught:
        devices.wait_for(["/dev/no-such-disk"], timeout_s=0.3)
    assert 1 <= len(lines) <= 4
    assert lines[0] == "waiting for /dev/no-such-disk: not found yet (0 s left)"
    assert caught.value.what == "no such device after 0.3 s: /dev/no-such-disk"
    assert caught.value.fix.startswith("check the device's name, and that the machine has it; there ")


class Terminal(io.StringIO):
    """Somebody sits there."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("is_terminal", [True, False])
def test_person_sees_a_line_every_ten_seconds(*, is_terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal() if is_terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    progress.for_people("ignition render")
    fetch(118.0)
    progress.to(None)
    told = stream.getvalue().splitlines()
    assert (10 <= len(told) <= 16) if is_terminal else told == []
    assert all(line.startswith("ignition render: waiting for GET http://x/: connection refused (attempt ") for line in told)


@pytest.mark.parametrize(("is_terminal", "seconds", "told"), [(True, 0.25, 2), (True, 0.0, 0), (False, 0.25, 0)])
def test_person_is_told_about_long_work(*, is_terminal: bool, seconds: float, told: int, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal() if is_terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "ON_TERMINAL_S", 0.1)
    progress.for_people("ignition plan")
    with progress.working("inspecting disk.raw"):
        time.sleep(seconds)
    progress.to(None)
    assert stream.getvalue() == "ignition plan: inspecting disk.raw (0 s)\n" * told


def test_boot_is_not_told_about_work(lines: list[str]) -> None:
    progress.to(lines.append, first_s=0.01)
    with progress.working("planning"):
        time.sleep(0.05)
    assert lines == []
