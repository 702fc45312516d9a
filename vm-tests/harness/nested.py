"""Runs run.py inside a case, for the tests of the harness itself, and looks for processes and files that it leaves behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.case import Case

TOP = Path(__file__).resolve().parent.parent
CASES = TOP / "selftest"
POLL_S = 0.2


@dataclass(frozen=True)
class NestedRun:
    """How a run of run.py ended: status None if it had to be killed."""

    status: int | None
    output: str
    seconds: float
    work: Path

    def consoles(self) -> list[Path]:
        """The console logs that it left."""
        return sorted(self.work.rglob("*.console.log"))

    def left_running(self) -> list[str]:
        """Command lines of processes that still use its folder."""
        return [line for line in _command_lines() if str(self.work) in line]


def run_nested(case: Case, name: str, limit_s: float, stop_when: Callable[[Path], bool] | None = None) -> NestedRun:
    """Runs one of the selftest cases; with stop_when SIGTERM is sent as soon as that holds for its folder."""
    work = case.work / f"nested-{name}{'-stopped' if stop_when else ''}"
    argv = [sys.executable, str(TOP / "run.py"), "--cases-dir", str(CASES), "--case", name, "--work", str(work)]
    argv += ["--image", str(case.image.folder)]
    output = case.work / f"{work.name}.log"
    started = time.monotonic()
    with output.open("wb") as log, subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as process:
        stopped = stop_when is None
        while process.poll() is None and time.monotonic() - started < limit_s:
            if not stopped and stop_when is not None and stop_when(work):
                process.send_signal(signal.SIGTERM)
                stopped = True
            time.sleep(POLL_S)
        status = process.poll()
        process.kill()
    return NestedRun(status, output.read_text(encoding="utf-8"), time.monotonic() - started, work)


def _command_lines() -> list[str]:
    """The command lines of all processes but this one."""
    lines = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and int(folder.name) != os.getpid():
            try:
                lines.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
            except OSError:
                continue
    return lines
