"""Waiting for one of several datasources: each has a thread that polls it, and the first available one wins.

Source: docs/reference/coreos-cloudinit.md §4.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from ignition.cloudinit.datasources import Datasource
from ignition.errors import Failure
from ignition.host import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from queue import SimpleQueue
    from threading import Event

    Answers = SimpleQueue[Datasource | None]


class Limits:
    """In seconds. The pause between two attempts doubles up to the longest."""

    def __init__(self, total_s: float = 300.0, first_pause_s: float = 0.1, longest_pause_s: float = 30.0) -> None:
        self.total_s, self.first_pause_s, self.longest_pause_s = total_s, first_pause_s, longest_pause_s


def first_available(sources: Sequence[Datasource], limits: Limits | None = None) -> Datasource | None:
    """The first available datasource; None once all are finally unavailable, or at the time limit."""
    from queue import Empty, SimpleQueue
    from threading import Event, Thread

    limits = limits or Limits()
    answers: Answers = SimpleQueue()
    stop = Event()
    end = time.monotonic() + limits.total_s
    for source in sources:
        # Daemon threads: one that hangs in a request must not keep the program from ending.
        Thread(target=_poll, args=(source, limits, answers, stop, end), daemon=True).start()
    try:
        for _ in sources:
            found = answers.get(timeout=max(0.0, end - time.monotonic()))
            if found is not None:
                return found
    except Empty:
        log.error(f"no datasource was available within {limits.total_s:g} s")
    finally:
        stop.set()
    return None


def _poll(source: Datasource, limits: Limits, answers: Answers, stop: Event, end: float) -> None:
    """Poll until the source is available or finally unavailable, or until `stop`; then answer."""
    pause = limits.first_pause_s
    while not stop.is_set():
        log.info(f"checking availability of {source.name} at {source.where}")
        try:
            if source.available():
                answers.put(source)
                return
        except (Failure, OSError, ValueError) as error:
            place = source.name if source.where in str(error) else f"{source.name} at {source.where}"
            log.send(log.ERROR if source.final else log.WARNING, f"{place}: {error}")
        if source.final:
            break
        if not stop.is_set():
            left = max(0.0, end - time.monotonic())
            log.info(f"{source.name}: not available yet, next attempt in {pause:.1f} s, {left:.0f} s left")
        stop.wait(pause)
        pause = min(pause * 2, limits.longest_pause_s)
    answers.put(None)
