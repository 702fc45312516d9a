"""verifies: the harness itself: a guest that hangs ends in bounded time with its console log kept; a run that is stopped by
a signal ends at once; in both cases no QEMU is left running.
"""

from pathlib import Path

from harness.case import Case
from harness.nested import NestedRun, run_nested

TIMEOUT_S = 420
EXPECTED_S = 60
WAITS = True  # its guests only sleep

LIMIT_S = 60  # of the case that hangs
GRACE_S = 20


def run(case: Case) -> None:
    """A case that hangs, to its end; then once more, stopped by a signal."""
    nested = run_nested(case, "hangs", LIMIT_S + 120)
    checks = case.checks("a guest that hangs")
    checks.equal("exit status", 1, nested.status)
    checks.true("it ends in time", LIMIT_S <= nested.seconds < LIMIT_S + GRACE_S, f"{nested.seconds:.0f} s")
    checks.contains("reason", f"expected: an end within {LIMIT_S} s", nested.output)
    checks.matches("summary", r"^0 passed, 1 failed$", nested.output)
    checks.contains("console log", [str(path) for path in nested.consoles()] or ["a console log"], nested.output)
    checks.contains("content of the console log", "Linux version", said(nested))
    checks.equal("processes left behind", [], nested.left_running())

    stopped = run_nested(case, "hangs", LIMIT_S + 120, stop_when=has_booted)
    checks.equal("exit status of a stopped run", 130, stopped.status)
    checks.true("a stopped run ends at once", stopped.seconds < LIMIT_S, f"{stopped.seconds:.0f} s")
    checks.contains("words of a stopped run", ["hangs: stopped after", "stopped by SIGTERM"], stopped.output)
    checks.contains("content of the stopped run's console log", "Linux version", said(stopped))
    checks.equal("processes left behind by a stopped run", [], stopped.left_running())
    checks.done()


def has_booted(work: Path) -> bool:
    """True when a guest of the run has said something."""
    return any("Linux version" in path.read_text(encoding="utf-8", errors="replace") for path in work.rglob("*.console.log"))


def said(nested: NestedRun) -> str:
    """The console output of a run's guests."""
    return "".join(path.read_text(encoding="utf-8", errors="replace") for path in nested.consoles())
