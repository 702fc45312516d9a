"""Progress messages while a program waits or works: the object, the reason, the attempt, the time left, the bytes done.

Lines are enough: a progress bar (rich, tqdm) would be a package more on every machine, and a serial console keeps lines only.

In a boot, whatever lasts longer than 10 s is reported every 10 s on all consoles, and in the journal. The units send standard
output to /dev/console (StandardOutput=journal+console), which is only one of several consoles (`console=` on the kernel command
line): the others are written to here. A person at a terminal gets the first line after a second.

A timer of the process (setitimer(2)) interrupts a blocking call to write the line, so that no thread is needed: programs are
started with functions between fork and exec (command.py). Children do not inherit the timer.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress

from ignition.host import paths

EVERY_S = 10.0  # between lines
ON_TERMINAL_S = 1.0  # the first line for a person who sits there; the next ones follow in growing pauses
CONSOLES = (
    "/proc/consoles"  # name, what it can do, flags: `C` marks the one behind /dev/console (fs/proc/consoles.c in the kernel)
)
_TICK_S = 1.0  # how often the timer looks whether a line is due
_HOUR, _MINUTE = 3600, 60


class _Settings:
    write: Callable[[str], None] | None = None
    first_s = EVERY_S
    about_work = False
    whole: Activity | None = None  # the program's work as a whole
    active: list[Activity] = []  # the outermost first
    is_timed = False  # whether the handler of the timer is set: without it, the signal would end the process
    is_running = False  # the timer


def to(write: Callable[[str], None] | None, *, first_s: float = EVERY_S, about_work: bool = False) -> None:
    """Set, once per process, where lines go; by default they are dropped.

    `first_s`: the time before the first line; pauses grow from it to EVERY_S. `about_work`: of `working`, too.
    """
    _Settings.write, _Settings.first_s, _Settings.about_work = write, first_s, about_work
    _Settings.whole = None
    _set_timer(0)


def in_boot(program: str, whole: str = "") -> None:
    """Lines on all consoles, also about work. `whole` names all that the process does, for the time between its parts."""
    to(lambda text: _tell_consoles(f"{program}: {text}"), about_work=True)
    _Settings.whole = working(whole) if whole else None  # it ends with `to(None)`


def before_threads() -> None:
    """Called by the main thread before it starts others: only it can set the handler of the timer."""
    if _Settings.write is None or _Settings.is_timed:
        return
    import signal  # half a millisecond, which the stages without waits and programs save

    with suppress(ValueError):  # not the main thread: lines are written between attempts only
        signal.signal(signal.SIGALRM, lambda *_: _tick())
        signal.siginterrupt(signal.SIGALRM, False)  # calls within C libraries continue
        _Settings.is_timed = True


def for_people(program: str) -> None:
    """Lines on standard error, if it is a terminal; those of a boot in an initramfs, otherwise none."""
    import sys

    if not sys.stderr.isatty():
        if os.path.exists(paths.INITRD_RELEASE):
            in_boot(program)
        else:
            to(None)
    else:
        to(lambda text: _tell(f"{program}: {text}\n"), first_s=ON_TERMINAL_S, about_work=True)


def _tell(line: str) -> None:
    import sys

    with suppress(RuntimeError):  # the timer came while a line of the program itself was being written
        sys.stderr.write(line)


def _tell_consoles(line: str) -> None:
    """Without Python's buffers, which the interrupted code may be using."""
    text = line.encode("utf-8", "backslashreplace")
    with suppress(OSError):
        os.write(1, text + b"\n")
    if not os.path.exists(paths.INITRD_RELEASE):
        return
    for name in other_consoles():
        # A serial port without a reader must not stop a boot.
        with suppress(OSError):
            descriptor = os.open(f"/dev/{name}", os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                os.write(descriptor, text + b"\r\n")
            finally:
                os.close(descriptor)


def other_consoles() -> list[str]:
    """The names below /dev of the kernel's consoles but the one behind /dev/console."""
    found = []
    with suppress(OSError), open(CONSOLES, encoding="ascii", newline="\n") as file:
        for line in file:
            name, _, rest = line.partition(" ")
            if "C" not in rest.partition("(")[2].partition(")")[0]:
                found.append(name)
    return found


class Activity:
    """Something that may last: a line is due when it has lasted for a while, and then again every EVERY_S.

    A context manager. `done` words how far it is ("120 of 800 MiB, 15 %"), `detail` what else may help; both are only called for
    a line.
    """

    def __init__(self, now: Callable[[], float], done: Callable[[], str] | None, detail: Callable[[], str] | None) -> None:
        self._now, self.done, self.detail = now, done, detail
        self._begin = now()
        self._next_s = _Settings.first_s

    def begin(self) -> None:
        """From now on the timer may write a line about it."""
        if _Settings.write is not None:
            _Settings.active.append(self)
            before_threads()
            if not _Settings.is_running:
                _set_timer(min(_TICK_S, _Settings.first_s))

    def __exit__(self, *_: object) -> None:
        with suppress(ValueError):  # entered before lines were wanted
            _Settings.active.remove(self)
            if not _Settings.active and not _Settings.whole:
                _set_timer(0)

    def is_due(self) -> bool:
        """Whether it has lasted long enough for a line."""
        return self._now() - self._begin >= self._next_s

    def postpone(self) -> None:
        """A line was written, of this one or of another: the next one comes later."""
        lasted = self._now() - self._begin
        self._next_s = max(self._next_s, lasted + min(max(lasted, _Settings.first_s), EVERY_S))

    def lasted_s(self) -> float:
        """Seconds since its beginning."""
        return self._now() - self._begin

    def line(self) -> str:
        """Its line, without `done` and `detail`."""
        raise NotImplementedError  # each kind of activity has its own


class Waiting(Activity):
    """One wait for `what` ("GET http://…", "device /dev/vdb")."""

    def __init__(self, what: str, now: Callable[[], float] = time.monotonic, *, detail: Callable[[], str] | None = None) -> None:
        super().__init__(now, None, detail)
        self._what = what
        self._reason, self._attempt, self._end_s = "no answer yet", 0, 0.0
        self._left: float | None = None

    def __enter__(self) -> Waiting:
        self.begin()
        return self

    def say(self, reason: str, *, attempt: int = 0, left_s: float | None = None) -> None:
        """Report why the wait goes on, if a line is due. `left_s`: None for a wait without a time limit."""
        self._reason, self._attempt = reason, attempt
        self.limit(left_s)
        if _Settings.write is not None and self.is_due():
            _write(self)

    def limit(self, left_s: float | None) -> None:
        """The time left from now; None without a limit."""
        self._left, self._end_s = left_s, self.lasted_s() + (left_s or 0.0)

    def line(self) -> str:
        facts = [f"attempt {self._attempt}"] if self._attempt else []
        facts.append("no limit" if self._left is None else f"{max(0.0, self._end_s - self.lasted_s()):.0f} s left")
        return f"waiting for {self._what}: {self._reason} ({', '.join(facts)})"


class working(Activity):  # noqa: N801  used like a function: `with progress.working("formatting /dev/vdb"):`
    """Work that may last: a program, a copy, a download, the planning of a large disk.

    `what`: in words, or a function that returns them. `most_s`: the time limit. `count` adds bytes to those done of `total`.
    """

    def __init__(
        self,
        what: str | Callable[[], str],
        *,
        most_s: float | None = None,
        done: Callable[[], str] | None = None,
        total: int | None = None,
        detail: Callable[[], str] | None = None,
    ) -> None:
        super().__init__(time.monotonic, done, detail)
        self._what, self._most_s = what, most_s
        self._bytes, self._total = 0, total

    def __enter__(self) -> working:
        if _Settings.about_work:
            self.begin()
        return self

    def count(self, length: int) -> None:
        """So many bytes more are done."""
        self._bytes += length
        self.done = self._counted

    def _counted(self) -> str:
        return of_total(self._bytes, self._total)

    def line(self) -> str:
        what = self._what if isinstance(self._what, str) else self._what()
        limit = f", at most {in_time(self._most_s)}" if self._most_s else ""
        return f"working: {what}, {self.lasted_s():.0f} s so far{limit}"


def of_total(done: int, total: int | None) -> str:
    """`120 of 800 MiB, 15 %`; without a total, or beyond it, only the first part."""
    mib = f"{done / (1 << 20):.0f}"
    return f"{mib} of {total / (1 << 20):.0f} MiB, {100 * done // total} %" if total and total >= done else f"{mib} MiB so far"


def in_time(seconds: float) -> str:
    """`90 s`, `15 min`, `1 h`: in the largest unit of which it is a whole number."""
    whole = round(seconds)
    for unit, name in ((_HOUR, "h"), (_MINUTE, "min")):
        if whole >= unit and whole % unit == 0:
            return f"{whole // unit} {name}"
    return f"{seconds:g} s"


def network() -> str:
    """The links with their addresses, for a wait for a server."""
    from ignition.host.link_addresses import in_words

    return in_words()


def _set_timer(seconds: float) -> None:
    if _Settings.is_timed and (seconds or _Settings.is_running):
        import signal

        signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
        _Settings.is_running = seconds > 0


def _all() -> list[Activity]:
    return [*([_Settings.whole] if _Settings.whole else []), *_Settings.active]


def _tick() -> None:
    """One line, of the innermost that is due; those around it wait as long again."""
    if _Settings.write is not None:
        due = next((one for one in reversed(_all()) if one.is_due()), None)
        if due is not None:
            _write(due)


def _write(activity: Activity) -> None:
    around = [activity, *reversed(_all())]
    more = [next((say() for one in around if (say := one.done)), ""), activity.detail() if activity.detail else ""]
    for one in around:
        one.postpone()
    if _Settings.write is not None:
        _Settings.write("; ".join([activity.line(), *filter(None, more)]))
