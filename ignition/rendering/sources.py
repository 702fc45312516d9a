"""Places of values in the texts of a config: `$.storage.disks.0` of the merged config → source, line and column.

The fetch stages render the texts once more with marks (config/origins.py), as `render --origin` does, and leave a table of places
beside the state, for failures of later stages. The table holds no text, so nothing in it is secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress

from ignition.errors import Failure
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from ignition.host import atomic, limits, log, paths
from ignition.patterns import lazy_pattern
from ignition.rendering.parsing import Reader, invalid, read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.model import Config, Resource
    from ignition.config.origins import Origin
    from ignition.config.parse import Parsed
    from ignition.config.record import Record
    from ignition.config.report import Path, Report
    from ignition.errors import InvalidConfig

MOST = limits.MIB  # bytes of all texts that are marked: 10 MiB take a second
_PLACE = lazy_pattern(r"\$(?:\.[\w-]+)+")
_BEHIND_SOURCE = lazy_pattern(r":\d+ \($")


class Sources:
    """The texts of the user config: the config itself first, then those it refers to, in the order of reading."""

    def __init__(self, platform: str) -> None:
        self._texts: list[tuple[str, bytes]] = []
        self._parsed: dict[bytes, tuple[bytes, Parsed]] = {}
        self._marking = MarkingReader(platform, self._parsed)
        self._marked: Config | None = None

    def keep(self, name: str, content: bytes, text: bytes, parsed: Parsed) -> None:
        """Add a text; a Reader does so, with the results of read_text."""
        self._texts.append((name, content))
        self._parsed[content] = text, parsed

    def save(self, state_file: str) -> None:
        """Leave the places of all values for the later stages, beside the state: names, lines and columns.

        Never raises: a boot does not need them.
        """
        if not self._texts or sum(len(content) for _, content in self._texts) > MOST:
            return
        with log.never_fatal("failures of later stages will not name places in the config"):
            save_places(self._with_base(), state_file)

    def merged(self) -> Config | None:
        """The user config as the fetch stage rendered it, each value marked with its origin; None without texts."""
        if self._marked is None and self._texts:
            from ignition.rendering.references import Renderer

            name, content = self._texts[0]
            config = self._marking.read(content, name)
            if config is not None:
                again = _Replayed(content for _, content in self._texts[1:])
                self._marked = Renderer(again, self._marking).render(config, name)
        return self._marked

    def _with_base(self) -> Config:
        """The config of the later stages: `merged` over the base configs of the image."""
        from ignition.config.model import Config
        from ignition.rendering import system_configs

        return system_configs.over(system_configs.base(self._marking.platform, reader=self._marking), self.merged() or Config())

    def invalid(self, report: Report) -> InvalidConfig:
        """The exception for a merged config that breaks rules: each error at the place in the source that it comes from."""
        from ignition.config import origins
        from ignition.config.report import dotted, split

        config = self.merged()
        entries, names = [], []
        for entry in report.entries:
            origin = origins.near(config, split(entry.path)[1:]) if config else None
            names.append(origin.source.name if origin else report.source)
            entries.append(entry.evolve(path=dotted(origin.path), line=origin.line, column=origin.column) if origin else entry)
        return invalid(report.evolve(entries=tuple(entries)), "the merged config", names=names)


class MarkingReader(Reader):
    """Marks each value with its place (config/origins.py), and logs nothing: the texts were read before.

    `parsed`: the results of read_text for contents that are not parsed again.
    """

    def __init__(self, platform: str, parsed: Mapping[bytes, tuple[bytes, Parsed]]) -> None:
        super().__init__(platform)
        self._parsed = parsed

    def read(self, content: bytes, source: str) -> Config | None:
        text, parsed = self._parsed.get(content) or read_text(content, source, self.platform)
        return marked(parsed, text, source)


class _Replayed(Fetcher):
    """Fetches nothing: returns again what was fetched, in the same order."""

    def __init__(self, contents: Iterator[bytes]) -> None:
        super().__init__(Settings(), offline=True)
        self._contents = contents

    def apply(self, settings: Settings) -> None:
        """Settings do not matter here."""

    def read(self, resource: Resource, *, single: bool = False) -> bytes:
        """The next text. Raises Failure if there is none left."""
        content = next(self._contents, None)
        if content is None:
            raise Failure("the texts of the config are incomplete")
        return content


def save_places(config: Config, state_file: str) -> None:
    """Leave the places of all values of a marked config beside the state, for `locate`."""
    from ignition.config.report import dotted

    names: dict[str, int] = {}
    table = {}
    for path, origin, said in _origins(config):
        name = dotted(path)
        source = names.setdefault(origin.source.name, len(names))
        table[name] = [source, origin.line, origin.column, name if said == path else dotted(said)]
    content = json.dumps({"sources": list(names), "places": table}, separators=(",", ":")).encode()
    atomic.write(paths.mark(state_file, paths.PLACES), content, mode=0o600)


def marked(parsed: Parsed, text: bytes, name: str) -> Config | None:
    """The config of a text, its values marked with their places in it; None if the text is not a config."""
    from ignition.config import origins

    if parsed.config is None:
        return None
    # Only a text in YAML has it (transpile.user_data.Translated, which a boot with JSON does not load).
    written = getattr(parsed, "written", None)
    return origins.mark(parsed.config, origins.Source(name, text), parsed.renamed_paths(), written)


def locate(failure: Failure, state_file: str) -> None:
    """Replace places such as `$.storage.disks.0` in a failure with source, line and column.

    Never raises: a missing place must not hide the failure.
    """
    with log.never_fatal("the places of the config are unavailable"), suppress(FileNotFoundError):
        with open(paths.mark(state_file, paths.PLACES), "rb") as file:
            found = json.loads(file.read())
        names, table = found["sources"], found["places"]

        def place(match: re.Match[str]) -> str:
            # A place that is already located stands in parentheses after its source.
            known = _BEHIND_SOURCE.search(match.string[: match.start()])
            origin = None if known else _nearest(table, match[0])
            return "{}:{}:{} ({})".format(names[origin[0]], *origin[1:]) if origin else match[0]

        def located(text: str) -> str:
            return _PLACE.sub(place, text).replace(")./", ") /")  # `at` joins a place of the config and a device with a dot

        failure.where, failure.what, failure.fix = located(failure.where), located(failure.what), located(failure.fix)


def _origins(
    record: Record, path: Path = (), around: Origin | None = None, depth: int = 0
) -> Iterator[tuple[Path, Origin, Path]]:
    """(path in the merged config, origin, path in its source) of each value and of each element of a list.

    `depth`: how many elements of lists are around the record; `around`: the origin of the innermost of them.
    """
    from ignition.config import origins
    from ignition.config.record import Record

    for here, element in origins.members(record, path):
        is_record = isinstance(element, Record)
        if not isinstance(here[-1], int):
            if is_record:
                yield from _origins(element, here, around, depth)
            elif origin := origins.of(element):
                yield here, origin, origin.path
            continue
        origin = origins.first(element)
        if origin is None and not (is_record and not origins.members(element)):
            origin = around
        if origin:
            ends = [end for end, part in enumerate(origin.path, start=1) if isinstance(part, int)]
            yield here, origin, origin.path[: ends[depth]] if depth < len(ends) else origin.path
        if is_record:
            yield from _origins(element, here, origin, depth + 1)


def _nearest(table: dict[str, Any], path: str) -> tuple[int, int, int, str] | None:
    """Source, line, column and path there: of a path, else of the first value inside it, else of the enclosing one."""
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
