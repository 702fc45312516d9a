"""Time limits of programs that a test lets expire: they begin once the program is where it belongs."""

import subprocess
import time
from pathlib import Path

import pytest


def time_runs_once_there_is(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time limit of a program begins when it has made a file, however long the machine takes to start it."""
    limited = subprocess.Popen.communicate

    def communicate(process: "subprocess.Popen[bytes]", given: bytes, timeout: float) -> tuple[bytes, bytes]:
        latest = time.monotonic() + 60
        while not file.exists() and process.poll() is None and time.monotonic() < latest:
            time.sleep(0.01)
        return limited(process, given, timeout)

    monkeypatch.setattr(subprocess.Popen, "communicate", communicate)
