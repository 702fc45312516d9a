"""What people are told while a program waits, on a clock of the test's own."""

import io
import os
import pty
import re
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count, pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from ignition.errors import CommandFailed, Failure
from ignition.fetch import retry
from ignition.fetch.resolving import resolve
from ignition.fetch.settings import Settings
from ignition.host import devices, link_addresses, paths, progress
from ignition.host.command import run
from ignition.host.threads import side_by_side
from ignition.metadata.race import first_answer
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
    assert 9 <= len(lines) <= 12
    assert lines[0].startswith("waiting for GET http://x/: connection refused (attempt ")
    assert (
        lines[0].partition(" s left); ")[2].startswith(("no link has an address yet", "there is no network link"))
        or " has " in lines[0]
    )
    left = [int(line.partition(" s left)")[0].rpartition(", ")[2]) for line in lines]
    assert left == sorted(left, reverse=True) and 100 < left[0] <= 110
    assert max(a - b for a, b in pairwise(left)) <= 15  # a pause between attempts is 5 s at most


def test_wait_without_a_limit_says_so(lines: list[str]) -> None:
    fetch(None, attempts=100)
    assert 20 <= len(lines) <= 50
    assert ", no limit); " in lines[-1]


def test_short_wait_is_no_news(lines: list[str]) -> None:
    fetch(9.0)
    assert lines == []


def test_wait_for_a_disk_is_told(lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = count()

    def now() -> float:
        return next(ticks) * 0.01

    monkeypatch.setattr(devices, "time", SimpleNamespace(monotonic=now))
    monkeypatch.setattr(progress, "Waiting", partial(progress.Waiting, now=now))
    monkeypatch.setattr(devices, "POLL_S", 0.001)
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


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A function that lets seconds pass on a clock of the test's own, with a tick of the timer in each."""
    now = time.monotonic()
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now))

    def passes(seconds: float) -> None:
        nonlocal now
        for _ in range(round(seconds)):
            now += 1
            progress._tick()

    return passes


@pytest.mark.parametrize(
    ("is_terminal", "seconds", "told"), [(True, 38, [1, 2, 4, 8, 16, 26, 36]), (True, 0, []), (False, 38, [])]
)
def test_person_is_told_about_long_work_in_growing_pauses(
    *, is_terminal: bool, seconds: float, told: list[int], later: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Terminal() if is_terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    progress.for_people("ignition plan")
    with progress.working("inspecting disk.raw"):
        later(seconds)
    progress.to(None)
    assert stream.getvalue() == "".join(f"ignition plan: working: inspecting disk.raw, {at} s so far\n" for at in told)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Lines of a boot that come every 0.2 s."""
    shown: list[str] = []
    monkeypatch.setattr(progress, "EVERY_S", 0.2)
    progress.to(shown.append, first_s=0.2, about_work=True)
    yield shown
    progress.to(None)


def until_told(lines: list[str]) -> None:
    """Work until the timer has written a line."""
    end = time.monotonic() + 60
    while not lines:
        assert time.monotonic() < end
        time.sleep(0.02)


@contextmanager
def lines_in_time(shown: list[str]) -> Iterator[None]:
    """What the block adds is at most one line for each 0.2 s that it takes, and none if it takes less."""
    before, begin = len(shown), time.monotonic()
    yield
    assert len(shown) - before <= (time.monotonic() - begin) // 0.2


def test_program_that_lasts_is_told_with_its_limit(quick: list[str]) -> None:
    with lines_in_time(quick):
        run(["udevadm", "--help"], why="x")
    quick.clear()
    with lines_in_time(quick), pytest.raises(CommandFailed, match="timed out after 0.7 s"):
        run(["udevadm", "monitor"], why="watching", timeout_s=0.7)
    assert quick
    assert all(re.fullmatch("working: udevadm monitor, [0-9]+ s so far, at most 0.7 s", line) for line in quick)


def test_progress_of_a_copy_is_told_with_the_program_that_makes_it(quick: list[str]) -> None:
    with progress.working("copying", done=lambda: progress.of_total(120 << 20, 800 << 20)), progress.working("cp a b"):
        until_told(quick)
    assert re.fullmatch("working: cp a b, [0-9]+ s so far; 120 of 800 MiB, 15 %", quick[0])


def test_silent_server_is_told_before_it_answers(quick: list[str]) -> None:
    def answer(_: retry.Deadline) -> str:
        until_told(quick)
        return "answer"

    clock = retry.Clock()
    deadline = retry.Deadline(clock, 120)
    assert (
        retry.until_done(answer, what="GET http://x/", where="x", settings=Settings(), clock=clock, deadline=deadline) == "answer"
    )
    assert re.match(r"waiting for GET http://x/: no answer yet \(1[0-9]{2} s left\); ", quick[0])


def test_work_in_other_threads_is_told(quick: list[str]) -> None:
    def work(number: int) -> int:
        with progress.working(f"download {number}"):
            until_told(quick)
        return number

    assert side_by_side(work, [1, 2]) == [1, 2]
    assert re.fullmatch("working: download [12], [0-9]+ s so far", quick[0])


def test_source_of_a_race_that_does_not_answer_is_told(quick: list[str]) -> None:
    def source(_: object) -> bytes:
        with progress.Waiting("GET http://x/"):
            until_told(quick)
        return b"{}"

    assert first_answer({"first": source, "second": source}) == b"{}"
    assert re.match(r"waiting for GET http://x/: no answer yet", quick[0])


def test_slow_resolver_is_told(quick: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(host: str, *_: object, flags: int = 0, **__: object) -> list[str]:
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror
        until_told(quick)
        return [host]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with progress.Waiting("GET http://x/"):
        assert resolve("x", 80, socket.SOCK_STREAM, retry.Deadline(retry.Clock(), None)) == ["x"]
    assert re.match("waiting for GET http://x/: ", quick[0])


def test_time_between_parts_belongs_to_the_whole(later: Callable[[float], None], monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(progress, "_tell_consoles", said.append)
    progress.in_boot("ignition", "stage files")
    for _ in range(9):
        with progress.working("a small file"):
            later(3)
    progress.to(None)
    assert said == [f"ignition: working: stage files, {seconds} s so far" for seconds in (10, 20)]


@pytest.mark.parametrize(
    ("text", "others"),
    [
        pytest.param("ttyS0                -W- (EC  p a)    4:64\n", [], id="one"),
        pytest.param("ttyS0 -W- (EC  p a)    4:64\ntty0 -WU (E     )    4:1\n", ["tty0"], id="two"),
        pytest.param(
            "hvc0 -W- (E   p  )  229:0\ntty0 -WU (EC    )    4:1\nttyS1 -W- (E  p a)    4:65\n", ["hvc0", "ttyS1"], id="three"
        ),
        pytest.param("", [], id="none"),
    ],
)
def test_consoles_but_the_first(text: str, others: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "consoles").write_text(text)
    monkeypatch.setattr(progress, "CONSOLES", str(tmp_path / "consoles"))
    assert progress.other_consoles() == others


def test_lines_of_a_boot_reach_every_console(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    person, device = pty.openpty()
    name = os.ttyname(device).removeprefix("/dev/")
    (tmp_path / "consoles").write_text(f"ttyS0 -W- (EC p a) 4:64\n{name} -W- (E) 4:1\nnone -W- (E) 4:2\n")
    (tmp_path / "initrd-release").touch()
    monkeypatch.setattr(progress, "CONSOLES", str(tmp_path / "consoles"))
    monkeypatch.setattr(paths, "INITRD_RELEASE", str(tmp_path / "initrd-release"))
    progress.in_boot("ignition")
    write = progress._Settings.write
    progress.to(None)
    assert write is not None
    write("waiting")
    assert os.read(person, 100).replace(b"\r", b"") == b"ignition: waiting\n"
    assert capfd.readouterr().out == "ignition: waiting\n"
    os.close(person)
    os.close(device)


@pytest.mark.parametrize(("seconds", "words"), [(90, "90 s"), (120, "2 min"), (3600, "1 h"), (0.7, "0.7 s"), (43200, "12 h")])
def test_limits_in_words(seconds: float, words: str) -> None:
    assert progress.in_time(seconds) == words


@pytest.mark.parametrize(
    ("done", "total", "words"),
    [(0, None, "0 MiB so far"), (3 << 20, 12 << 20, "3 of 12 MiB, 25 %"), (3 << 20, 1, "3 MiB so far"), (5, 0, "0 MiB so far")],
)
def test_bytes_done_in_words(done: int, total: int | None, words: str) -> None:
    assert progress.of_total(done, total) == words


def test_addresses_of_links() -> None:
    """On this machine: whatever it has, the words name links or say that there is none."""
    words = link_addresses.in_words()
    names = [name for _, name in socket.if_nameindex() if name != "lo"]
    assert any(name in words for name in names) if names else words == "there is no network link"
