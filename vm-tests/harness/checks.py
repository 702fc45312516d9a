"""Expectations that are gathered, so that one expensive boot reports everything that is wrong with it."""

import re
from collections.abc import Iterable
from pathlib import Path

from harness.errors import Failed


class Checks:
    """A list of failed expectations; done() raises when there are any."""

    def __init__(self, subject: str, console: Path | None = None) -> None:
        self.subject, self.console = subject, console
        self.failures: list[str] = []
        self.count = 0

    def true(self, what: str, condition: object, seen: object = "") -> None:
        """Something must hold; seen is shown when it does not."""
        self._judge(what, bool(condition), "it holds", seen)

    def equal(self, what: str, expected: object, seen: object) -> None:
        """Two values must be equal."""
        self._judge(what, expected == seen, repr(expected), repr(seen))

    def contains(self, what: str, expected: Iterable[str] | str, text: str) -> None:
        """Each expected string must occur in text."""
        for needle in [expected] if isinstance(expected, str) else expected:
            self._judge(what, needle in text, f"text with {needle!r}", text)

    def lacks(self, what: str, unwanted: str, text: str) -> None:
        """A string must not occur in text (a secret, an error)."""
        self._judge(what, unwanted not in text, f"no {unwanted!r}", f"it, {text.count(unwanted)} times")

    def matches(self, what: str, pattern: str, text: str) -> None:
        """A regular expression must be found in text."""
        self._judge(what, re.search(pattern, text, re.MULTILINE), f"a match of {pattern!r}", text)

    def done(self) -> None:
        """Raises Failed with every failed expectation and the console log's place."""
        if not self.failures:
            return
        where = f"\nconsole log: {self.console}" if self.console else ""
        heading = f"{self.subject}: {len(self.failures)} of {self.count} expectations failed"
        raise Failed("\n".join([heading, *self.failures]) + where)

    def _judge(self, what: str, good: object, expected: object, seen: object) -> None:
        self.count += 1
        if not good:
            self.failures.append(f"- {what}\n    expected: {_short(expected)}\n    seen:     {_short(seen)}")


def _short(value: object, limit: int = 1500) -> str:
    """A text of bearable length: its beginning and its end."""
    text = str(value) if str(value).strip() else "(nothing)"
    return text if len(text) <= limit else f"{text[: limit // 2]} … {text[-limit // 2 :]}"
