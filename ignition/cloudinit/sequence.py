"""One run of coreos-cloudinit, from a datasource to the exit status. Source: docs/reference/coreos-cloudinit.md §1.

The sequence is Container Linux', with one rule on top: users, keys and host name of user data and datasource are applied first,
and whatever else is wrong. So nothing ends a run half way: what goes wrong is said where it happens (`_noting`), the rest of the
user data is applied only if nothing did, and the exit status tells.
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
from ignition.errors import Failure, trace, unforeseen
from ignition.fetch.engine import Fetcher, Settings
from ignition.host import log
from ignition.host.root import PARENTS, Root
from ignition.operation import Context, Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.report import Report

PROGRAM = "coreos-cloudinit"
RECORDS = "/run/coreos-cloudinit/operations.jsonl"
IGNITION_NOTICE = "Detected an Ignition config. Exiting..."
SUCCESS, FAILED = 0, 1


class Screen:
    """How a run speaks to people: `say` to standard output, `show` a report with its text wherever source lines may go.

    `sum_up` is given the last line, which is in the log, too.
    """

    def __init__(self, say: Callable[[str], None], show: Callable[[Report, bytes], None], sum_up: Callable[[str], None]) -> None:
        self.say, self.show, self.sum_up = say, show, sum_up


class Run:
    """`convert`: the format of the network description, or "". `only_plan`: say what would be done."""

    def __init__(
        self,
        source: Datasource,
        screen: Screen,
        *,
        options: Options | None = None,
        root: str = "/",
        environment: Mapping[str, str] | None = None,
        convert: str = "",
        only_plan: bool = False,
        ignore_failure: bool = False,
    ) -> None:
        self._source, self._screen, self._options = source, screen, options or Options()
        self._root = Root.live(root)
        self._environment = os.environ if environment is None else environment
        self._convert, self._only_plan, self._ignore_failure = convert, only_plan, ignore_failure
        self._is_unread = self._has_failed = False  # the first is what --ignore-failure is about
        self._name = source.called
        self._told: list[tuple[Report, bytes]] = []  # what the log has, and people are shown at the end
        # Not a line is shown of what is not user data: somebody may have put a link to another's file in its place.
        self._is_user_data = False

    def validate(self) -> int:
        """`--validate`: 0 only if nothing is to be mended."""
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
                self._screen.say(f"{name}: {user_data.title(part)}: left alone")
            else:
                self._tell(validate.validate(name, part.text, part.kind, is_thorough=True), part.text)
        for problem in problems:
            log.error(f"{self._name}: {problem}")
        is_wrong = bool(problems) or any(report.entries for report, _ in self._told)
        self._show_told()
        return FAILED if is_wrong else SUCCESS

    def run(self) -> int:
        """Apply, or with `only_plan` say what would be applied."""
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
                self._carry_out(data, metadata, Context(self._root, fetcher))
        return FAILED if self._has_failed or (self._is_unread and not self._ignore_failure) else SUCCESS

    def _user_data(self) -> bytes:
        log.info(f"fetching user-data from datasource of type {self._source.name} at {self._source.where}")
        data = user_data.unpacked(self._source.user_data())
        self._is_user_data = user_data.kind(data) != user_data.UNKNOWN
        return data

    def _tell(self, report: Report, text: bytes) -> None:
        """Each finding to the log; people at a terminal are shown them once, when all are known."""
        for entry in report.entries:
            level = {"error": log.ERROR, "warning": log.WARNING}.get(entry.level, log.INFO)
            fix = f" (fix: {entry.fix})" if entry.fix else ""
            log.aside(level, in_original_words(entry, report.source) + fix)
        self._told.append((report, text))

    def _show_told(self) -> None:
        """What was validated and then refused is one finding: the later one says more."""
        seen: set[tuple[str, int | None, str]] = set()
        kept = []
        for report, text in reversed(self._told):
            entries = tuple(one for one in report.entries if (report.source, one.line, one.path) not in seen)
            seen |= {(report.source, one.line, one.path) for one in entries}
            kept.append((report.evolve(entries=entries), text))
        self._told.clear()
        with suppress(BrokenPipeError):  # who started us by hand listens no more
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
        complete = False
        with apply.CountingRunner(self._record_path()) as runner:
            with self._noting("failed to apply", is_unread=False):
                known = facts.probe(self._root)
                plan = Plan(found, metadata, known, self._options)
                for operation in plan.login():
                    with self._noting("failed to apply", is_unread=False):
                        self._do([operation], context, runner)
                facts.look(known, [one.config for one in plan.configs])
                for refusal in plan.refusals():
                    self._note("cannot apply", refusal, is_unread=isinstance(refusal, Refused) and refusal.is_unread)
                with self._noting("failed to apply", is_unread=False):
                    self._do(self._network(metadata, context), context, runner)
                complete = not (self._is_unread or self._has_failed)
                self._do(plan.rest(addresses, complete=complete), context, runner)
        self._sum_up(runner.results, complete=complete)

    def _record_path(self) -> str:
        """Where what is done is recorded; the directory is made. Without it the run goes on: records serve people."""
        try:
            if not self._only_plan:
                with self._root.at(RECORDS, parents=PARENTS):
                    pass
            return self._root.locate(RECORDS)
        except (Failure, OSError) as failure:
            log.warning(f"what is done is not recorded: {failure}")
            return os.devnull

    def _network(self, metadata: Metadata, context: Context) -> list[Operation]:
        if not self._convert:
            return []
        from ignition.cloudinit.network.apply import converted
        from ignition.cloudinit.network.apply import plan as network_plan

        return network_plan(converted(self._convert, metadata.network, self._source.where), context)

    def _do(self, operations: Sequence[Operation], context: Context, runner: apply.CountingRunner) -> None:
        if not self._only_plan:
            runner.run(operations, context)
            return
        for line in apply.preview(operations, context):
            self._screen.say(line)

    def _sum_up(self, results: Sequence[str], *, complete: bool) -> None:
        self._show_told()
        if not complete:
            log.error("only users, keys and host name of the user data are applied, as far as they are right: see above")
        if not self._only_plan:
            done = apply.summary(results) + ("" if complete else ", without the rest of the user data")
            log.info(done)
            self._screen.sum_up(f"coreos-cloudinit: {done}")

    @contextmanager
    def _noting(self, what: str, *, is_unread: bool = True) -> Iterator[None]:
        """What goes wrong inside is said and remembered, and the run goes on behind it."""
        try:
            yield
        except BrokenPipeError as error:
            if self._only_plan:
                raise
            self._note(what, error, is_unread=is_unread)
        except Exception as error:  # noqa: BLE001  also a fault of ours must not keep people from logging in
            self._note(what, error, is_unread=is_unread)

    def _note(self, what: str, error: Exception, *, is_unread: bool = True) -> None:
        """`is_unread`: it is about reading the user data, which --ignore-failure forgives."""
        is_foreseen = isinstance(error, Failure | OSError)
        self._is_unread |= is_unread and is_foreseen
        self._has_failed |= not (is_unread and is_foreseen)
        if isinstance(error, Refused):
            log.aside(log.ERROR, f"{what.removesuffix(' user-data')} {error}")
            self._told.append((error.report, error.text))
        elif is_foreseen:
            log.error(f"{what}: {error}")
        else:
            log.debug(trace(error))
            log.critical(f"{what}: {unforeseen(error, PROGRAM)}")


def parts(data: bytes, addresses: Mapping[str, str], problems: list[Failure], name: str = USER_DATA) -> list[Reading | Part]:
    """What there is to apply, addresses put in: cloud-configs that were read, and scripts. `problems`: why others are missing.

    `name` is what the user data as a whole is called.
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
                log.warning(f"{called} cannot be read: nothing of it is known, users, keys and host name included")
                problems.append(refused)
        elif part.kind == user_data.SCRIPT:
            taken.append(part.with_text(text))
        else:
            log.warning(f"part {part.name} is {user_data.title(part)}: left alone")
    return taken
