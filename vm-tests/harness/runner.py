"""Runs cases, some at a time, each as a process group of its own that is gone when its case is over.

Whatever happens to a case (an exception, a hang, a signal to the runner), its group is killed and its logs are kept.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from harness.case import Case, Definition
from harness.errors import Failed, HarnessError
from harness.image import Image

POLL_S = 0.2
GRACE_S = 5.0
BIG_FILES = ("*.qcow2", "*.raw")


@dataclass(frozen=True)
class Outcome:
    """How a case ended; message is empty when it passed."""

    name: str
    passed: bool
    seconds: float
    message: str
    logs: Path


def report(outcome: Outcome) -> str:
    """How a case ended, in words: one line, and what was expected and seen when it failed."""
    if outcome.passed:
        return f"{outcome.name}: passed in {outcome.seconds:.0f} s"
    logs = " ".join(sorted(str(path) for path in outcome.logs.glob("*.log")))
    text = "\n    ".join(outcome.message.splitlines())
    return f"{outcome.name}: FAILED after {outcome.seconds:.0f} s\n    {text}\n    logs: {logs}"


class Interrupted(Exception):
    """The runner was asked to stop."""


@dataclass
class _Running:
    definition: Definition
    work: Path
    process: subprocess.Popen[bytes]
    started: float

    def seconds(self) -> float:
        return time.monotonic() - self.started


class Runner:
    """Starts cases in order, at most jobs at a time and one that waits, and reports each start and end through say."""

    def __init__(self, program: Sequence[str], images: Mapping[str, Image], work: Path, jobs: int, *, keep: bool,
                 say: Callable[[str], None]) -> None:  # fmt: skip
        """images: by suite."""
        self.program, self.images, self.work, self.jobs, self.keep, self.say = list(program), images, work, jobs, keep, say
        self.running: list[_Running] = []
        self.outcomes: list[Outcome] = []

    def run(self, definitions: Sequence[Definition]) -> list[Outcome]:
        """Runs all; longest first, so that two at a time end together. Raises Interrupted on SIGINT and SIGTERM."""
        waiting = sorted(definitions, key=lambda definition: definition.expected_s)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _interrupt)
        try:
            while waiting or self.running:
                while definition := self._next(waiting):
                    waiting.remove(definition)
                    self._start(definition)
                self._look()
                time.sleep(POLL_S)
        finally:
            for running in self.running:
                _end_group(running.process)
                self.say(f"{running.definition.label}: stopped after {running.seconds():.0f} s; logs: {running.work}")
        return self.outcomes

    def _next(self, waiting: Sequence[Definition]) -> Definition | None:
        """The last one that may start now: a case that waits runs beside the jobs, one at a time."""
        waits = [running.definition.waits for running in self.running]
        free = {False: waits.count(False) < self.jobs, True: True not in waits}
        return next((one for one in reversed(waiting) if free[one.waits]), None)

    def _start(self, definition: Definition) -> None:
        work = self.work / definition.label
        work.mkdir(parents=True, exist_ok=True)
        argv = ["setpriv", "--pdeathsig", "TERM", *self.program, "--image", str(self.images[definition.suite].folder)]
        argv += ["--work", str(work), "--run-here", definition.label]
        with (work / "case.log").open("wb") as log:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.running.append(_Running(definition, work, process, time.monotonic()))
        self.say(f"{definition.label}: started")

    def _look(self) -> None:
        """Notices cases that ended, and ends those whose time is over."""
        for running in list(self.running):
            late = running.seconds() > running.definition.timeout_s
            if running.process.poll() is None and not late:
                continue
            _end_group(running.process)
            self.running.remove(running)
            self._finish(running, late=late)

    def _finish(self, running: _Running, *, late: bool) -> None:
        name, work, seconds = running.definition.label, running.work, running.seconds()
        message = _message(work, running.process.returncode)
        if late:
            message = f"expected: an end within {running.definition.timeout_s:.0f} s\nseen:     it still ran and was killed"
        self.outcomes.append(Outcome(name, not message, seconds, message, work))
        self.say(report(self.outcomes[-1]))
        self._tidy(work, passed=not message)

    def _tidy(self, work: Path, *, passed: bool) -> None:
        """Passed: nothing stays. Failed: the logs and configs stay, the disks only with keep."""
        if self.keep:
            return
        if passed:
            shutil.rmtree(work, ignore_errors=True)
        for pattern in BIG_FILES:
            for path in work.glob(pattern):
                path.unlink()


def run_here(definition: Definition, work: Path, image: Image) -> int:
    """Runs a case in this process and leaves result.json; the runner's other half."""
    message = ""
    try:
        definition.run(Case(definition.name, definition.folder, work, image))
    except (Failed, HarnessError) as error:
        message = str(error)
    except Exception:  # noqa: BLE001 - the edge of a case: whatever it was, the runner reports it
        message = traceback.format_exc()
    print(message, file=sys.stderr)
    (work / "result.json").write_text(json.dumps({"message": message}), encoding="utf-8")
    return 1 if message else 0


def _message(work: Path, status: int) -> str:
    """Why a case failed, "" when it passed."""
    with contextlib.suppress(OSError, ValueError):
        return str(json.loads((work / "result.json").read_text(encoding="utf-8"))["message"])
    return f"expected: a result of the case\nseen:     none; its process ended with status {status}"


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Ends everything a case has started: asks first, then kills."""
    for number, patience_s in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, GRACE_S)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline and _group_lives(process):
            time.sleep(0.05)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_S)


def _group_lives(process: subprocess.Popen[bytes]) -> bool:
    """True while any process of the group exists; reaps the leader."""
    process.poll()
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise Interrupted(signal.Signals(number).name)
