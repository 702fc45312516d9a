"""Several objects worked on at once: results in their order, and the failure that working in turn would have raised."""

from __future__ import annotations

import threading
import time

import pytest

from ignition.errors import Failure
from ignition.host.threads import CONCURRENCY, side_by_side


def test_results_are_in_the_order_of_the_objects() -> None:
    def slow_at_first(number: int) -> int:
        time.sleep(0.02 if number < 3 else 0)
        return number * number

    assert side_by_side(slow_at_first, range(40)) == [number * number for number in range(40)]


def test_as_many_at_once_as_allowed() -> None:
    together, inside, most = threading.Barrier(CONCURRENCY, timeout=60), 0, 0
    lock = threading.Lock()

    def meet(_: int) -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        together.wait()
        with lock:
            inside -= 1

    side_by_side(meet, range(2 * CONCURRENCY))
    assert most == CONCURRENCY


def test_failure_of_the_first_object_is_raised_even_if_another_failed_sooner() -> None:
    other_has_failed = threading.Event()

    def fail(number: int) -> None:
        if number == 0:
            assert other_has_failed.wait(60)
        else:
            other_has_failed.set()
        raise Failure(f"object {number}")

    with pytest.raises(Failure, match="object 0"):
        side_by_side(fail, [0, 1])


def test_nothing_begins_after_a_failure() -> None:
    begun: list[int] = []

    def fail(number: int) -> None:
        begun.append(number)
        raise Failure("broken")

    with pytest.raises(Failure, match="broken"):
        side_by_side(fail, range(10 * CONCURRENCY))
    assert len(begun) <= CONCURRENCY


def test_one_object_stays_in_the_thread_of_the_caller() -> None:
    assert side_by_side(lambda _: threading.current_thread(), [1]) == [threading.current_thread()]
    assert side_by_side(lambda _: threading.current_thread(), []) == []
