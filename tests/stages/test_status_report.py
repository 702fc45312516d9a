"""The platform hears how a stage ended: when there is a network, and whatever comes of it."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ignition import platforms
from ignition.cli.ignition import FAILED, SUCCESS, main
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher
from ignition.platforms import file as platform_file
from ignition.platforms.packet import PLATFORM as PACKET
from ignition.stages import state, status_report
from tests.fetch.server import Reply, serving
from tests.stages.conftest import Boot

TOP = Path(__file__).parent.parent.parent
Told = list[tuple[str, str]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What the platform `file` hears, which here wants to."""
    heard: Told = []
    monkeypatch.setattr(platform_file.PLATFORM, "report", lambda _, stage, problem: heard.append((stage, problem)))
    return heard


def run(boot: Boot, stage: str, *flags: str) -> int:
    paths = [f"-state-file={boot.run}/state", f"-neednet={boot.run}/neednet", f"-config-cache={boot.run}/cache"]
    return main(["-log-to-stdout", f"-stage={stage}", "-platform=file", f"-root={boot.top}", *paths, *flags])


def test_success_and_failure_are_told(boot: Boot, told: Told) -> None:
    boot.config('{"ignition": {"version": "3.0.0"}}')
    assert run(boot, "fetch") == SUCCESS
    assert run(boot, "kargs") == SUCCESS
    boot.config("{")
    assert run(boot, "fetch") == FAILED
    assert told[:2] == [("fetch", ""), ("kargs", "")]
    ((stage, problem),) = told[2:]
    assert stage == "fetch"
    assert f"{boot.top}/config.ign" in problem or "platform file" in problem


def test_offline_stage_tells_nothing(boot: Boot, told: Told) -> None:
    boot.config('{"ignition": {"version": "3.0.0"}}')
    assert run(boot, "fetch-offline") == SUCCESS
    assert run(boot, "kargs") == SUCCESS
    boot.config("{")
    assert run(boot, "fetch-offline") == FAILED
    assert told == []


def test_stage_after_a_network_was_asked_for_is_told(boot: Boot, told: Told) -> None:
    boot.config('{"ignition": {"version": "3.0.0"}}')
    assert run(boot, "fetch-offline") == SUCCESS
    (boot.run / "neednet").touch()
    assert run(boot, "kargs") == SUCCESS
    assert told == [("kargs", "")]


def test_broken_state_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("{")
    status_report.send(
        lambda *_: pytest.fail("told"), "disks", "", neednet=str(tmp_path / "no"), state_file=str(tmp_path / "state")
    )


def raising(error: Exception) -> Callable[[Fetcher, str, str], None]:
    def report(*_: object) -> None:
        raise error

    return report


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Failure("HTTP status 500", where="http://x.example"), "http://x.example: HTTP status 500"),
        (KeyError("phone_home_url"), "KeyError: 'phone_home_url'"),
    ],
)
def test_report_that_fails_is_logged(
    boot: Boot, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, reason: str
) -> None:
    monkeypatch.setattr(platform_file.PLATFORM, "report", raising(error))
    boot.config('{"ignition": {"version": "3.0.0"}}')
    assert run(boot, "fetch") == SUCCESS
    assert f"reporting the outcome of stage fetch to the platform failed: {reason}" in capsys.readouterr().out


def test_report_is_tried_once(boot: Boot, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    boot.config('{"ignition": {"version": "3.0.0"}}')
    with serving({"/": Reply(503)}) as server:
        monkeypatch.setattr(platform_file.PLATFORM, "report", lambda fetcher, *_: fetcher.get(f"{server.url}/"))
        assert run(boot, "fetch") == SUCCESS
        assert len(server.requests) == 1
        reason = f"{server.url}/: HTTP status 503 Service Unavailable (1 attempt in "
    assert f"reporting the outcome of stage fetch to the platform failed: {reason}" in capsys.readouterr().out


def test_report_ends_in_time(boot: Boot, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """As with a resolver that waits for its server, which no time-out of ours ends."""
    stopped = threading.Event()
    monkeypatch.setattr(status_report, "LIMIT_S", 0.3)
    monkeypatch.setattr(platform_file.PLATFORM, "report", lambda *_: stopped.wait(30))
    boot.config('{"ignition": {"version": "3.0.0"}}')
    begin = time.monotonic()
    assert run(boot, "fetch") == SUCCESS
    assert time.monotonic() - begin < 25
    stopped.set()
    assert "reporting the outcome of stage fetch to the platform timed out after 0.3 s" in capsys.readouterr().out


def test_report_without_an_end_does_not_keep_the_program() -> None:
    script = """
import time
from ignition.host import log
from ignition.stages import status_report
log.send = lambda *_, **__: None
status_report.LIMIT_S = 0.1
status_report.send(lambda *_: time.sleep(600), "fetch", "", neednet="", state_file="")
"""
    subprocess.run([sys.executable, "-c", script], cwd=TOP, check=True, timeout=60)


def test_state_says_whether_there_was_a_network(boot: Boot, told: Told) -> None:
    boot.config('{"ignition": {"version": "3.0.0"}}')
    boot.execute("fetch-offline")
    assert not state.load(str(boot.run / "state")).reports
    boot.execute("fetch")
    assert state.load(str(boot.run / "state")).reports


def test_state_is_as_ever_where_nobody_wants_to_know(boot: Boot) -> None:
    boot.config('{"ignition": {"version": "3.0.0"}}')
    boot.execute("fetch")
    assert not state.load(str(boot.run / "state")).reports


def test_only_packet_wants_to_know() -> None:
    assert [name for name in platforms.ids() if platforms.report(name)] == ["packet"]
    assert platforms.report("packet") is PACKET.report
    assert platforms.report("") is None


def test_report_that_cannot_even_begin_changes_nothing(boot: Boot, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(status_report, "send", broken)
    boot.config('{"ignition": {"version": "3.0.0"}}')
    assert run(boot, "fetch") == SUCCESS
    assert told == []


def test_state_that_is_damaged_changes_nothing(boot: Boot, told: Told) -> None:
    assert not status_report._is_online("files", "/no/neednet", str(boot.top))  # a directory
