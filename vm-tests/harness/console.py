"""A guest's serial console as the file that QEMU writes. Escape sequences are taken out; nothing is interpreted."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from harness.errors import Failed

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>78]|\x1bc|\r")
POLL_S = 0.2
Found = TypeVar("Found")


class Console:
    """The console log of one boot."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def text(self) -> str:
        """Everything printed so far."""
        if not self.path.exists():
            return ""
        return ESCAPES.sub("", self.path.read_bytes().decode("utf-8", "replace"))

    def tail(self, lines: int = 15) -> str:
        """The last lines that are not empty."""
        return "\n".join([line for line in self.text().splitlines() if line.strip()][-lines:])

    def wait_for(self, pattern: str, timeout_s: float, *, alive: Callable[[], bool], begin: int = 0) -> re.Match[str]:
        """Waits until the pattern is on the console, behind `begin` characters.

        Failed after timeout_s or when the machine has ended.
        """
        wanted = re.compile(pattern, re.MULTILINE)
        return self._wait(lambda text: wanted.search(text, begin), repr(pattern), timeout_s, alive)

    def wait_for_number(self, pattern: str, number: int, end: str, timeout_s: float, *, alive: Callable[[], bool]) -> int:
        """Waits for `number` matches of the pattern or the text `end`; returns the number seen. Failed as in wait_for."""
        wanted = re.compile(pattern)

        def enough(text: str) -> int | None:
            seen = len(wanted.findall(text))
            return seen if seen >= number or end in text else None

        return self._wait(enough, f"{number} of {pattern!r}", timeout_s, alive)

    def _wait(self, look: Callable[[str], Found | None], what: str, timeout_s: float, alive: Callable[[], bool]) -> Found:
        deadline = time.monotonic() + timeout_s
        while True:
            running = alive()
            found = look(self.text())
            if found is not None:
                return found
            if not running:
                raise self.failure(f"{what} on the console", "the machine ended before it came")
            if time.monotonic() > deadline:
                raise self.failure(f"{what} on the console within {timeout_s:g} s", "it never came")
            time.sleep(POLL_S)

    def failure(self, expected: str, seen: str) -> Failed:
        """A failure with the end of the console and the place of all of it."""
        return Failed(f"expected: {expected}\nseen:     {seen}; the last lines:\n{self.tail()}\nconsole log: {self.path}")
