"""Executing a plan, and tracking the changes that a run makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ignition.host import log
from ignition.operation import Around, Context, Operation, Runner

STAGE = "cloudinit"


class CountingRunner(Runner):
    """`results`: one word per operation, in order."""

    def __init__(self, record_path: str) -> None:
        super().__init__(STAGE, record_path)
        self.results: list[str] = []

    def __enter__(self) -> CountingRunner:
        return self

    @contextmanager
    def step(self, kind: str, what: str, path: str = "", place: str = "") -> Iterator[dict[str, object]]:
        with super().step(kind, what, path, place) as record:
            yield record
        self.results.append(str(record["result"]))

    def flush(self) -> None:
        """Like `Runner`, but a failure is only logged: records are for people, and a full disk must not end a run."""
        try:
            super().flush()
        except OSError as error:
            log.warning(f"operations not recorded: {error}")


def summary(results: Sequence[str]) -> str:
    """One line about a run: the number of changes, and of operations whose result was already in place."""
    already = results.count("already")
    changed = len(results) - already
    if not results:
        return "nothing to do"
    if not changed:
        return f"nothing changed, {already} already in place"
    return f"{changed} {'change' if changed == 1 else 'changes'} made, {already} already in place"


UNIT_DIRECTORIES = ("/etc/systemd/", "/run/systemd/", "/usr/lib/systemd/")


class Changes:
    """The changes of a run so far, which decide what must be reloaded and restarted.

    `units`: names whose unit file, drop-in, mask or enablement changed. `others`: paths of everything else.
    """

    def __init__(self) -> None:
        self.units: set[str] = set()
        self.others: set[str] = set()

    def need_reload(self) -> bool:
        """Whether systemd must read its files again; also for unit files written through write_files."""
        return bool(self.units) or any(path.startswith(UNIT_DIRECTORIES) for path in self.others)

    def concern(self, unit: str) -> bool:
        """Whether a unit may behave differently now: it changed itself, or a file changed that any unit may read."""
        return unit in self.units or bool(self.others)


class Noted(Around):
    """An operation that notes its execution as a change of a unit or of something else.

    `origin`: its place in the document, such as `write_files[0]`.
    """

    def __init__(self, inner: Operation, changes: Changes, unit: str = "") -> None:
        super().__init__(inner)
        self._changes, self._unit, self.origin = changes, unit, inner.place

    def execute(self, context: Context) -> None:
        super().execute(context)
        self.foresee()

    def foresee(self) -> None:
        """Note the change."""
        if self._unit:
            self._changes.units.add(self._unit)
        else:
            self._changes.others.add(self.path)
