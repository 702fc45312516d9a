"""Carrying out a plan, or only saying what it would do."""

from contextlib import contextmanager

from ignition.cloudinit.changes import Noted
from ignition.errors import Failure
from ignition.host import log
from ignition.operation import Context, Operation, Runner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STAGE = "cloudinit"


class CountingRunner(Runner):
    """`results`: one word per operation, in order."""

    def __init__(self, record_path: str) -> None:
        super().__init__(STAGE, record_path)
        self.results: list[str] = []

    def __enter__(self) -> "CountingRunner":
        return self

    @contextmanager
    def step(self, kind: str, what: str, path: str = "", place: str = "") -> "Iterator[dict[str, object]]":
        with super().step(kind, what, path, place) as record:
            yield record
        self.results.append(str(record["result"]))

    def flush(self) -> None:
        """As `Runner`; records serve people, and a disk that is full must not be the end of a run."""
        try:
            super().flush()
        except OSError as error:
            log.warning(f"what was done is not recorded: {error}")


def summary(results: "Sequence[str]") -> str:
    """What a run did, in one line."""
    already = results.count("already")
    changed = len(results) - already
    if not results:
        return "nothing to do"
    if not changed:
        return f"nothing changed: {'it was' if already == 1 else f'all {already} things were'} so already"
    return f"{changed} {'change' if changed == 1 else 'changes'} made, {already} {'was' if already == 1 else 'were'} so already"


def preview(operations: "Sequence[Operation]", context: Context) -> "Iterator[str]":
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
