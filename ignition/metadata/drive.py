"""Drives that a platform attaches with its config or its metadata, found by the label of their file system.

Source: docs/reference/platforms.md §2.4, §3.4, §4.2. They are mounted read-only on a temporary directory, and only while they are
read. The originals poll for the config once a second, indefinitely; this waits for udev's events, and times out with a message
that names the missing drive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext

from ignition.errors import CommandFailed, Failure, NotFound, NotHere
from ignition.host import devices, labels, limits, log
from ignition.host.temporary_mount import mounted_to_read
from ignition.metadata.config_source import ConfigSource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ignition.fetch.engine import Fetcher
    from ignition.metadata.service import Get

    Candidate = tuple[str, str, Sequence[str]]  # device, its name in messages, files that may hold the config

LIMIT_S = devices.WAIT_S


def reader(directory: str, name: str) -> Get:
    """A function that reads files of a mounted drive, None for a missing one. Raises Failure for a file that cannot be read."""
    from ignition.host.reading import open_inside
    from ignition.host.root import Root

    def get(path: str) -> bytes | None:
        where = f"{path} on {name}"
        try:
            with open_inside(Root(directory, leaving_is_an_error=True), path, where=where) as file:
                content = file.read(limits.IN_MEMORY + 1)
        except NotFound:
            return None
        except OSError as error:  # a damaged disc
            raise Failure(f"cannot be read: {error.strerror}", where=where, fix="attach another drive") from error
        if len(content) > limits.IN_MEMORY:
            raise Failure(f"more than {limits.IN_MEMORY >> 20} MiB", where=where, fix="put a smaller file on the drive")
        return content

    return get


class Drive:
    """A place of metadata: the first drive with one of these labels.

    A drive that cannot be mounted, or lacks the file `needs`, counts as absent.
    """

    def __init__(self, *wanted: str, needs: str = "") -> None:
        self._labels, self._needs, self.says = wanted, needs, described(wanted)

    @contextmanager
    def open(self, _: Fetcher) -> Iterator[Get]:
        """A function that reads files. Raises NotHere if the drive is still missing once udev has settled."""
        node = self._find()
        if not node:
            devices.settled()
            node = self._find()
        if not node:
            raise NotHere(f"there is no {self.says}")
        with ExitStack() as stack:
            try:
                directory = stack.enter_context(mounted_to_read(node))
            except CommandFailed as error:
                log.warning(str(error))
                raise NotHere(f"{self.says} ({node}) cannot be mounted") from error
            get = reader(directory, self.says)
            if self._needs and get(self._needs) is None:
                raise NotHere(f"{self.says} ({node}) has no file {self._needs}")
            yield get

    def _find(self) -> str:
        return next((node for label in self._labels if (node := labels.find(label))), "")


class Search:
    """Looks for the config on drives, repeatedly. A drive without a config file, or with an empty one, holds no config: `b""`.

    `candidates` yields the drives that are present now; `most` is the number of drives there can be, 0 if unknown. Drives without
    the file `marker` are ignored, if it is set. `wanted` tells whether a file's content may be the config.
    """

    def __init__(
        self,
        says: str,
        candidates: Callable[[], Iterator[Candidate]],
        *,
        most: int = 0,
        marker: str = "",
        wanted: Callable[[bytes], bool] = bool,
    ) -> None:
        self.says, self._candidates, self._most, self._marker, self._wanted = says, candidates, most, marker, wanted
        self._done: dict[str, str] = {}  # device → the reason why it could not be read; "" for a drive without the marker

    def look(self) -> bytes | None:
        """The config if a drive is present now, else None. A drive that could not be read is not tried again."""
        for node, name, paths in self._candidates():
            if node in self._done:
                continue
            try:
                with mounted_to_read(node) as directory:
                    get = reader(directory, name)
                    if not self._marker or get(self._marker) is not None:
                        return next((content for path in paths if (content := get(path)) and self._wanted(content)), b"")
                    self._done[node] = ""
            except Failure as failure:
                log.warning(f"{name}: {failure}")
                self._done[node] = str(failure)
        return None

    def wait(self, limit_s: float, turn: Callable[[], AbstractContextManager[bool]] = lambda: nullcontext(True)) -> bytes:
        """The config. `turn` yields False once the config is no longer wanted (see race.py).

        Raises NotHere if no drive appears in time, and Failure with the reasons if drives appeared but could not be read.
        """
        for _ in devices.moments(limit_s, self.says):
            with turn() as wanted:
                content = self.look() if wanted else b""
            if content is not None:
                return content
            # Every drive that can appear has appeared, and none could be read: waiting longer cannot help.
            if self._most and len(self._done) == self._most:
                break
        reasons = [reason for reason in self._done.values() if reason]
        if reasons:
            raise Failure("; ".join(reasons), where=self.says, fix="attach a readable drive")
        raise NotHere(f"no {self.says} after {limit_s:g} s")


def labelled(files: Mapping[str, Sequence[str]], *, wanted: Callable[[bytes], bool] = bool) -> Search:
    """A search for drives by their labels, each with the files that may hold the config."""

    def candidates() -> Iterator[Candidate]:
        for label, paths in files.items():
            node = labels.find(label)
            if node:
                yield node, described((label,)), paths

    return Search(described(tuple(files)), candidates, most=len(files), wanted=wanted)


def drive(
    files: Mapping[str, Sequence[str]],
    *,
    limit_s: float = LIMIT_S,
    absent_is_none: bool = False,
    wanted: Callable[[bytes], bool] = bool,
    says: str = "",
) -> ConfigSource:
    """User data on the first drive with one of the labels: label → its files.

    `absent_is_none`: a machine without such a drive, or with an unreadable one, has no config; otherwise the boot fails.
    """

    def fetch(_: Fetcher) -> bytes:
        return awaited(labelled(files, wanted=wanted), limit_s, absent_is_none=absent_is_none)

    places = [f"{' or '.join(paths)} on the {described((label,))}" for label, paths in files.items()]
    return ConfigSource(says or ", or ".join(places), fetch, needs_network=False)


def awaited(search: Search, limit_s: float, *, absent_is_none: bool = False) -> bytes:
    """The config that the search finds in time. Raises Failure, also for an absent drive, unless that means "no config"."""
    try:
        return search.wait(limit_s)
    except (NotHere, Failure) as reason:
        if absent_is_none:
            log.warning(f"continuing without a config: {reason}")
            return b""
        if isinstance(reason, Failure):
            raise
        raise Failure(str(reason), fix="attach the drive with the config") from reason


def described(labels: Sequence[str]) -> str:
    """Drives with these labels, as messages and the manual name them."""
    return f"drive labelled {' or '.join(labels)}"
