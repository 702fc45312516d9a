"""Places of values in the texts of a config: `$.storage.disks.0` of the merged config → source, line and column.

The fetch stages leave the texts beside the state (0600, as secret as the config cache, and removed with it). A stage that fails
renders them once more with marks (config/origins.py), as `render --origin` does: a boot that succeeds does not pay for this. Only
the report at its end looks up the places of operations, which for a single JSON text are found without rendering.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress

from ignition import json_codec
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from ignition.host import atomic, limits, log, paths
from ignition.patterns import lazy_pattern
from ignition.rendering.parsing import Reader, invalid, read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import Any

    from ignition.config.model import Config, Resource
    from ignition.config.origins import Origin
    from ignition.config.parse import Parsed
    from ignition.config.record import Record
    from ignition.config.report import Path, Report
    from ignition.errors import InvalidConfig

MOST = limits.MIB  # bytes of all texts that are kept: marking 10 MiB takes a second
_PLACE = lazy_pattern(r"\$(?:\.[\w-]+)+")
_BEHIND_SOURCE = lazy_pattern(r":\d+ \($")


class Sources:
    """The texts of the user config: the config itself first, then those it refers to, in the order of reading."""

    def __init__(self, platform: str) -> None:
        self.is_direct = False  # paths of the merged config are paths of the only text
        self._texts: list[tuple[str, bytes]] = []
        self._parsed: dict[bytes, tuple[bytes, Parsed]] = {}
        self._marking = MarkingReader(platform, self._parsed)
        self._marked: Config | None = None

    def keep(self, name: str, content: bytes, text: bytes, parsed: Parsed) -> None:
        """Add a text; a Reader does so, with the results of read_text."""
        self._texts.append((name, content))
        self._parsed[content] = text, parsed

    def save(self, state_file: str, base: Config) -> None:
        """Leave the texts for the later stages, beside the state. `base`: the base configs of the image, over which they apply.

        Never raises: a boot does not need them.
        """
        if not self._texts or sum(len(content) for _, content in self._texts) > MOST:
            return
        with log.never_fatal("failures of later stages will not name places in the config"):
            header = {
                "platform": self._marking.platform,
                "direct": len(self._texts) == 1 and self._is_plain(self._texts[0][1]) and base == type(base)(),
                "texts": [[name, len(content)] for name, content in self._texts],
            }
            lines = [json_codec.dumps(header).encode(), b"\n", *(content for _, content in self._texts)]
            atomic.write(paths.mark(state_file, paths.TEXTS), b"".join(lines), mode=0o600)

    @classmethod
    def load(cls, state_file: str) -> Sources:
        """The texts that `save` left. Raises OSError if there are none; a damaged file raises errors of any kind."""
        with open(paths.mark(state_file, paths.TEXTS), "rb") as file:
            header = json_codec.loads(file.readline())
            sources = cls(header["platform"])
            sources.is_direct = header["direct"]
            sources._texts = [(name, file.read(length)) for name, length in header["texts"]]
        return sources

    def _is_plain(self, content: bytes) -> bool:
        """Whether it is JSON of the specs 3.x, whose paths are those of the model."""
        _, parsed = self._parsed[content]
        return getattr(parsed, "written", None) is None and not parsed.renamed_paths()

    def valid_in(self, config: Config) -> str:
        """The spec version of the only text, if that is all that `config` was made from; "" if it was merged or translated."""
        if len(self._texts) != 1 or config.ignition.translated or not self._is_plain(self._texts[0][1]):
            return ""
        _, parsed = self._parsed[self._texts[0][1]]
        return parsed.version if parsed.config is config else ""

    def only(self) -> tuple[str, bytes]:
        """Name and unpacked text of the only one."""
        from ignition.config.text import packed

        [(name, content)] = self._texts
        return name, packed.unpack(content)

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

    def by_name(self) -> dict[str, bytes]:
        """The unpacked texts, for an excerpt; those that share a name ("data:…") cannot be told apart, and are missing."""
        from ignition.config.text import packed

        names = [name for name, _ in self._texts]
        return {name: packed.unpack(content) for name, content in self._texts if names.count(name) == 1}

    def with_base(self) -> Config:
        """The config of the later stages: `merged` over the base configs of the image."""
        from ignition.config.model import Config
        from ignition.rendering import system_configs

        return system_configs.over(system_configs.base(self._marking.platform, reader=self._marking), self.merged() or Config())

    def invalid(self, report: Report) -> InvalidConfig:
        """The exception for a merged config that breaks rules: each error at the place in the source that it comes from."""
        from ignition.config import origins
        from ignition.config.report import dotted, split

        config = self.merged()
        entries, names, texts = [], [], []
        for entry in report.entries:
            origin = origins.near(config, split(entry.path)[1:]) if config else None
            names.append(origin.source.name if origin else report.source)
            texts.append(origin.source.text if origin else b"")
            entries.append(entry.evolve(path=dotted(origin.path), line=origin.line, column=origin.column) if origin else entry)
        return invalid(report.evolve(entries=tuple(entries)), "the merged config", names=names, texts=texts)


class MarkingReader(Reader):
    """Marks each value with its place (config/origins.py), and logs nothing: the texts were read before.

    `parsed`: the results of read_text for contents that are not parsed again.
    """

    def __init__(self, platform: str, parsed: Mapping[bytes, tuple[bytes, Parsed]]) -> None:
        super().__init__(platform)
        self._parsed = parsed

    def read(self, content: bytes, source: str, *, sealed: bool = False) -> Config | None:
        text, parsed = self._parsed.get(content) or read_text(content, source, self.platform)
        return marked(parsed, text, source)


class _Replayed(Fetcher):
    """Fetches nothing: returns again what was fetched, in the same order."""

    def __init__(self, contents: Iterator[bytes]) -> None:
        super().__init__(Settings(), offline=True)
        self._contents = contents

    def apply(self, settings: Settings) -> None:
        """Settings do not matter here."""

    def read(self, resource: Resource, *, single: bool = False, is_config: bool = False, as_served: bool = False) -> bytes:
        """The next text. Raises Failure if there is none left."""
        content = next(self._contents, None)
        if content is None:
            raise Failure("the texts of the config are incomplete")
        return content


class Table:
    """The places of all values of a merged config, by path."""

    def __init__(self, names: list[str], places: dict[str, Any]) -> None:
        self._names, self._places = names, places  # path → number of the name, line, column, path in that text

    @classmethod
    def of(cls, config: Config) -> Table:
        """That of a marked config."""
        from ignition.config.report import dotted

        names: dict[str, int] = {}
        places = {}
        for path, origin, said in _origins(config):
            name = dotted(path)
            source = names.setdefault(origin.source.name, len(names))
            places[name] = [source, origin.line, origin.column, name if said == path else dotted(said)]
        return cls(list(names), places)

    @classmethod
    def load(cls, state_file: str) -> Table:
        """That of the texts beside the state, or a table that was saved there. Raises FileNotFoundError without either."""
        with suppress(FileNotFoundError):
            return cls.of(Sources.load(state_file).with_base())
        with open(paths.mark(state_file, paths.PLACES), "rb") as file:
            found = json_codec.loads(file.read())
        return cls(found["sources"], found["places"])

    def save(self, state_file: str) -> None:
        """Leave it beside the state, for who has a marked config instead of texts."""
        content = json_codec.dumps({"sources": self._names, "places": self._places}, separators=(",", ":")).encode()
        atomic.write(paths.mark(state_file, paths.PLACES), content, mode=0o600)

    def nearest(self, path: str) -> tuple[str, int, int, str] | None:
        """Source, line, column and path there: of a path, else of the first value inside it, else of the enclosing one."""
        inside = next((known for known in self._places if known == path or known.startswith(f"{path}.")), "")
        if inside:
            source, line, column, said = self._places[inside]
            return self._names[source], line, column, said.removesuffix(inside.removeprefix(path))
        return self.around(path)

    def around(self, path: str) -> tuple[str, int, int, str] | None:
        """The same of a path, else of the enclosing one."""
        around = path
        while around not in self._places and around != "$":
            around = around.rpartition(".")[0]
        if around not in self._places:
            return None
        source, line, column, said = self._places[around]
        return self._names[source], line, column, said + path.removeprefix(around)


def of_operations(wanted: Collection[str], state_file: str, config: Config | None) -> dict[str, tuple[str, int, int]]:
    """Name, line and column of the texts for paths of the merged config; those that cannot be found are missing.

    `config`: the merged one, for the short way. A damaged file raises errors of any kind.
    """
    try:
        sources: Sources | None = Sources.load(state_file)
    except FileNotFoundError:
        sources = None
    if sources and sources.is_direct and config:
        return _of_the_only_text(wanted, sources, config)
    with suppress(FileNotFoundError):
        table = Table.load(state_file)
        return {path: place[:3] for path in wanted if path and (place := table.around(path))}
    return {}


def _of_the_only_text(wanted: Collection[str], sources: Sources, config: Config) -> dict[str, tuple[str, int, int]]:
    from ignition.config import origins
    from ignition.config.report import split
    from ignition.config.text.positions import Lines, Positions

    found = {path: there for path in wanted if path and (there := origins.path_of_first(config, split(path)[1:]))}
    name, text = sources.only()
    positions, lines = Positions(text, found.values()), Lines(text)
    return {path: (name, *lines.at(place.start)) for path, there in found.items() if (place := positions.find(there))}


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
        table = Table.load(state_file)

        def place(match: re.Match[str]) -> str:
            # A place that is already located stands in parentheses after its source.
            known = _BEHIND_SOURCE.search(match.string[: match.start()])
            origin = None if known else table.nearest(match[0])
            return "{}:{}:{} ({})".format(*origin) if origin else match[0]

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
