"""verifies: nothing. It must fail: the harness's own test looks at how."""

from harness.case import Case

TIMEOUT_S = 180
EXPECTED_S = 15


def run(case: Case) -> None:
    """Boots a guest that only sleeps, and expects what it never says."""
    direct = case.image.direct("rdinit=/usr/bin/sleep", "--", "3600")
    with case.machine("sleeper", [], direct=direct) as machine:
        text = machine.wait_for_console("Run /usr/bin/sleep as init process", 150)
        checks = case.checks("a guest that sleeps", machine)
        checks.contains("words of the guest", "words that no guest says", text)
        checks.equal("a sum", 5, 2 + 2)
        checks.done()
