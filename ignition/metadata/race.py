"""A config that is on a drive or in a service, whichever answers first. Source: docs/reference/platforms.md §3.3.

Better than Ignition: a drive that is there already needs no network; the service's addresses count one by one, so that an
answer is no worse for an error at another address; and where no source works the boot ends with the reasons instead of going on
without a config.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from ignition.errors import Failure, NeedsNetwork, NotHere
from ignition.host import devices, log
from ignition.metadata.config_source import ConfigSource
from ignition.metadata.drive import LIMIT_S, labelled, named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ignition.fetch.engine import Fetcher

    Turn = Callable[[], AbstractContextManager[bool]]
    Source = Callable[[Turn], bytes]
    Services = Callable[[Fetcher], Mapping[str, Callable[[], bytes]]]  # name → asks it


def drive_or_service(files: Mapping[str, Sequence[str]], services: Services, *, says: str) -> ConfigSource:
    """User data on a labelled drive (label → its files), or in a service that several addresses may have."""

    def fetch(fetcher: Fetcher) -> bytes:
        drives = labelled(files)
        if fetcher.offline:
            devices.settled()
        found = drives.look()
        if found is not None:
            return found
        if fetcher.offline:
            raise NeedsNetwork(f"there is no {drives.says}, and the service is on the network")
        asked = {name: lambda _, ask=ask: ask() for name, ask in services(fetcher).items()}
        return first_answer({drives.says: lambda turn: drives.wait(LIMIT_S, turn), **asked})

    first = next(iter(files.values()))
    return ConfigSource(f"{first[0]} on the {named(tuple(files))}, or, with a network, {says}", fetch, needs_network=False)


def first_answer(sources: Mapping[str, Source]) -> bytes:
    """What the first of several sources says, all asked at once. One that fails is left out; Failure when all do.

    A source does in its `turn` what must not be left half done: a turn gives False when the race is over, and the race is not
    over before a turn ends.
    """
    from queue import SimpleQueue
    from threading import Lock, Thread

    answers: SimpleQueue[tuple[str, bytes | BaseException]] = SimpleQueue()
    lock, over = Lock(), False

    @contextmanager
    def turn() -> Iterator[bool]:
        with lock:
            yield not over

    def ask(name: str, source: Source) -> None:
        try:
            answers.put((name, source(turn)))
        except BaseException as error:  # noqa: BLE001  raised by the waiting thread if it is no failure of the source
            answers.put((name, error))

    for name, source in sources.items():
        Thread(target=ask, args=(name, source), daemon=True).start()
    try:
        return _first_of(answers.get, len(sources))
    finally:
        over = True
        with lock:  # the turn that has begun
            pass


def _first_of(get: Callable[[], tuple[str, bytes | BaseException]], count: int) -> bytes:
    absent, failures = [], []
    for _ in range(count):
        name, answer = get()
        if isinstance(answer, bytes):
            log.info(f"{name} has answered first")
            return answer
        log.warning(f"left out: {answer}")
        if isinstance(answer, NotHere):
            absent.append(str(answer))
        elif isinstance(answer, Failure):
            failures.append(answer)
        else:
            raise answer
    if len(failures) == 1:
        failures[0].what = "; ".join([failures[0].what, *absent])
        raise failures[0]
    what = "; ".join([*map(str, failures), *absent])
    raise Failure(f"no source of the config works: {what}", fix="the platform has to offer one of them")
