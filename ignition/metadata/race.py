"""A config that is on a drive or in a service, whichever answers first. Source: docs/reference/platforms.md §3.3.

Better than Ignition: a drive that is already attached does not need the network; each address of the service is a source of its
own, so an error at one does not spoil the answer of another; and if all sources fail, the boot fails with the reasons instead of
continuing without a config.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from ignition.errors import Failure, NeedsNetwork, NotHere
from ignition.host import devices, log, progress
from ignition.host.threads import STEP_S
from ignition.metadata.config_source import ConfigSource
from ignition.metadata.drive import LIMIT_S, described, labelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ignition.fetch.engine import Fetcher

    Turn = Callable[[], AbstractContextManager[bool]]
    Source = Callable[[Turn], bytes]
    Services = Callable[[Fetcher], Mapping[str, Callable[[], bytes]]]  # name → request


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
    return ConfigSource(f"{first[0]} on the {described(tuple(files))}, or, with a network, {says}", fetch, needs_network=False)


def first_answer(sources: Mapping[str, Source]) -> bytes:
    """The answer of the first of several sources, all asked at once. Failing sources are skipped; raises Failure if all fail.

    A source does in its `turn` the work that must not be interrupted, such as mounting a drive: a turn yields False once the race
    is over, and the race is not over until a turn that has begun ends.
    """
    from queue import Empty, SimpleQueue
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
        except BaseException as error:  # noqa: BLE001  the waiting thread raises any that is not a Failure
            answers.put((name, error))

    def get() -> tuple[str, bytes | BaseException]:
        while True:  # in steps, as `threads.join`
            with suppress(Empty):
                return answers.get(timeout=STEP_S)

    progress.before_threads()
    # Daemon threads: the losers may wait for a drive or a server for minutes, and must not keep the process alive.
    for name, source in sources.items():
        Thread(target=ask, args=(name, source), daemon=True).start()
    try:
        return _first_of(get, len(sources))
    finally:
        over = True
        with lock:  # wait for the turn that has begun
            pass


def _first_of(get: Callable[[], tuple[str, bytes | BaseException]], count: int) -> bytes:
    """The first of `count` answers that is a config."""
    absent, failures = [], []
    for _ in range(count):
        name, answer = get()
        if isinstance(answer, bytes):
            log.info(f"{name} answered first")
            return answer
        log.warning(f"skipped: {answer}")
        if isinstance(answer, NotHere):
            absent.append(str(answer))
        elif isinstance(answer, Failure):
            failures.append(answer)
        else:
            raise answer
    if len(failures) == 1:  # keeps its own place and fix
        failures[0].what = "; ".join([failures[0].what, *absent])
        raise failures[0]
    what = "; ".join([*map(str, failures), *absent])
    raise Failure(f"no source of the config works: {what}", fix="the platform must provide one of them")
