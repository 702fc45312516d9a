"""Carrying out a plan, or only saying what it would do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ignition.errors import Failure
from ignition.host import log
from ignition.operation import Context, Operation, Runner

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
        """As `Runner`; records serve people, and a disk that is full must not be the end of a run."""
        try:
            super().flush()
        except OSError as error:
            log.warning(f"what was done is not recorded: {error}")


def summary(results: Sequence[str]) -> str:
    """What a run did, in one line."""
    already = results.count("already")
    changed = len(results) - already
    if not results:
        return "nothing to do"
    if not changed:
        return f"nothing changed: {'it was' if already == 1 else f'all {already} things were'} so already"
    return f"{changed} {'change' if changed == 1 else 'changes'} made, {already} {'was' if already == 1 else 'were'} so already"


def preview(operations: Sequence[Operation], context: Context) -> Iterator[str]:
    """A line per operation. Nothing is changed; what a change would bring about counts as if it were there."""
    for operation in operations:
        if _is_there(operation, context):
            yield f"already  {operation.describe()}"
        else:
            if isinstance(operation, Noted):
                operation.note()
            yield f"to do    {operation.describe()}"


def _is_there(operation: Operation, context: Context) -> bool:
    try:
        return operation.already_there(context)
    except (Failure, OSError):
        return False  # it is about something that an operation before it would make


# What a run has changed so far: what must be reloaded and restarted depends on it.

UNIT_DIRECTORIES = ("/etc/systemd/", "/run/systemd/", "/usr/lib/systemd/")


class Changes:
    """`units`: names whose unit file, drop-in, mask or enablement changed. `others`: whatever else was written."""

    def __init__(self) -> None:
        self.units: set[str] = set()
        self.others: set[str] = set()

    def need_reload(self) -> bool:
        """Whether systemd must read its files again: also for those that a person wrote as plain files."""
        return bool(self.units) or any(path.startswith(UNIT_DIRECTORIES) for path in self.others)

    def concern(self, unit: str) -> bool:
        """Whether a unit may behave differently now: it changed itself, or something that any unit may read."""
        return unit in self.units or bool(self.others)


class Noted(Operation):
    """An operation whose execution is noted, as a change of a unit or of something else."""

    def __init__(self, inner: Operation, changes: Changes, unit: str = "") -> None:
        self._inner, self._changes, self._unit = inner, changes, unit
        self.kind, self.path, self.concurrent = inner.kind, inner.path, inner.concurrent

    def describe(self) -> str:
        return self._inner.describe()

    def already_there(self, context: Context) -> bool:
        return self._inner.already_there(context)

    def execute(self, context: Context) -> None:
        self._inner.execute(context)
        self.note()

    def note(self) -> None:
        """It was executed, or is to count as such."""
        if self._unit:
            self._changes.units.add(self._unit)
        else:
            self._changes.others.add(self.path)
