"""What a run has changed so far: what must be reloaded and restarted depends on it."""

from ignition.operation import Context, Operation

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
