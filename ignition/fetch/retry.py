"""Attempts with growing, jittered pauses until one succeeds, a limit is reached or a retry is pointless.

The pauses are Ignition's (0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, … s). The jitter is ours: machines that boot together must not retry
together, so each pause is a random part of Ignition's, from a quarter to all of it; docs/fetching.md has the picture. A lower
bound than a quarter does not spread them better, and only sends more requests. A pause that a server requests with Retry-After is
spread as well, but never shortened.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

from ignition.errors import Failure
from ignition.host import log, progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    from ignition.fetch.settings import Settings

    Result = TypeVar("Result")

SHORTEST = 0.25  # of a pause
SPREAD = 0.25  # the maximum delay beyond Retry-After, as a part of it
SAYS_NOTHING_S = 1.0  # the failure of an attempt with less time than this is not evidence about the server
LONGEST_RETRY_AFTER_S = 60.0  # a server may request more; the boot does not wait for it


class Transient(Exception):
    """One attempt failed for a reason that may be temporary. `retry_after_s` is the pause that the server requested."""

    def __init__(self, cause: str, *, fix: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(cause)
        self.cause, self.fix, self.retry_after_s = cause, fix, retry_after_s


def _random() -> float:
    # The `random` module costs 2 ms at import, for one number.
    return int.from_bytes(os.urandom(4), "big") / 2**32


class Clock:
    """Time and randomness, replaceable by tests. `random` returns a number from 0 to below 1."""

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = _random,
    ) -> None:
        self.now, self.sleep, self.random = now, sleep, random


class Deadline:
    """A time limit, which may be infinite."""

    def __init__(self, clock: Clock, limit_s: float | None, *, of_config: bool = True) -> None:
        """`of_config`: a config set the limit, and can change it."""
        self._clock, self.limit_s, self.begin, self._of_config = clock, limit_s, clock.now(), of_config

    def remaining_s(self) -> float | None:
        """Seconds left, at least 0; None without a limit."""
        return None if self.limit_s is None else max(0.0, self.begin + self.limit_s - self._clock.now())

    def within(self, seconds: float | None) -> Deadline:
        """The earlier of this deadline and `seconds` from now (None: this one)."""
        return Deadline(self._clock, self.at_most(seconds), of_config=self._of_config)

    def check(self, what: str = "body") -> None:
        """Raises Failure once the deadline has passed: bytes that arrive later do not count."""
        if self.remaining_s() == 0.0:
            raise Failure(
                f"not fetched within {self.limit_s:g} s: the {what} is not complete",
                fix="check the server, or allow more time: "
                + ("ignition.timeouts.httpTotal" if self._of_config else "-fetch-timeout of ignition"),
            )

    def at_most(self, seconds: float | None) -> float | None:
        """The smaller of `seconds` (None: unlimited) and the time left."""
        left = self.remaining_s()
        if left is None or seconds is None:
            return left if seconds is None else seconds
        return min(left, seconds)

    def elapsed_s(self) -> float:
        """Seconds since the beginning."""
        return self._clock.now() - self.begin


def http_date(text: str) -> float | None:
    """Seconds since 1970 of a date in a header; None for a malformed date."""
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(text[:100]).timestamp()
    except (ValueError, TypeError, ArithmeticError, LookupError, OSError):
        return None


def pauses(settings: Settings, clock: Clock) -> Iterator[float]:
    """Endless jittered pauses in seconds: doubling from the first one to the ceiling, each multiplied by 0.25 to 1."""
    base = settings.first_pause_s
    while True:
        yield base * (SHORTEST + (1 - SHORTEST) * clock.random())
        base = min(base * 2, settings.longest_pause_s)


def until_done(
    attempt: Callable[[Deadline], Result], *, what: str, where: str, settings: Settings, clock: Clock, deadline: Deadline
) -> Result:
    """Call `attempt` until it returns. It raises Transient to be retried, and Failure to give up.

    Raises Failure at `where` with the last cause and the number of attempts once the deadline or `settings.attempts` is reached.
    """
    with progress.Waiting(what, clock.now, detail=progress.network) as waiting:
        return _tried(attempt, waiting, what=what, where=where, settings=settings, clock=clock, deadline=deadline)


def _tried(
    attempt: Callable[[Deadline], Result],
    waiting: progress.Waiting,
    *,
    what: str,
    where: str,
    settings: Settings,
    clock: Clock,
    deadline: Deadline,
) -> Result:
    earlier: Transient | None = None
    waiting.limit(deadline.remaining_s())
    for number, pause in enumerate(pauses(settings, clock), start=1):
        log.debug(f"{what}: attempt {number}")
        given = deadline.remaining_s()
        try:
            return attempt(deadline)
        except Transient as transient:
            wait = _wait(transient, pause, deadline, clock)
            left = deadline.remaining_s()
            if number == settings.attempts or (left is not None and wait >= left):
                # "No answer within 0.001 s" would hide the cause that all earlier attempts had.
                is_cut = left == 0 and given is not None and given < SAYS_NOTHING_S
                last = (earlier if is_cut else None) or transient
                attempts = "1 attempt" if number == 1 else f"{number} attempts"
                limit = f", limit {deadline.limit_s:g} s" if deadline.limit_s is not None else ""
                what = f"{last.cause} ({attempts} in {deadline.elapsed_s():.1f} s{limit})"
                raise Failure(what, where=where, fix=last.fix) from transient
            earlier = transient
            log.info(f"{what}: attempt {number}: {transient.cause}; next in {wait:.1f} s")
            waiting.say(transient.cause, attempt=number, left_s=left)
        clock.sleep(wait)
    raise AssertionError("pauses have no end")


def _wait(transient: Transient, pause: float, deadline: Deadline, clock: Clock) -> float:
    if transient.retry_after_s is None:
        return pause
    asked = min(transient.retry_after_s, LONGEST_RETRY_AFTER_S)
    left = deadline.remaining_s()
    # At most half of the time left: a server that requests more than that is still tried again before the end.
    asked = asked if left is None else min(asked, left / 2)
    return max(pause, asked * (1 + SPREAD * clock.random()))
