"""What systemd reads as a calendar event and as a time span, beside what it says itself."""

from __future__ import annotations

import subprocess
from random import Random

import pytest

from ignition.config.advice.unit_values import is_calendar_event, is_timespan
from ignition.config.unit_names import escaped, unescaped

EVENTS = [
    "daily", "Mon", "Mon,Tue 10:00", "Mon..Fri 09:00", "*-*-* 04:00:00", "*:0/15", "2025-01-01", "01-01 00:00", "*-*~01 12:00",
    "@1234567", "Sat *-*-1..7 18:00:00", "weekly UTC", "hourly Europe/Berlin", "semi-annually", "*-2-29 0:0:0.5", "  yearly  ",
]  # fmt: skip
NO_EVENTS = [
    "every day", "dayly", "Mo", "25:00", "10:60", "2025-13-01", "12-32", "*/15", "0 4 * * *", "4am", "10", "Mon..", "1/2/2025",
    "", "@x", "10:00 10:00", "5..2:00",
]  # fmt: skip
SPANS = ["5", "5s", "1min 30s", "2h30m", "infinity", "1.5h", "5 seconds", "1y 12month", ".5s", " 5s ", "0"]
NO_SPANS = ["", "abc", "-5s", "5min.", "forever", "1d,2h", "1h:30", "5 Minuten", "3hrs", "0x10"]


@pytest.mark.parametrize("text", EVENTS)
def test_calendar_event_is_one(text: str) -> None:
    assert is_calendar_event(text)


@pytest.mark.parametrize("text", NO_EVENTS)
def test_other_text_is_not_a_calendar_event(text: str) -> None:
    assert not is_calendar_event(text)


def test_what_systemd_takes_is_not_called_wrong() -> None:
    random = Random(12)  # noqa: S311 nothing secret
    days = ["Mon", "tue..fri", "Sun,Sat", "monday,", "x"]
    dates = ["*-*-*", "*-1/3-5", "2030-2..4-*", "12~3", "-", "7"]
    times = ["04:00", "*:0/10", "1,13:30:15", "UTC", "daily", "*", "24:00", "Foo/Bar"]
    texts = sorted({" ".join(random.sample([*days, *dates, *times], random.choice([1, 2, 2, 3]))) for _ in range(120)})
    refused = [text for text in texts if not is_calendar_event(text)]
    answers = {one: subprocess.run(["systemd-analyze", "calendar", "--", one], capture_output=True) for one in refused}
    assert len(refused) > 50
    assert [one for one, answer in answers.items() if answer.returncode == 0] == []


@pytest.mark.parametrize("text", SPANS)
def test_time_span_is_one(text: str) -> None:
    assert is_timespan(text)


@pytest.mark.parametrize("text", NO_SPANS)
def test_other_text_is_not_a_time_span(text: str) -> None:
    assert not is_timespan(text)


@pytest.mark.parametrize("path", ["/", "/var/log", "/a-b/.c", "/ü b"])
def test_name_of_a_path_is_read_back(path: str) -> None:
    assert unescaped(escaped(path)) == path
