"""The same work for several objects at once, in threads: downloads, and programs that mostly wait for disks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ignition.host import progress

CONCURRENCY = 16  # parallel downloads; more do not help at 20 ms latency, and put load on the server

# The kernel resumes a wait without a time limit after a signal (sem_wait(3) in signal(7)), without a return to Python, where the
# handler of the timer writes the lines of progress: the main thread waits in steps.
STEP_S = 1.0

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Thread
    from typing import TypeVar

    Object = TypeVar("Object")
    Result = TypeVar("Result")


def join(thread: Thread) -> None:
    """Wait for the end of a thread, in steps of STEP_S."""
    while thread.is_alive():
        thread.join(STEP_S)


def side_by_side(work: Callable[[Object], Result], objects: Sequence[Object]) -> list[Result]:
    """The results of `work`, in the order of the objects, of which up to CONCURRENCY are worked on at a time.

    After an exception no further work begins, and once that in progress has ended, the exception of the first object that has one
    is raised: the same as if the objects had been worked on one after the other.
    """
    if len(objects) < 2:
        return [work(one) for one in objects]
    # concurrent.futures imports logging: 20 ms of every boot to save a loop of ten lines.
    from threading import Lock, Thread

    waiting, lock = iter(range(len(objects))), Lock()
    results: dict[int, Result] = {}
    failures: dict[int, BaseException] = {}

    def loop() -> None:
        while True:
            with lock:
                index = None if failures else next(waiting, None)
            if index is None:
                return
            try:
                results[index] = work(objects[index])
            except BaseException as error:  # noqa: BLE001  raised again below, in the thread of the caller
                failures[index] = error

    progress.before_threads()
    threads = [Thread(target=loop) for _ in range(min(CONCURRENCY, len(objects)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        join(thread)
    if failures:
        raise failures[min(failures)]
    return [results[index] for index in range(len(objects))]
