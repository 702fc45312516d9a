"""The config that a machine would get, for commands that people run: `ignition render`, `simulate`, `plan`, `facts`.

The boot's own pipeline (docs/reference/ignition-config.md §4), without its journal, files and root. Every value remembers its
place in the sources (config/origins.py), and findings are shown with their source lines on standard error.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce

from ignition.cli.flags import DIRECTORIES, Flag, UsageError, duration, platforms_with_config, wants_colour
from ignition.config import origins
from ignition.config.report import ERROR, Entry, Report, dotted, split
from ignition.errors import Failure
from ignition.host import log, progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ignition.config.model import Config
    from ignition.config.report import Path
    from ignition.fetch.engine import Fetcher
    from ignition.fetch.settings import Settings
    from ignition.rendering.parsing import Reader

PATIENCE = "2m0s"
STDIN = "-"

BASE_DIR = Flag(
    "base-dir",
    (),
    "directory with base.ign, base.d, base.platform.d, user.ign and default.ign, over which the config is laid; may be"
    " repeated, and the first has priority (default: the machine's own if there is no URL or FILE)",
    value="DIRECTORY",
    offers=DIRECTORIES,
)
FETCH_TIMEOUT = Flag(
    "fetch-timeout",
    "",
    "limit for fetching the config itself, all attempts included; if given, also for each config that is referred to, even"
    f" where the config allows more (default {PATIENCE})",
    value="DURATION",
    parse=duration,
)
PLATFORM = Flag(
    "platform",
    "",
    "platform whose fragments in base.platform.d and whose dynamic data are used",
    value="ID",
    offers=platforms_with_config,
)


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Configs have no cycles, and looking for them takes half the time of a large one."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def merged(
    words: Sequence[str],
    base_dirs: tuple[str, ...],
    platform: str,
    timeout_s: float,
    *,
    is_limit: bool,
    offline: bool = False,
) -> Config:
    """The config that the stages of a boot would use, its values marked. Raises Failure, UsageError.

    `words`: files, URLs or STDIN, each laid over those before it, as base configs are; none: user.ign of the base
    directories. `is_limit`: no fetch takes longer than `timeout_s`. `offline`: a request over the network raises NeedsNetwork.
    """
    if words.count(STDIN) > 1:
        raise UsageError("standard input (-) can be given only once")
    from ignition.fetch.engine import Fetcher
    from ignition.rendering import system_configs
    from ignition.rendering.render import initial_settings

    for directory in base_dirs:
        if not os.path.isdir(directory):
            raise Failure("directory does not exist", where=directory)
    directories = base_dirs if base_dirs or words else None

    reader = _reader(platform)
    base = system_configs.base(platform, directories, reader)

    class Limited(Fetcher):
        """As patient as the person: what a machine waits for is not what somebody at a terminal does."""

        def apply(self, settings: Settings) -> None:
            total_s = settings.total_s
            super().apply(settings.evolve(total_s=timeout_s if total_s is None else min(total_s, timeout_s)))

    kind = Limited if is_limit and timeout_s else Fetcher
    found: list[Config] = []
    for word in words or ("",):
        # Settings of one config, such as its timeouts, are not those of the next.
        with kind(initial_settings(timeout_s), offline=offline) as fetcher:
            found.append(_user_config(word, directories, fetcher, reader))
    together = reduce(system_configs.over, found)
    if len(found) > 1:
        _refuse_invalid(together, "the configs are invalid together; a boot would fail")
    return system_configs.over(base, together)


def _user_config(word: str, directories: tuple[str, ...] | None, fetcher: Fetcher, reader: Reader) -> Config:
    from ignition.config.model import Config
    from ignition.rendering import system_configs
    from ignition.rendering.render import follow

    place, content = _found(word, directories, fetcher)
    config = reader.read(content, place)
    if config is None:
        found = system_configs.default(directories)
        config = reader.read(found[1], found[0]) if found else None
        if found is None or config is None:
            log.warning(f"no Ignition config in {place}; only base configs are used")
            return Config()
        log.warning(f"no Ignition config in {place}; {found[0]} is used instead")
        place = found[0]
    with progress.working(f"following the references of {place}"):
        config, _ = follow(config, place, fetcher, reader)
    _refuse_invalid(config, "the merged config is invalid; a boot would fail")
    return config


def _refuse_invalid(config: Config, message: str) -> None:
    """Show the errors of a merged config at the places in its sources. Raises Failure with the message if there are any."""
    from ignition.config import check_merged

    errors = [entry for entry in check_merged(origins.plain(config)).entries if entry.level == ERROR]
    for entry in errors:
        show(entry, origins.near(config, parts(entry.path)))
    if errors:
        raise Failure(message)


def _found(word: str, directories: tuple[str, ...] | None, fetcher: Fetcher) -> tuple[str, bytes]:
    """The name of the config in messages, and its bytes. Raises Failure."""
    from ignition.config.model import Resource
    from ignition.config.url import scheme
    from ignition.fetch.urls import shown
    from ignition.rendering import system_configs
    from ignition.trust import clear_signed

    if not word:
        return system_configs.user(directories) or ("the base directories (no user.ign)", b"")
    if word == STDIN:
        try:
            return "standard input", clear_signed.unframed(sys.stdin.buffer.read(), "standard input")
        except OSError as error:
            raise Failure(f"the config cannot be read: {error.strerror}", where="standard input") from error
    if scheme(word) and not os.path.exists(word):
        with progress.working(f"fetching {shown(word)}"):
            return shown(word), clear_signed.unframed(fetcher.read(Resource(source=word)), shown(word))
    try:
        with open(word, "rb") as file:
            return word, clear_signed.unframed(file.read(), word)
    except OSError as error:
        raise Failure(f"the config cannot be read: {error.strerror}", where=word) from error


def _reader(platform: str) -> Reader:
    """In place of a boot's reader: findings are shown with their source lines, and values are marked."""
    from ignition.rendering.parsing import Reader, read_text
    from ignition.rendering.sources import marked

    class Showing(Reader):
        def read(self, content: bytes, source: str, *, sealed: bool = False) -> Config | None:
            text, parsed = read_text(content, source, self.platform)
            if parsed.report.entries:
                complain(parsed.report, text)
            if parsed.report.fatal:
                raise Failure("the config is invalid", where=source)
            return marked(parsed, text, source)

    return Showing(platform)


def parts(path: str) -> Path:
    """Of what `dotted` made."""
    return split(path)[1:]


def show(entry: Entry, origin: origins.Origin | None) -> None:
    """A finding about the result, at the place in a source that it comes from."""
    level, message, fix, rule = entry.level, entry.message, entry.fix, entry.rule
    if origin is None:
        place = Entry(level=level, message=message, fix=fix, rule=rule, path=entry.path)
        return complain(Report(entries=(place,), source="the result"), b"")
    place = Entry(
        level=level, message=message, fix=fix, rule=rule, path=dotted(origin.path), line=origin.line, column=origin.column
    )
    return complain(Report(entries=(place,), source=origin.source.name), origin.source.text)


def complain(report: Report, text: bytes) -> None:
    """Show the findings about a text on standard error, with its lines."""
    from ignition.config.text.display import display

    print(display(report, text, colour=wants_colour(sys.stderr)), file=sys.stderr)


def tell_people(program: str) -> None:
    """Show warnings and errors on standard error instead of the journal, after the name of the program."""

    def tell(priority: int, message: str) -> None:
        if priority <= log.WARNING:
            print(f"{program}: {message}", file=sys.stderr)

    log.divert(tell)
