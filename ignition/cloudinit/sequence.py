"""One run of coreos-cloudinit, from a datasource to the exit status. Source: docs/reference/coreos-cloudinit.md §1.

The sequence is Container Linux', with one additional rule: users, keys and host name of user data and datasource are applied
first, in spite of any other errors. So a run does not stop half way: errors are reported where they happen (`_noting`), the rest
of the user data is applied only if there were none, and the exit status tells.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from ignition.cloudinit import apply, facts, reading, substitution, user_data, validate
from ignition.cloudinit.datasources import Datasource, Metadata
from ignition.cloudinit.findings import USER_DATA, Refused, in_original_words
from ignition.cloudinit.plan import Options, Plan
from ignition.cloudinit.reading import Reading
from ignition.cloudinit.user_data import Part
from ignition.config.report import ERROR
from ignition.errors import Failure, trace, unforeseen
from ignition.fetch.engine import Fetcher, Settings
from ignition.host import log
from ignition.host.root import PARENTS, Root
from ignition.operation import Context, Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ignition.config.report import Report

    Do = Callable[[Sequence[Operation], Callable[[Operation], str]], None]

    class Preview(Protocol):
        """A plan in place of a run (ignition/planning/running.py). `context`: that of the plan."""

        context: Context

        def do(self, operations: Sequence[Operation], where: Callable[[Operation], str]) -> None:
            """Take these operations as the next ones. `where`: the place of one in the user data. Raises Failure."""


PROGRAM = "coreos-cloudinit"
RECORDS = "/run/coreos-cloudinit/operations.jsonl"
IGNITION_NOTICE = "Detected an Ignition config. Exiting..."
SUCCESS, FAILED = 0, 1


class Screen:
    """The output of a run: `say` prints a line, `show` a report with its text if source lines may be shown.

    `sum_up` prints the last line, which is in the log, too.
    """

    def __init__(self, say: Callable[[str], None], show: Callable[[Report, bytes], None], sum_up: Callable[[str], None]) -> None:
        self.say, self.show, self.sum_up = say, show, sum_up


class Run:
    """`convert`: the format of the network description, or "". `preview`: gets the operations, and nothing is changed.

    `failures`: all errors of `run`, at their places in the user data.
    """

    def __init__(
        self,
        source: Datasource,
        screen: Screen,
        *,
        options: Options | None = None,
        root: str = "/",
        environment: Mapping[str, str] | None = None,
        convert: str = "",
        preview: Preview | None = None,
        ignore_failure: bool = False,
    ) -> None:
        self._source, self._screen, self._options = source, screen, options or Options()
        self._root = preview.context.root if preview else Root.live(root)
        self._is_whole_machine = root == "/"
        self._environment = os.environ if environment is None else environment
        self._convert, self._preview, self._ignore_failure = convert, preview, ignore_failure
        self.failures: list[Failure] = []
        self._is_unread = self._has_failed = False  # --ignore-failure forgives the first
        self._name = source.called
        self._told: list[tuple[Report, bytes]] = []  # in the log at once, on the terminal at the end
        # Lines of anything else are never shown: the file may be a link to somebody else's secret.
        self._is_user_data = False

    def validate(self) -> int:
        """`--validate`: 0 only if there are no findings."""
        try:
            data = self._user_data()
        except Failure as failure:
            log.error(f"failed to fetch user-data: {failure}")
            return FAILED
        problems: list[Failure] = []
        for part in user_data.parts(data, problems) or [Part(user_data.EMPTY, self._name, data)]:
            is_whole = part.text is data
            name = self._name if is_whole else part.name
            if part.kind == user_data.IGNITION or (part.kind == user_data.UNKNOWN and not is_whole):
                self._screen.say(f"{name}: {user_data.title(part)}: skipped")
            else:
                self._tell(validate.validate(name, part.text, part.kind, is_thorough=True), part.text)
        for problem in problems:
            log.error(f"{self._name}: {problem}")
        is_wrong = bool(problems) or any(report.entries for report, _ in self._told)
        self._show_told()
        return FAILED if is_wrong else SUCCESS

    def run(self) -> int:
        """Apply the user data, or have it previewed; the exit status."""
        data, metadata = b"", Metadata()
        with self._noting("failed to fetch user-data"):
            data = self._user_data()
        with self._noting("failed to validate user-data"):
            self._tell(validate.validate(self._name, data), data)
        with self._noting("failed to fetch meta-data", is_unread=False):
            metadata = self._source.metadata()
        for problem in metadata.problems:
            self._note("failed to read meta-data", problem, is_unread=False)
        is_ignition = False
        with self._noting("failed to read user-data"):
            is_ignition = user_data.kind(data) == user_data.IGNITION
        if is_ignition:
            self._screen.say(IGNITION_NOTICE)
        else:
            with Fetcher(Settings(), offline=True) as fetcher:
                self._carry_out(data, metadata, self._preview.context if self._preview else Context(self._root, fetcher))
        return FAILED if self._has_failed or (self._is_unread and not self._ignore_failure) else SUCCESS

    def _user_data(self) -> bytes:
        log.info(f"fetching user-data from datasource of type {self._source.name} at {self._source.where}")
        data = user_data.unpacked(self._source.user_data())
        self._is_user_data = user_data.kind(data) != user_data.UNKNOWN
        return data

    def _tell(self, report: Report, text: bytes) -> None:
        """Each finding goes to the log; a terminal shows them once, when all are known."""
        for entry in report.entries:
            level = {"error": log.ERROR, "warning": log.WARNING}.get(entry.level, log.INFO)
            fix = f" (fix: {entry.fix})" if entry.fix else ""
            log.aside(level, in_original_words(entry, report.source) + fix)
        self._told.append((report, text))

    def _show_told(self) -> None:
        """Show the findings. The same error in validation and in the refusal is shown once: the later one is more specific."""
        seen: set[tuple[str, int | None, str]] = set()
        kept = []
        for report, text in reversed(self._told):
            entries = tuple(one for one in report.entries if (report.source, one.line, one.path) not in seen)
            seen |= {(report.source, one.line, one.path) for one in entries}
            kept.append((report.evolve(entries=entries), text))
        self._told.clear()
        with suppress(BrokenPipeError):  # the reader of our output has gone
            for report, text in reversed(kept):
                if report.entries:
                    self._screen.show(report, text if self._is_user_data else b"")

    def _carry_out(self, data: bytes, metadata: Metadata, context: Context) -> None:
        addresses = substitution.values(metadata, self._environment)
        found: list[Reading | Part] = []
        with self._noting("cannot apply user-data"):
            problems: list[Failure] = []
            found = parts(data, addresses, problems, self._name)
            for problem in problems:
                self._note("cannot apply user-data", problem)
        results: list[str] = []
        if self._preview:
            complete = self._apply(found, metadata, addresses, context, self._preview.do)
        else:
            with apply.CountingRunner(self._record_path()) as runner:
                complete = self._apply(found, metadata, addresses, context, lambda done, _: runner.run(done, context))
            results = runner.results
        self._show_told()
        if found and not complete:
            log.error("only users, keys and host name of the user data are applied, as far as they are valid: see above")
        if not self._preview:
            missing = "" if complete else ", without the rest of the user data" if found else ", without the user data"
            done = apply.summary(results) + (missing if found or self._is_unread else "")
            log.info(done)
            self._screen.sum_up(f"coreos-cloudinit: {done}")

    def _apply(
        self,
        found: list[Reading | Part],
        metadata: Metadata,
        addresses: Mapping[str, str],
        context: Context,
        do: Do,
    ) -> bool:
        """Whether all of the user data is applied."""
        complete = False
        with self._noting("failed to apply", is_unread=False):
            known = facts.probe(self._root, asks_nss=self._is_whole_machine)
            plan = Plan(found, metadata, known, self._options)
            for operation in plan.login():
                with self._noting("failed to apply", is_unread=False):
                    do([operation], plan.origin)
            # Only now: these facts take longer, and an error in collecting them must not prevent logins.
            facts.look(known, [one.config for one in plan.configs])
            for refusal in plan.refusals():
                self._note("cannot apply", refusal, is_unread=isinstance(refusal, Refused) and refusal.is_unread)
            with self._noting("failed to apply", is_unread=False):
                if self._convert:
                    from ignition.cloudinit.network import apply as network

                    converted = network.converted(self._convert, metadata.network, self._source.where)
                    do(network.plan(converted, context), plan.origin)
            complete = not (self._is_unread or self._has_failed)
            do(plan.rest(addresses, complete=complete), plan.origin)
        return complete

    def _record_path(self) -> str:
        """The file that records operations; its directory is created. A run continues without it: records are for people."""
        try:
            with self._root.at(RECORDS, parents=PARENTS):
                pass
            return self._root.locate(RECORDS)
        except (Failure, OSError) as failure:
            log.warning(f"operations not recorded: {failure}")
            return os.devnull

    @contextmanager
    def _noting(self, what: str, *, is_unread: bool = True) -> Iterator[None]:
        """Report and remember an error inside, and continue behind it."""
        try:
            yield
        except BrokenPipeError as error:
            if self._preview:
                raise
            self._note(what, error, is_unread=is_unread)
        except Exception as error:  # noqa: BLE001  a bug of ours must not keep people from logging in either
            self._note(what, error, is_unread=is_unread)

    def _note(self, what: str, error: Exception, *, is_unread: bool = True) -> None:
        """`is_unread`: an error in reading the user data, which --ignore-failure forgives."""
        is_foreseen = isinstance(error, Failure | OSError)
        self._is_unread |= is_unread and is_foreseen
        self._has_failed |= not (is_unread and is_foreseen)
        self.failures += _at_their_places(what, error)
        if isinstance(error, Refused):
            log.aside(log.ERROR, f"{what.removesuffix(' user-data')} {error}")
            self._told.append((error.report, error.text))
        elif is_foreseen:
            log.error(f"{what}: {error}")
        else:
            log.debug(trace(error))
            log.critical(f"{what}: {unforeseen(error, PROGRAM)}")


def _at_their_places(what: str, error: Exception) -> list[Failure]:
    """An error as failures, one for each finding."""
    if isinstance(error, Refused):
        name = error.report.source
        return [
            Failure(f"{what}: {one.message}", where=f"{name}:{one.line}:{one.column}" if one.line else name, fix=one.fix)
            for one in error.report.entries
            if one.level == ERROR
        ]
    if isinstance(error, Failure):
        return [Failure(f"{what}: {error.what}", where=error.where, fix=error.fix)]
    return [Failure(f"{what}: {error}") if isinstance(error, OSError) else unforeseen(error, PROGRAM)]


def parts(data: bytes, addresses: Mapping[str, str], problems: list[Failure], name: str = USER_DATA) -> list[Reading | Part]:
    """The pieces to apply, with addresses substituted: cloud-configs that were read, and scripts. `problems`: errors of others.

    `name`: of the user data as a whole.
    """
    found = user_data.parts(data, problems)
    if len(found) == 1 and found[0].kind == user_data.UNKNOWN and found[0].text is data:
        problems.append(Failure(f"unrecognized user-data: {user_data.MUST_BE}"))
        return []
    taken: list[Reading | Part] = []
    for part in found:
        text = substitution.substitute(part.text, addresses)
        if part.kind == user_data.CLOUD_CONFIG:
            called = name if part.text is data else part.name
            try:
                taken.append(reading.read(called, text))
            except Refused as refused:
                log.warning(f"{called} cannot be read: its users, keys and host name are not applied either")
                problems.append(refused)
        elif part.kind == user_data.SCRIPT:
            taken.append(part.with_text(text))
        else:
            log.warning(f"part {part.name} is {user_data.title(part)}: skipped")
    return taken
