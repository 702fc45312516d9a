"""One run of coreos-cloudinit, from a datasource to the exit status. Source: coreos-cloudinit.md 1.

The sequence is Container Linux'. What is wrong with the user data is remembered, and the datasource's own words (host name, keys)
are applied all the same, so that people can log in; `--ignore-failure` is about just that.
"""

import os

from ignition.cloudinit import apply, reading, substitution, user_data, validate
from ignition.cloudinit.datasources import Datasource
from ignition.cloudinit.facts import probe
from ignition.cloudinit.findings import Refused, in_original_words
from ignition.cloudinit.metadata import Metadata
from ignition.cloudinit.plan import Options, plan
from ignition.cloudinit.reading import Reading
from ignition.cloudinit.user_data import Part
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher, Settings
from ignition.host import log
from ignition.host.root import Root
from ignition.operation import Context, Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ignition.config.report import Report

RECORDS = "/run/coreos-cloudinit/operations.jsonl"
IGNITION_NOTICE = "Detected an Ignition config. Exiting..."
SUCCESS, FAILED = 0, 1


class Screen:
    """How a run speaks to people: `say` to standard output, `show` a report with its text wherever source lines may go.

    `sum_up` is given the last line, which is in the log, too.
    """

    def __init__(
        self, say: "Callable[[str], None]", show: "Callable[[Report, bytes], None]", sum_up: "Callable[[str], None]"
    ) -> None:
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
        environment: "Mapping[str, str] | None" = None,
        convert: str = "",
        only_plan: bool = False,
        ignore_failure: bool = False,
    ) -> None:
        self._source, self._screen, self._options = source, screen, options or Options()
        self._root = Root(root)
        self._environment = os.environ if environment is None else environment
        self._convert, self._only_plan, self._ignore_failure = convert, only_plan, ignore_failure
        self._has_failed = False

    def validate(self) -> int:
        """`--validate`: 0 only if there is nothing to say."""
        try:
            data = self._user_data()
        except Failure as failure:
            log.error(f"failed to fetch user-data: {failure}")
            return FAILED
        report = self._validated(data)
        if report.entries:
            self._screen.show(report, data)
        return FAILED if report.entries else SUCCESS

    def run(self) -> int:
        """Apply, or with `only_plan` say what would be applied."""
        data = self._data_or_nothing()
        self._validated(data)
        try:
            metadata = self._source.metadata()
        except Failure as failure:
            log.critical(f"failed to fetch meta-data: {failure}")
            return FAILED
        if user_data.kind(data) == user_data.IGNITION:
            self._screen.say(IGNITION_NOTICE)
            return SUCCESS
        try:
            with Fetcher(Settings(), offline=True) as fetcher:
                context = Context(self._root, fetcher)
                self._carry_out(self._planned(data, metadata, context), context)
        except Refused as refused:
            self._refuse(refused)
            return FAILED
        except Failure as failure:
            log.critical(f"failed to apply: {failure}")
            return FAILED
        return FAILED if self._has_failed and not self._ignore_failure else SUCCESS

    def _user_data(self) -> bytes:
        log.info(f"fetching user-data from datasource of type {self._source.name} at {self._source.where}")
        return user_data.unpacked(self._source.user_data())

    def _data_or_nothing(self) -> bytes:
        try:
            return self._user_data()
        except Failure as failure:
            log.error(f"failed to fetch user-data: {failure}; going on without")
            self._has_failed = True
            return b""

    def _validated(self, data: bytes) -> "Report":
        report = validate.validate("user-data", data)
        for entry in report.entries:
            level = {"error": log.ERROR, "warning": log.WARNING}.get(entry.level, log.INFO)
            log.send(level, in_original_words(entry))
        return report

    def _planned(self, data: bytes, metadata: Metadata, context: Context) -> list[Operation]:
        addresses = substitution.values(metadata, self._environment)
        parts = self._parts_or_none(data, addresses)
        facts = probe([part.config for part in parts if isinstance(part, Reading)], self._root)
        return plan(parts, metadata, facts, addresses, self._options, self._network(metadata, context))

    def _network(self, metadata: Metadata, context: Context) -> list[Operation]:
        if not self._convert:
            return []
        from ignition.cloudinit.network.apply import converted
        from ignition.cloudinit.network.apply import plan as network_plan

        return network_plan(converted(self._convert, metadata.network, self._source.where), context)

    def _parts_or_none(self, data: bytes, addresses: "Mapping[str, str]") -> list[Reading | Part]:
        try:
            return parts(data, addresses)
        except Refused as refused:
            self._refuse(refused)
        except Failure as failure:
            log.error(f"cannot apply user-data: {failure}")
        self._has_failed = True
        return []

    def _refuse(self, refused: Refused) -> None:
        log.error(f"cannot apply {refused}")
        self._screen.show(refused.report, refused.text)

    def _carry_out(self, operations: list[Operation], context: Context) -> None:
        if not self._only_plan:
            self._apply(operations, context)
            return
        for line in apply.preview(operations, context):
            self._screen.say(line)

    def _apply(self, operations: list[Operation], context: Context) -> None:
        record_path = self._root.locate(RECORDS)
        os.makedirs(os.path.dirname(record_path), mode=0o755, exist_ok=True)
        runner = apply.CountingRunner(record_path)
        with runner:
            runner.run(operations, context)
        done = apply.summary(runner.results) + (", without the user data" if self._has_failed else "")
        log.info(done)
        self._screen.sum_up(f"coreos-cloudinit: {done}")


def parts(data: bytes, addresses: "Mapping[str, str]") -> list[Reading | Part]:
    """What there is to apply, addresses put in: cloud-configs that were read, and scripts. Raises Refused or Failure."""
    found = user_data.parts(data)
    if len(found) == 1 and found[0].kind == user_data.UNKNOWN and found[0].text is data:
        raise Failure(f"unrecognized user-data: {user_data.MUST_BE}")
    taken: list[Reading | Part] = []
    for part in found:
        text = substitution.substitute(part.text, addresses)
        if part.kind == user_data.CLOUD_CONFIG:
            taken.append(reading.read("user-data" if part.text is data else part.name, text))
        elif part.kind == user_data.SCRIPT:
            taken.append(part.with_text(text))
        else:
            log.warning(
                f"part {part.name} is {'an Ignition config' if part.kind == user_data.IGNITION else 'unknown'}: left alone"
            )
    return taken
