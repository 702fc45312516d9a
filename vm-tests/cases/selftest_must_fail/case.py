"""verifies: the harness itself: a case whose expectation does not hold fails, and says what was expected, what was seen,
and where the console log is.
"""

from harness.case import Case
from harness.nested import run_nested

TIMEOUT_S = 300
EXPECTED_S = 10


def run(case: Case) -> None:
    """Runs a case that must fail."""
    nested = run_nested(case, "fails", 240)
    checks = case.checks("a case that must fail")
    checks.equal("exit status", 1, nested.status)
    checks.contains("start and end", ["fails: started\n", "fails: FAILED after "], nested.output)
    checks.contains("all failed expectations", ["words of the guest", "a sum", "expected: 5", "seen:     4"], nested.output)
    checks.matches("summary", r"^0 passed, 1 failed$", nested.output)
    consoles = nested.consoles()
    checks.equal("console logs", 1, len(consoles))
    for console in consoles:
        checks.contains("place of the console log", f"console log: {console}", nested.output)
        checks.contains("content of the console log", "Linux version", console.read_text(encoding="utf-8", errors="replace"))
    checks.equal("processes left behind", [], nested.left_running())
    checks.done()
