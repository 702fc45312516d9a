"""`ignition render [URL|FILE|-]`: the config that a machine would get, references followed, and where each value is from.

The boot's own pipeline (docs/reference/ignition-config.md §4), without its journal, files and root. The result is JSON of the
newest stable spec that our own parser takes. Exit statuses: 0 fine, 1 invalid, not to be had or not to be said, 2 usage.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ignition.cli.flags import (
    DIRECTORIES,
    FILES,
    GO_ANYWHERE,
    Flag,
    UsageError,
    duration,
    duration_s,
    platforms_with_config,
    wants_colour,
)
from ignition.cli.program import Program
from ignition.config import origins
from ignition.config.report import ERROR, Entry, Report, dotted, split
from ignition.errors import Failure
from ignition.host import log, progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.program import Values
    from ignition.config.model import Config
    from ignition.config.report import Path
    from ignition.fetch.engine import Fetcher
    from ignition.fetch.settings import Settings
    from ignition.rendering.parsing import Reader

FINE, WRONG, USAGE = 0, 1, 2
_PATIENCE = "2m0s"
_STDIN = "-"
_ABOUT = "version"


def _named_place(text: str) -> tuple[str, str]:
    name, equals, path = text.partition("=")
    if not name or not equals or not path.startswith("/"):
        raise ValueError(f"{text!r} is not NAME=PATH with an absolute path")
    return name, path


FLAGS = (
    Flag(
        "base-dir",
        (),
        "directory with base.ign, base.d, base.platform.d, user.ign and default.ign, over which the config is laid; may be"
        " repeated, and the first has priority (default: the machine's own if there is no URL or FILE)",
        value="DIRECTORY",
        offers=DIRECTORIES,
    ),
    Flag(
        "fetch-timeout",
        "",
        "limit for fetching the config itself, all attempts included; if given, also for each config that is referred to, even"
        f" where the config allows more (default {_PATIENCE})",
        value="DURATION",
        parse=duration,
    ),
    Flag(
        "filesystem",
        (),
        "mount point of a file system that a 2.x config refers to by name; may be repeated",
        value="NAME=PATH",
        parse=_named_place,
    ),
    Flag("origin", False, "print one line per value instead of JSON, with the source, line and column that it comes from"),
    Flag(
        "platform",
        "",
        "platform whose fragments in base.platform.d and whose dynamic data are used",
        value="ID",
        offers=platforms_with_config,
    ),
)
PROGRAM = Program(
    "ignition render",
    "print the config that a machine would get",
    FLAGS,
    manual="ignition-render(1)",
    usage=("[URL|FILE|-] [options]",),
    dialect=GO_ANYWHERE,
    operands=FILES,
    version="Ignition",
    statuses={
        FINE: "the config is valid, perhaps with warnings",
        WRONG: "a config is invalid, cannot be fetched, or cannot be expressed in spec 3.x",
        USAGE: "invalid usage",
    },
)


@PROGRAM
def main(values: Values, words: list[str]) -> int:
    """Render one config."""
    if len(words) > 1:
        raise UsageError(f"expected one URL or FILE, got {len(words)}")
    timeout_s = float(int(duration_s(values["fetch-timeout"] or _PATIENCE)))
    log.divert(_tell)
    progress.for_people("ignition render")
    with _without_garbage_collection():
        is_limit = bool(values["fetch-timeout"])
        merged = _merged(words[0] if words else "", values["base-dir"], values["platform"], timeout_s, is_limit=is_limit)
        return _print(merged, dict(values["filesystem"]), with_origins=values["origin"])


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Configs have no cycles, and looking for them takes half the time of a large one."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _merged(word: str, base_dirs: tuple[str, ...], platform: str, timeout_s: float, *, is_limit: bool) -> Config:
    """The config that the stages of a boot would use, its values marked. `is_limit`: no fetch takes longer. Raises Failure."""
    from ignition.fetch.engine import Fetcher
    from ignition.rendering import system_configs
    from ignition.rendering.render import initial_settings

    for directory in base_dirs:
        if not os.path.isdir(directory):
            raise Failure("directory does not exist", where=directory)
    directories = base_dirs if base_dirs or word else None

    reader = _reader(platform)
    base = system_configs.base(platform, directories, reader)

    class Limited(Fetcher):
        """As patient as the person: what a machine waits for is not what somebody at a terminal does."""

        def apply(self, settings: Settings) -> None:
            total_s = settings.total_s
            super().apply(settings.evolve(total_s=timeout_s if total_s is None else min(total_s, timeout_s)))

    kind = Limited if is_limit and timeout_s else Fetcher
    with kind(initial_settings(timeout_s), offline=False) as fetcher:
        return system_configs.over(base, _user_config(word, directories, fetcher, reader))


def _user_config(word: str, directories: tuple[str, ...] | None, fetcher: Fetcher, reader: Reader) -> Config:
    from ignition.config import check_merged
    from ignition.config.model import Config
    from ignition.rendering import system_configs
    from ignition.rendering.render import follow

    place, content = _found(word, directories, fetcher)
    config = reader.read(content, place)
    if config is None:
        found = system_configs.default(directories)
        config = reader.read(found[1], found[0]) if found else None
        if found is None or config is None:
            _tell(log.WARNING, f"no Ignition config in {place}; only base configs are used")
            return Config()
        _tell(log.WARNING, f"no Ignition config in {place}; {found[0]} is used instead")
        place = found[0]
    config, _ = follow(config, place, fetcher, reader)
    errors = [entry for entry in check_merged(origins.plain(config)).entries if entry.level == ERROR]
    for entry in errors:
        _show(entry, origins.near(config, _parts(entry.path)))
    if errors:
        raise Failure("the merged config is invalid; a boot would fail")
    return config


def _found(word: str, directories: tuple[str, ...] | None, fetcher: Fetcher) -> tuple[str, bytes]:
    """The name of the config in messages, and its bytes. Raises Failure."""
    from ignition.config.model import Resource
    from ignition.config.url import scheme
    from ignition.fetch.urls import shown
    from ignition.rendering import system_configs

    if not word:
        return system_configs.user(directories) or ("the base directories (no user.ign)", b"")
    if word == _STDIN:
        try:
            return "standard input", sys.stdin.buffer.read()
        except OSError as error:
            raise Failure(f"the config cannot be read: {error.strerror}", where="standard input") from error
    if scheme(word) and not os.path.exists(word):
        return shown(word), fetcher.read(Resource(source=word))
    try:
        with open(word, "rb") as file:
            return word, file.read()
    except OSError as error:
        raise Failure(f"the config cannot be read: {error.strerror}", where=word) from error


def _reader(platform: str) -> Reader:
    """In place of a boot's reader: findings are shown with their source lines, and values are marked."""
    from ignition.rendering.parsing import Reader, read_text
    from ignition.rendering.sources import marked

    class Showing(Reader):
        def read(self, content: bytes, source: str) -> Config | None:
            text, parsed = read_text(content, source, self.platform)
            if parsed.report.entries:
                _complain(parsed.report, text)
            if parsed.report.fatal:
                raise Failure("the config is invalid", where=source)
            return marked(parsed, text, source)

    return Showing(platform)


def _print(merged: Config, mounts: dict[str, str], *, with_origins: bool) -> int:
    import json

    from ignition.config.cache import plain
    from ignition.config.parse import parse
    from ignition.config.to_spec3 import express

    config, remarks = express(merged, mounts)
    sections = plain(origins.plain(config))
    about = {_ABOUT: config.ignition.version, **sections.pop("ignition", {})}
    text = json.dumps({"ignition": about, **sections}, ensure_ascii=False, indent=2)
    if with_origins:
        print("\n".join(_lines(config)))
    else:
        sys.stdout.buffer.write(f"{text}\n".encode("utf-8", "backslashreplace"))  # JSON is UTF-8, whatever the locale
    for remark in remarks:
        _show(Entry(level=remark.level, message=remark.message, path=dotted(remark.path), fix=remark.fix), remark.origin)
    errors = [entry for entry in parse(text.encode("utf-8", "replace")).report.entries if entry.level == ERROR]
    for entry in errors:
        _show(entry, origins.near(config, _parts(entry.path)))
    return WRONG if errors or any(remark.level == ERROR for remark in remarks) else FINE


def _lines(config: Config) -> list[str]:
    """One per value: path, value, source."""
    import json

    version: Path = ("ignition", _ABOUT)
    found = [(version, config.ignition.version), *(pair for pair in origins.values(config) if pair[0] != version)]
    return [
        f"{dotted(path)} = {json.dumps(origins.bare(value), ensure_ascii=False)}  # {origins.of(value) or 'ignition render'}"
        for path, value in found
    ]


def _parts(path: str) -> Path:
    """Of what `dotted` made."""
    return split(path)[1:]


def _show(entry: Entry, origin: origins.Origin | None) -> None:
    """A finding about the result, at the place in a source that it comes from."""
    level, message, fix, rule = entry.level, entry.message, entry.fix, entry.rule
    if origin is None:
        place = Entry(level=level, message=message, fix=fix, rule=rule, path=entry.path)
        return _complain(Report(entries=(place,), source="the result"), b"")
    place = Entry(
        level=level, message=message, fix=fix, rule=rule, path=dotted(origin.path), line=origin.line, column=origin.column
    )
    return _complain(Report(entries=(place,), source=origin.source.name), origin.source.text)


def _complain(report: Report, text: bytes) -> None:
    from ignition.config.text.display import display

    print(display(report, text, colour=wants_colour(sys.stderr)), file=sys.stderr)


def _tell(priority: int, message: str) -> None:
    """In place of the journal: what a person wants to know."""
    if priority <= log.WARNING:
        print(f"ignition render: {message}", file=sys.stderr)
