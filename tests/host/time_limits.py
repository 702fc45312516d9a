"""Time limits of programs that a test lets expire: they begin once the program is where it belongs."""

import subprocess
import time
from pathlib import Path

import pytest

from ignition.host import spawn


def time_runs_once_there_is(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time limit of a program begins when it has made a file, however long the machine takes to start it."""
    limited, exchanged = subprocess.Popen.communicate, spawn._exchanged

    def wait() -> None:
        latest = time.monotonic() + 60
        while not file.exists() and time.monotonic() < latest:
            time.sleep(0.01)

    def communicate(process: "subprocess.Popen[bytes]", given: bytes, timeout: float) -> tuple[bytes, bytes]:
        wait()
        return limited(process, given, timeout)

    def exchange(
        descriptors: list[int], to_program: int, stdin: bytes, sources: tuple[int, int], deadline: float
    ) -> tuple[bytes, bytes]:
        left_s = deadline - time.monotonic()
        wait()
        return exchanged(descriptors, to_program, stdin, sources, time.monotonic() + left_s)

    monkeypatch.setattr(subprocess.Popen, "communicate", communicate)
    monkeypatch.setattr(spawn, "_exchanged", exchange)
