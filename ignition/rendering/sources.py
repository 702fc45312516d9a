"""Where the texts of a config say a value: `$.storage.disks.0` of what was merged → source, line and column.

The fetch stages render the texts that they have read once more, with marks (config/origins.py), as `render --origin` does,
and leave a table of places beside the state, for failures of later stages. It holds no text: nothing of it is secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress

from ignition.errors import Failure
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from ignition.host import atomic, log, paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.model import Config, Resource
    from ignition.config.origins import Origin
    from ignition.config.parse import Parsed
    from ignition.config.report import Path, Report
    from ignition.errors import InvalidConfig
    from ignition.rendering.parsing import Read

MOST = 1 << 20  # bytes of all texts that are looked through: of 10 MiB it takes a second
_PLACE = re.compile(r"\$(?:\.[\w-]+)+")
_BEHIND_SOURCE = re.compile(r":\d+ \($")


class Sources:
    """The texts of the user config, the config itself first, then what it refers to in the order of reading."""

    def __init__(self, platform: str) -> None:
        self._platform = platform
        self._texts: list[tuple[str, bytes]] = []
        self._marked: Config | None = None

    def reading(self, read: Read) -> Read:
        """The same reader, whose texts are kept as far as they are configs."""

        def read_and_keep(content: bytes, name: str) -> Config | None:
            config = read(content, name)
            if config is not None:
                self._texts.append((name, content))
            return config

        return read_and_keep

    def save(self, state_file: str) -> None:
        """Leave the places of all values for the later stages, beside the state: names, lines and columns.

        Nothing is raised: a boot does not need it.
        """
        if not self._texts or sum(len(content) for _, content in self._texts) > MOST:
            return
        from ignition.config.report import dotted

        with log.never_fatal("failures of later stages will not say where in the config the reason is"):
            names: dict[str, int] = {}
            table = {
                dotted(path): [names.setdefault(origin.source.name, len(names)), origin.line, origin.column, dotted(said)]
                for path, origin, said in _origins(self._with_base())
            }
            content = json.dumps({"sources": list(names), "places": table}, separators=(",", ":")).encode()
            atomic.write(paths.mark(state_file, paths.PLACES), content, mode=0o600)

    def merged(self) -> Config | None:
        """The user config as the fetch stage rendered it, each value marked with its origin; None without texts."""
        if self._marked is None and self._texts:
            from ignition.rendering.references import Renderer

            name, content = self._texts[0]
            config = self._read(content, name)
            if config is not None:
                again = _Replayed(content for _, content in self._texts[1:])
                self._marked = Renderer(again, self._read).render(config, name)
        return self._marked

    def _with_base(self) -> Config:
        """As `merged`, over the base configs of the image: what the later stages work on."""
        from ignition.config.model import Config
        from ignition.rendering import system_configs

        return system_configs.over(system_configs.base(self._platform, read=self._read), self.merged() or Config())

    def invalid(self, report: Report) -> InvalidConfig:
        """The exception for a merged config that breaks rules: each error at the place in the source that it comes from."""
        from ignition.config import origins
        from ignition.config.report import dotted, split
        from ignition.rendering.parsing import invalid

        config = self.merged()
        entries, names = [], []
        for entry in report.entries:
            origin = origins.near(config, split(entry.path)[1:]) if config else None
            names.append(origin.source.name if origin else report.source)
            entries.append(entry.evolve(path=dotted(origin.path), line=origin.line, column=origin.column) if origin else entry)
        return invalid(report.evolve(entries=tuple(entries)), "the merged config", names=names)

    def _read(self, content: bytes, name: str) -> Config | None:
        from ignition.rendering.parsing import read_text

        text, parsed = read_text(content, name, self._platform)
        return marked(parsed, text, name)


class _Replayed(Fetcher):
    """Fetches nothing: gives again what was read, in the same order."""

    def __init__(self, contents: Iterator[bytes]) -> None:
        super().__init__(Settings(), offline=True)
        self._contents = contents

    def apply(self, settings: Settings) -> None:
        """They do not matter."""

    def read(self, resource: Resource, *, single: bool = False) -> bytes:
        """The next text. Raises Failure if there was none."""
        content = next(self._contents, None)
        if content is None:
            raise Failure("the texts of the config are not complete")
        return content


def marked(parsed: Parsed, text: bytes, name: str) -> Config | None:
    """The config of a text, its values marked with their places in it; None if it is none."""
    from ignition.config import origins

    if parsed.config is None:
        return None
    # Of one in YAML (transpile.user_data.Translated, which a boot with JSON does not load).
    written = getattr(parsed, "written", None)
    return origins.mark(parsed.config, origins.Source(name, text), parsed.places(), written)


def locate(failure: Failure, state_file: str) -> None:
    """Put source, line and column in the place of what a failure calls `$.storage.disks.0`, wherever it says that.

    Nothing is raised: that a place is not found must not hide the failure.
    """
    with log.never_fatal("the places of the config are not known any more"), suppress(FileNotFoundError):
        with open(paths.mark(state_file, paths.PLACES), "rb") as file:
            found = json.loads(file.read())
        names, table = found["sources"], found["places"]

        def place(match: re.Match[str]) -> str:
            # One that was located before stands in brackets behind its source.
            known = _BEHIND_SOURCE.search(match.string[: match.start()])
            origin = None if known else _nearest(table, match[0])
            return "{}:{}:{} ({})".format(names[origin[0]], *origin[1:]) if origin else match[0]

        def located(text: str) -> str:
            return _PLACE.sub(place, text).replace(")./", ") /")  # `at` joins a place of the config and a device with a dot

        failure.where, failure.what, failure.fix = located(failure.where), located(failure.what), located(failure.fix)


def _origins(config: Config) -> Iterator[tuple[Path, Origin, Path]]:
    """Of each value, and of each element of a list, which is where its key is; and what its source calls it."""
    from ignition.config import origins

    seen: set[Path] = set()
    for path, value in origins.values(config):
        indexes = [length for length, part in enumerate(path, start=1) if isinstance(part, int)]
        for number, length in enumerate(indexes):
            if path[:length] not in seen and (origin := origins.near(config, path[:length])):
                seen.add(path[:length])
                ends = [end for end, part in enumerate(origin.path, start=1) if isinstance(part, int)]
                yield path[:length], origin, origin.path[: ends[number]] if number < len(ends) else origin.path
        if path not in seen and (origin := origins.of(value)):
            yield path, origin, origin.path


def _nearest(table: dict[str, Any], path: str) -> tuple[int, int, int, str] | None:
    """Source, line, column and path there: of a path, else of the first value in it, else of what is around it."""
    inside = next((known for known in table if known == path or known.startswith(f"{path}.")), "")
    if inside:
        source, line, column, said = table[inside]
        return source, line, column, said.removesuffix(inside.removeprefix(path))
    around = path
    while around not in table and around != "$":
        around = around.rpartition(".")[0]
    if around not in table:
        return None
    source, line, column, said = table[around]
    return source, line, column, said + path.removeprefix(around)
