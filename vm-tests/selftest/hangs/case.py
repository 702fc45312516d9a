"""verifies: nothing. It never ends by itself: the harness's own test looks at how it is ended."""

from harness.case import Case

TIMEOUT_S = 60
EXPECTED_S = 60


def run(case: Case) -> None:
    """Boots a guest that only sleeps, and waits for its login."""
    direct = case.image.direct("rdinit=/usr/bin/sleep", "--", "3600")
    with case.machine("sleeper", [], direct=direct) as machine:
        machine.wait_for_login(3600)
