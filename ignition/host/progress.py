"""Progress messages while a program waits: the object, the reason, the attempt and the time left; in a boot on the console.

For a person at a terminal also while it works. Lines are enough there: commands end within seconds, and a progress bar (rich,
tqdm) would be a package more on every machine.

The number of lines is limited: after some seconds of silence each further line follows when the wait has lasted twice as long, so
that ten minutes produce eight lines. The journal has all attempts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ignition.host import paths

FIRST_S = 4.0  # a shorter wait is not worth a line
ON_TERMINAL_S = 1.0
LONGEST_S = 10.0  # between lines, for a person who sits there


class _Settings:
    write: Callable[[str], None] | None = None
    first_s = FIRST_S
    longest_s: float | None = None
    about_work = False


def to(
    write: Callable[[str], None] | None, *, first_s: float = FIRST_S, longest_s: float | None = None, about_work: bool = False
) -> None:
    """Set, once per process, where lines go; by default they are dropped.

    `first_s`: the time before the first line. `longest_s`: the longest time between two lines. `about_work`: also of `working`.
    """
    _Settings.write, _Settings.first_s, _Settings.longest_s, _Settings.about_work = write, first_s, longest_s, about_work


def for_people(program: str) -> None:
    """Lines on standard error: often on a terminal, few in an initramfs, whose units send it to the console, otherwise none."""
    import os
    import sys

    if not sys.stderr.isatty():
        to((lambda text: _tell(f"{program}: {text}\n")) if os.path.exists(paths.INITRD_RELEASE) else None)
    else:
        to(lambda text: _tell(f"{program}: {text}\n"), first_s=ON_TERMINAL_S, longest_s=LONGEST_S, about_work=True)


def _tell(line: str) -> None:
    import sys

    sys.stderr.write(line)


class Waiting:
    """One wait for `what` ("GET http://…", "device /dev/vdb")."""

    def __init__(self, what: str, now: Callable[[], float] = time.monotonic) -> None:
        self._what, self._now = what, now
        self._begin = now()
        self._next_s = _Settings.first_s

    def say(self, reason: str, *, attempt: int = 0, left_s: float | None = None) -> None:
        """Report why the wait goes on, if a line is due. `left_s`: None for a wait without a time limit."""
        lasted = self._now() - self._begin
        if _Settings.write is None or lasted < self._next_s:
            return
        longest = _Settings.longest_s
        self._next_s = lasted + (lasted if longest is None else min(lasted, longest))
        facts = [f"attempt {attempt}"] if attempt else []
        facts.append("no limit" if left_s is None else f"{left_s:.0f} s left")
        _Settings.write(f"waiting for {self._what}: {reason} ({', '.join(facts)})")


@contextmanager
def working(what: str) -> Iterator[None]:
    """Tell a person at a terminal about work that takes long: "inspecting disk.raw"."""
    write = _Settings.write
    if write is None or not _Settings.about_work:
        yield
        return
    from threading import Event, Thread  # a boot does not need it here

    ended = Event()
    first_s, longest_s = _Settings.first_s, _Settings.longest_s or _Settings.first_s

    def tell() -> None:
        begin, pause_s = time.monotonic(), first_s
        while not ended.wait(pause_s):
            lasted = time.monotonic() - begin
            write(f"{what} ({lasted:.0f} s)")
            pause_s = min(lasted, longest_s)

    # A thread: the work may be a single call, of a program or of the network.
    teller = Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()
