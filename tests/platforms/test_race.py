"""Several sources at once: the first that answers counts, and nothing is left half done."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from ignition.errors import Failure, NeedsNetwork, NotHere
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from ignition.metadata.config_source import ConfigSource
from ignition.metadata.race import drive_or_service, first_answer
from tests.platforms.drives import Machine, machine

__all__ = ["machine"]
Turn = Callable[[], AbstractContextManager[bool]]
ONLINE, OFFLINE = Fetcher(Settings(), offline=False), Fetcher(Settings(), offline=True)


def failing(error: BaseException) -> Callable[[Turn], bytes]:
    def source(_: Turn) -> bytes:
        raise error

    return source


def test_first_answer_counts_and_nobody_waits_for_the_rest() -> None:
    never = threading.Event()
    begin = time.monotonic()
    assert first_answer({"slow": lambda _: b"slow" if never.wait(20) else b"late", "quick": lambda _: b"quick"}) == b"quick"
    assert time.monotonic() - begin < 15
    never.set()


def test_empty_answer_is_an_answer() -> None:
    never = threading.Event()
    assert first_answer({"slow": lambda _: b"x" if never.wait(20) else b"", "empty": lambda _: b""}) == b""
    never.set()


def test_source_that_fails_is_left_out() -> None:
    def late(_: Turn) -> bytes:
        time.sleep(0.05)
        return b"late"

    assert first_answer({"a": failing(Failure("broken")), "b": failing(NotHere("absent")), "c": late}) == b"late"


def test_all_reasons_are_named_when_no_source_works() -> None:
    with pytest.raises(Failure) as caught:
        first_answer(
            {
                "a": failing(Failure("broken", where="http://a/")),
                "b": failing(Failure("broken", where="http://b/")),
                "c": failing(NotHere("there is no drive")),
            }
        )
    assert caught.value.what.startswith("no source of the config works: ")
    reasons = caught.value.what.partition(": ")[2].split("; ")
    assert set(reasons) == {"http://a/: broken", "http://b/: broken", "there is no drive"}


def test_one_failure_keeps_its_place() -> None:
    with pytest.raises(Failure) as caught:
        first_answer({"a": failing(Failure("broken", where="http://a/", fix="mend it")), "b": failing(NotHere("no drive"))})
    assert str(caught.value) == "http://a/: broken; no drive (fix: mend it)"


def test_defect_is_no_failure_of_a_source() -> None:
    never = threading.Event()
    with pytest.raises(ZeroDivisionError):
        first_answer({"a": failing(ZeroDivisionError()), "b": lambda _: b"x" if never.wait(20) else b""})
    never.set()


def test_race_is_not_over_before_a_turn_ends_and_no_turn_begins_after_it() -> None:
    inside, done, seen = threading.Event(), threading.Event(), []

    def drive(turn: Turn) -> bytes:
        with turn() as wanted:
            seen.append(wanted)
            inside.set()
            time.sleep(0.2)
            done.set()
        with turn() as wanted:
            seen.append(wanted)
        raise NotHere("too late")

    def service(_: Turn) -> bytes:
        inside.wait(60)
        return b"service"

    assert first_answer({"drive": drive, "service": service}) == b"service"
    assert done.is_set()
    deadline = time.monotonic() + 60
    while len(seen) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert seen == [True, False]


def both(answer: bytes | Failure) -> ConfigSource:
    """A drive `a` or `b` with the file `file`, or a service."""

    def ask() -> bytes:
        if isinstance(answer, Failure):
            raise answer
        return answer

    return drive_or_service({"a": ("file",), "b": ("file",)}, lambda _: {"the service": ask}, says="the service")


@pytest.mark.parametrize("label", ["a", "b"])
def test_drive_that_is_there_needs_no_network(label: str, machine: Machine) -> None:
    machine.attach(label, {"file": b"drive"})
    source = both(b"service")
    assert not source.needs_network
    assert source.fetch(OFFLINE) == source.fetch(ONLINE) == b"drive"
    assert source.says == "file on the drive labelled a or b, or, with a network, the service"


def test_network_is_asked_for_without_a_drive(machine: Machine) -> None:
    with pytest.raises(NeedsNetwork, match="^there is no drive labelled a or b, and the service is on the network"):
        both(b"service").fetch(OFFLINE)
    assert machine.waited_s == 0
    assert both(b"service").fetch(ONLINE) == b"service"


def test_drive_that_cannot_be_read_leaves_the_service(machine: Machine) -> None:
    machine.attach("a", {"file": b"drive"})
    machine.broken.add("a")
    assert both(b"service").fetch(ONLINE) == b"service"
    with pytest.raises(NeedsNetwork):
        both(b"service").fetch(OFFLINE)


def test_late_drive_wins_over_a_service_that_fails(machine: Machine) -> None:
    machine.attach("b", {"file": b"drive"})
    machine.late = 6
    assert both(Failure("HTTP status 500", where="http://x/")).fetch(ONLINE) == b"drive"
    assert machine.waited_s == 90


def test_boot_ends_with_all_reasons_when_nothing_answers(machine: Machine) -> None:
    with pytest.raises(Failure) as caught:
        both(Failure("HTTP status 500", where="http://x/")).fetch(ONLINE)
    assert str(caught.value) == "http://x/: HTTP status 500; no drive labelled a or b after 90 s"
