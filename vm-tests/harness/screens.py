"""The failure screen on a console, compared with a text beside the case.

`WRITE_SCREENS=1 python3 vm-tests/run.py --case NAME` writes the texts again; look at them before you commit them.
"""

import os
import re
from pathlib import Path

from harness.checks import Checks

WRITE = "WRITE_SCREENS"
ROWS, COLUMNS = 24, 80
BELOW = 3  # the number of the attempt, the prompt, and the cursor
_RULE = "=" * 79
_SCREEN = re.compile(rf"^{_RULE}\nThe first boot .*?^{_RULE}\n", re.MULTILINE | re.DOTALL)
# Different in each run: ports of the servers, memory and sizes of the image, numbers of attempts, addresses made of random MACs.
_VARYING = (
    (re.compile(r"(http://10\.0\.2\.2):\d+"), r"\1:PORT"),
    (re.compile(r"\d+ MiB; platform"), "MEMORY MiB; platform"),
    (re.compile(r"(/dev/\w+, )\d+ [GM]iB"), r"\1SIZE"),
    (re.compile(r"\(\d+ attempts? in [\d.]+ s"), "(N attempts in T s"),
)


def screen(console: str) -> str:
    """The first screen in a console's text, without parts that vary; "" if there is none."""
    found = _SCREEN.search(console)
    text = found[0] if found else ""
    for pattern, replacement in _VARYING:
        text = pattern.sub(replacement, text)
    return text


def compare(checks: Checks, console: str, golden: Path) -> None:
    """The screen is exactly this one, and fits on one page of a serial console."""
    seen = screen(console)
    if os.environ.get(WRITE) and seen:
        golden.write_text(seen, encoding="utf-8")
    expected = golden.read_text(encoding="utf-8") if golden.exists() else f"{golden} ({WRITE}=1 writes it)"
    checks.equal("the failure screen", expected, seen)
    lines = seen.splitlines()
    checks.true("it fits on a page", len(lines) <= ROWS - BELOW and all(len(line) < COLUMNS for line in lines), seen)
