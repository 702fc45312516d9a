"""Rendering `ignition.config.replace` and `ignition.config.merge`: a config and all configs that it refers to become one.

Source: docs/reference/ignition-config.md §4.2. Depth first, in order; fetches use the settings that have been merged so far, at
every depth (Ignition forgets those of the outer configs below the second). Downloads of one `merge` list run in parallel; those
that arrived under settings which an earlier entry then changed are fetched again.

Unlike Ignition: a loop is an error that names the loop, depth and number are limited, and an empty referenced config is an error
(Ignition silently drops the whole user config).
"""

from __future__ import annotations

from collections.abc import Sequence

from ignition.errors import Failure, StaysSealed
from ignition.fetch.settings import Settings
from ignition.fetch.urls import path, scheme, shown
from ignition.host import limits, log, progress
from ignition.rendering.parsing import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Thread

    from ignition.config.model import Config, Resource
    from ignition.fetch.engine import Fetcher

SIDE_BY_SIDE = 16


class Renderer:
    """Renders one user config. `sources` lists the referenced configs in the order in which they were used, by URL path."""

    def __init__(self, fetcher: Fetcher, reader: Reader) -> None:
        self._fetcher, self._reader = fetcher, reader
        self.sources: list[str] = []
        self._size = 0  # of all texts so far

    def render(self, config: Config, place: str, chain: tuple[Resource, ...] = (), outer: Config | None = None) -> Config:
        """The config with all references followed. `place` names it, `chain` are the references that led to it. Raises Failure.

        `outer` has the settings of the config that this one will be merged into.
        """
        from ignition.config.merge import merge

        around = self._apply(outer, config)
        references = config.ignition.config
        if references.replace.source is not None:
            there = _name(references.replace, f"the replacement of {place}")
            child = self._load(references.replace, there, chain, None)
            log.info(f"config replaced by {there}")
            return self.render(child, there, (*chain, references.replace), outer)
        early = _Early(self._fetcher, references.merge)
        for number, entry in enumerate(references.merge, start=1):
            there = _name(entry, f"reference {number} of {place}")
            try:
                child = self._load(entry, there, chain, early.take(entry))
            except StaysSealed as stays:
                log.warning(f"{there} is left out here: {stays.what}")
                continue
            config = merge(config, self.render(child, there, (*chain, entry), around))
            around = self._apply(outer, config)
        return config

    def _apply(self, outer: Config | None, config: Config) -> Config:
        """Use the settings of both together from now on; returns them, as a config of settings alone."""
        from ignition.config.merge import merge
        from ignition.config.model import Config

        own = Config(ignition=config.ignition)
        both = merge(outer, own) if outer else own
        self._fetcher.apply(Settings.from_config(both))
        return both

    def _load(self, reference: Resource, there: str, chain: tuple[Resource, ...], early: bytes | None) -> Config:
        from ignition.rendering import trusted

        self._check(reference, chain)
        self.sources.append(path(reference.source or ""))
        content = trusted.config(reference, there, self._fetcher, early)
        self._count(content, there)
        config = self._reader.read(content, there, sealed=bool(reference.extension.sealed))
        if config is None:
            raise Failure(
                "there is no Ignition config at this reference",
                where=there,
                fix="serve a config there or remove the reference",
            )
        return config

    def _count(self, content: bytes, there: str) -> None:
        from ignition.config.text import packed

        try:
            self._size += len(packed.unpack(content) if packed.packing(content) else content)
        except Failure:
            return  # the reader says what is wrong
        if self._size > limits.CONFIGS:
            raise Failure(
                f"all referenced configs together exceed {limits.CONFIGS // limits.MIB} MiB",
                where=there,
                fix="move large contents to files that fetch them, and merge the configs before serving them",
            )

    def _check(self, reference: Resource, chain: tuple[Resource, ...]) -> None:
        way = " → ".join(shown(link.source or "") for link in (*chain, reference))
        place = shown(reference.source or "")
        if reference in chain:
            raise Failure(f"configs refer to each other in a loop: {way}", where=place, fix="remove one of the references")
        if len(chain) >= limits.REFERENCE_DEPTH:
            raise Failure(
                f"references are nested more than {limits.REFERENCE_DEPTH} deep: {way}",
                where=place,
                fix="nest them less deeply",
            )
        if len(self.sources) >= limits.REFERENCED_CONFIGS:
            raise Failure(
                f"more than {limits.REFERENCED_CONFIGS} referenced configs", where=place, fix="merge them before serving them"
            )


def _name(reference: Resource, role: str) -> str:
    """Name of a referenced config: its URL as it may be shown, or its role if the URL tells nothing."""
    source = reference.source or ""
    return f"data:… ({role})" if scheme(source) == "data" else shown(source) or role


class _Early:
    """Downloads of one merge list that start before their turn: one attempt each, and none blocks the others."""

    def __init__(self, fetcher: Fetcher, entries: Sequence[Resource]) -> None:
        self._fetcher, self._settings = fetcher, fetcher.settings
        self._content: dict[int, bytes] = {}
        self._threads: dict[int, Thread] = {}
        self._size = 0
        remote = [entry for entry in entries if scheme(entry.source or "") in {"http", "https"}]
        # With signatures each download is two, of which the second depends on the first.
        if len(remote) < 2 or fetcher.offline or fetcher.requires_signatures:
            return
        from threading import Semaphore, Thread

        progress.before_threads()
        self._slots = Semaphore(SIDE_BY_SIDE)
        for entry in remote:
            # Daemons: a download that turned out to be useless must not delay the end of the process.
            self._threads[id(entry)] = Thread(target=self._download, args=(entry,), daemon=True)
            self._threads[id(entry)].start()

    def _download(self, entry: Resource) -> None:
        with self._slots:
            if self._fetcher.settings != self._settings or self._size > limits.CONFIGS:
                return
            try:
                content = self._fetcher.read(entry, single=True, is_config=True)
            except Failure as failure:
                log.debug(f"early download: {failure}")  # it is tried again in its turn, with all attempts
            else:
                self._content[id(entry)] = content
                self._size += len(content)  # without a lock: being off by one download is harmless

    def take(self, entry: Resource) -> bytes | None:
        """The content, if it has arrived and the settings have not changed since."""
        if self._fetcher.settings != self._settings or id(entry) not in self._threads:
            return None
        from ignition.host.threads import join  # most configs do not refer to others

        join(self._threads[id(entry)])
        return self._content.get(id(entry))
