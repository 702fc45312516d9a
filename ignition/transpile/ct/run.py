"""The text of a Container Linux Config → the JSON text of an Ignition config, in two stages with a report each, as in `ct`."""

from __future__ import annotations

from ignition.config.report import ERROR, WARNING, Entry, Finding, Report
from ignition.config.text import yaml_text
from ignition.config.text.locate import of_repeated_keys, of_unread
from ignition.config.text.yaml_nodes import is_null
from ignition.transpile import findings, reading
from ignition.transpile.ct import dynamic, source_rules
from ignition.transpile.ct.model import VERSION, ContainerLinuxConfig
from ignition.transpile.ct.translate import translate
from ignition.transpile.findings import in_yaml
from ignition.transpile.generated import json_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.transpile.ct.translate import ReadLocal
    from ignition.transpile.generated import Generated

POLICY = yaml_text.Policy(null_elements_count=False)
_LAST_COUNTS = ": the last one counts"


class Source:
    """The first stage: `config` is None if the report has an error."""

    def __init__(self, name: str, text: bytes) -> None:
        """`name`: of the text in messages. Raises nothing."""
        self.name, self.text = name, text
        self.config: ContainerLinuxConfig | None = None
        try:
            self._document = yaml_text.read(text, POLICY)
        except yaml_text.NotYaml as error:
            self.report = findings.of_text(name, text, error)
            return
        self.report = self._read()

    def _read(self) -> Report:
        root = self._document.root
        # Flatcar's `ct` refuses repeated keys, CoreOS' silently used the last one; both ignore unread documents.
        rows = of_unread(self._document.unread) + of_repeated_keys(self.text, self._document.repeated, WARNING, _LAST_COUNTS)
        if is_null(root):
            self.config = ContainerLinuxConfig()
            empty = Entry(level=WARNING, message="Configuration is empty")
            return Report(entries=(empty, *self.placed(rows).entries), source=self.name)
        found = reading.read(ContainerLinuxConfig, root, VERSION, tilde_is_zero=True)
        if found.wrong:
            return self.placed([*rows, *found.wrong])
        rows += [*source_rules.unknown_keys(found), *source_rules.findings(found.value)]
        self.config = None if any(row.level == ERROR for row in rows) else found.value
        return self.placed(rows)

    def placed(self, rows: list[Finding]) -> Report:
        """A report about this text."""
        return findings.report(self.name, self.text, self._document, rows)

    def translated(self, platform: dynamic.Platform, read_local: ReadLocal) -> Result:
        """The second stage, of a source without errors."""
        if self.config is None:
            raise ValueError("the source has errors")
        made = translate(self.config, platform, read_local)
        if made.findings:
            return Result(self.placed(made.findings))
        rows = findings.carried_back(findings.judged(made.generated).report, made.generated, self._document.root)
        for row in rows:
            row.message, row.fix = in_yaml(row.message), in_yaml(row.fix)
        return Result(self.placed(rows), made.generated)


def unsupported(platform: str) -> Report:
    """The error of `ct` for an unsupported platform; empty for others."""
    if not platform or platform in dynamic.PLATFORMS:
        return Report()
    fix = f"use one of {', '.join(dynamic.PLATFORMS)}"
    return Report(entries=(Entry(level=ERROR, message=f"unsupported platform: {platform}", fix=fix),))


class Result:
    """The result of the second stage. `generated` is None if the report has an error."""

    def __init__(self, report: Report, generated: Generated | None = None) -> None:
        self.report = report
        self.generated = None if report.fatal else generated

    def text(self, *, pretty: bool = False) -> str | None:
        """The JSON, without a final newline."""
        return json_text(self.generated.data, pretty=pretty) if self.generated else None
