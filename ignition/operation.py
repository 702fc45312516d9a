"""Operations, and the runner that journals and records each of them.

`plan()` functions decide and return operations; nothing changes before a Runner executes them. The same list can be printed,
checked or run: an operation describes itself, checks whether its effect exists already, and executes itself.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count, groupby

from ignition import json_codec
from ignition.errors import Failure, Unmet
from ignition.host import log, paths
from ignition.host.printable import message
from ignition.host.root import Root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.fetch.engine import Fetcher

_FIXES = {
    errno.EROFS: "the file system is read-only: choose a path on another one, such as below /etc, /var or /opt",
    errno.ENOSPC: "the file system is full: enlarge it, or write less",
}


class Context:
    """The new root, and access to remote content: the objects that operations act on.

    `change_accounts`: in place of the programs of shadow-utils, with the parameters of `command.run`; None: the programs.
    """

    def __init__(self, root: Root, fetcher: Fetcher, change_accounts: Callable[..., object] | None = None) -> None:
        self.root, self.fetcher, self.change_accounts = root, fetcher, change_accounts


class Left:
    """One thing that an operation leaves on the machine, for `ignition verify`: an entry of /var/lib/ignition/applied.json.

    `kind` and `name` identify it: "file" and its path, "user" and its name. `members` are what must be found there later, with
    values for JSON; None stands for a thing that must not exist. Without contents and secrets: digests at most, and none of a
    content that could be guessed from it. ignition/applied/schema.py has the members of each kind (ignition/applied/machine.py).
    """

    __slots__ = ("kind", "members", "name", "place")

    def __init__(self, kind: str, name: str, members: dict[str, Any] | None, *, place: str = "") -> None:
        self.kind, self.name, self.members, self.place = kind, name, members, place


class Operation:
    """One change of the machine. Subclasses are small: facts in the constructor, no decisions in `execute`."""

    kind = ""  # one word for records and the journal: "write-file", "format"
    path = ""  # the node or device it acts on, by the name that the config has for it
    place = ""  # its place in the config: `$.storage.files.3`; "" without one
    concurrent = False  # may run in parallel with neighbours that may, too
    sealed = ""  # the pins of a sealed value that it needs, as shown to people: only the machine that is provisioned opens it
    optional = False  # only serves people: the machine is complete without it, so its failure is a warning

    def describe(self) -> str:
        """One line, imperative: `format /dev/vdb1 as ext4`. Never a secret."""
        raise NotImplementedError

    def already_there(self, context: Context) -> bool:
        """Whether the effect of this operation exists already."""
        return False

    def check(self, context: Context) -> None:
        """Raises the Failure by which `execute` would end because of the present nodes. Changes nothing; for `ignition plan`."""

    def foresee(self) -> None:
        """In place of `execute` in a plan, for an operation that later ones ask whether it changed something."""

    def execute(self, context: Context) -> None:
        """Make the change. Raises Failure; Unmet, after which the stage continues."""
        raise NotImplementedError

    def complete(self, context: Context) -> bool:
        """Make the change unless its effect exists already; whether it does. For subclasses whose one look decides both."""
        if self.already_there(context):
            return True
        self.execute(context)
        return False

    def content(self, context: Context) -> bytes | None:
        """The bytes of the file that it writes, for `ignition plan`; None for other operations, and without a download."""
        return None

    def leaves(self, context: Context) -> Iterable[Left]:
        """The things that this operation leaves on the machine, whether it did so now or before.

        Where it was not executed, those that follow from the config.
        """
        return ()

    def facts(self) -> dict[str, object]:
        """More members for its record, for the report: plain data, never a secret. Asked for when the operation is complete.

        `disk`: a table before and after; `holds`: the present contents of devices (ignition/reporting/schema.py).
        """
        return {}


class Around(Operation):
    """An operation around another one, `inner`, with all that it says and does. Its place is its own."""

    def __init__(self, inner: Operation) -> None:
        self.inner = inner
        self.kind, self.path, self.concurrent = inner.kind, inner.path, inner.concurrent
        self.sealed = inner.sealed

    def describe(self) -> str:
        return self.inner.describe()

    def already_there(self, context: Context) -> bool:
        return self.inner.already_there(context)

    def check(self, context: Context) -> None:
        self.inner.check(context)

    def execute(self, context: Context) -> None:
        self.inner.execute(context)

    def content(self, context: Context) -> bytes | None:
        return self.inner.content(context)

    def leaves(self, context: Context) -> Iterable[Left]:
        return self.inner.leaves(context)


class Deferred(Operation):
    """Operations that cannot be planned before earlier ones have run: the members of an array may be partitions of a new table.

    It stands in the plan in their place and says what they will be about. The runner records it as one operation, then runs those
    that it has planned.
    """

    kind = "inspect"

    def plan(self, context: Context) -> list[Operation]:
        """Look at the machine, change nothing. Raises Failure."""
        raise NotImplementedError


class Runner:
    """Runs operations of one stage: journals each as started, then finished or failed, and records it with its time.

    A context manager: records are appended to `record_path`, one JSON object per line, when the block ends, and the warnings that
    were logged meanwhile to the file beside it.
    """

    def __init__(self, stage: str, record_path: str, locate: Callable[[Failure], None] = lambda _: None) -> None:
        """`locate` changes a failure's places in the merged config to places in its sources (rendering/sources.py)."""
        self._stage, self._record_path, self._locate = stage, record_path, locate
        self._records: list[dict[str, object]] = []
        self._numbers = count(1)  # next() is atomic: parallel operations never share a number
        self.done: list[Operation] = []  # those that have their effect, in the order in which they finished

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()

    def unwritten(self) -> list[dict[str, object]]:
        """The records since the last `flush`."""
        return list(self._records)

    def flush(self) -> None:
        """Write the records so far, for readers before the end of the stage."""
        _append(self._record_path, self._records)
        warnings = [{"stage": self._stage, "what": text, "at": round(at, 3)} for at, text in log.taken_warnings()]
        _append(paths.mark(self._record_path, paths.WARNINGS), warnings)

    def run(self, operations: Iterable[Operation], context: Context) -> None:
        """Execute in order, `concurrent` neighbours in parallel. A failure stops it once running neighbours have finished."""
        for concurrent, neighbours in groupby(operations, key=lambda operation: operation.concurrent):
            batch = list(neighbours)
            if concurrent:
                from ignition.host.threads import side_by_side  # most configs do not have such operations

                side_by_side(lambda operation: self._one(operation, context), batch)
            else:
                for operation in batch:
                    self._one(operation, context)

    def _one(self, operation: Operation, context: Context) -> None:
        planned: list[Operation] = []
        with self.step(operation.kind, operation.describe(), operation.path, operation.place) as outcome:
            try:
                if isinstance(operation, Deferred):
                    planned = operation.plan(context)
                elif operation.complete(context):
                    outcome["result"] = "already"
            except Exception as error:
                if operation.optional:
                    raise _unmet(error) from error
                raise
            self.done.append(operation)
            try:  # log.never_fatal would take more time than all else here
                outcome |= operation.facts()
            except Exception as error:  # noqa: BLE001  it only serves people
                log.warning(f"the record of {operation.path or operation.kind} has no details: {type(error).__name__}")
        if planned:
            self.run(planned, context)

    @contextmanager
    def step(self, kind: str, what: str, path: str = "", place: str = "") -> Iterator[dict[str, object]]:
        """Journal and record other work, such as a fetch. Set `result` in the yielded record if it is not "done".

        `place` is its place in the config.
        """
        number = next(self._numbers)
        fields = {"IGNITION_OPERATION": kind, "IGNITION_PATH": path}
        record: dict[str, object] = {
            "stage": self._stage,
            "operation": kind,
            "what": message(what),
            "path": message(path),
            "result": "done",
            "at": round(time.time(), 3),
        }
        if place:
            record["place"] = place
        log.info(f"op({number:x}): [started]  {what}", **fields)
        begin = time.monotonic()
        try:
            yield record
        except Unmet as unmet:
            record["result"], record["cause"] = "warning", str(unmet)
        except OSError as error:
            # The name in the error may be that of a temporary file, which is of no use to a reader.
            cause, where = error.strerror or type(error).__name__, place or str(error.filename or path)
            failure = Failure(f"{what}: {cause}", where=where, fix=_FIXES.get(error.errno or 0, ""))
            self._locate(failure)
            record["result"], record["cause"] = "failed", str(failure)
            raise failure from error
        except RecursionError as error:
            failure = Failure(f"{what}: the directories are nested too deeply", where=path, fix="remove them from the image")
            record["result"], record["cause"] = "failed", str(failure)
            raise failure from error
        except Failure as failure:
            self._locate(failure)
            record["result"], record["cause"] = "failed", str(failure)
            raise
        except BaseException as error:
            # The text of a foreign exception may contain a secret: "invalid literal for int(): …".
            record["result"], record["cause"] = "failed", type(error).__name__
            raise
        finally:
            duration = f"{time.monotonic() - begin:.6f}"
            record["seconds"] = float(duration)
            if "cause" in record:
                record["cause"] = message(str(record["cause"]))
            self._records.append(record)
            self._report_end(number, what, record, {**fields, "IGNITION_DURATION_S": duration})

    @staticmethod
    def _report_end(number: int, what: str, record: dict[str, object], fields: dict[str, object]) -> None:
        result = record["result"]
        if result == "failed":
            log.critical(f"op({number:x}): [failed]   {what}: {record.get('cause', '')}", **fields)
        elif result == "warning":
            log.send(log.WARNING, f"op({number:x}): [warning]  {what}: {record.get('cause', '')}", **fields)
        else:
            note = " (already done)" if result == "already" else ""
            log.info(f"op({number:x}): [finished] {what}{note} in {record['seconds']} s", **fields)


def _append(path: str, records: list[dict[str, object]]) -> None:
    """Append records to a file, one JSON object per line, and clear the list."""
    if records:
        with log.never_fatal(f"{path} was not written"):
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            with open(os.open(path, flags, 0o600), "a", encoding="utf-8") as file:
                encode = json_codec.encoder()
                file.write("".join([encode(record) + "\n" for record in records]))
                records.clear()


def _unmet(error: Exception) -> Unmet:
    if isinstance(error, Failure):
        return Unmet(error.what, where=error.where, fix=error.fix)
    reason = error.strerror if isinstance(error, OSError) else None
    return Unmet(reason or type(error).__name__)
