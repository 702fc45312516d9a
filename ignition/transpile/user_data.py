"""User data in YAML, translated on the machine: Butane, recognised by its `variant`, and Container Linux Config, by its keys.

A cloud-config is left to coreos-cloudinit. Local files are not available on a machine: contents are inline or remote. Findings
are reported at their places in the YAML.
"""

from ignition.config.parse import INVALID, VALID, Parsed, parse
from ignition.config.record import spec
from ignition.config.report import Entry, Path, Report
from ignition.config.text import odd_input, yaml_text
from ignition.errors import Failure
from ignition.transpile import findings
from ignition.transpile.generated import Generated, existing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from ignition.config.text.yaml_places import YamlPositions

_FIX = "write it inline, let the machine fetch it, or embed it with ct or butane beforehand"


class Written:
    """The YAML text that a config was translated from, to find the origin of its parts."""

    def __init__(self, text: bytes, policy: yaml_text.Policy, generated: Generated, made: str = "") -> None:
        self._text, self._policy, self._generated, self._made = text, policy, generated, made.encode()
        self._read: yaml_text.Document | None = None

    def path(self, made: Path) -> Path:
        """The path in the document of a member of the JSON, as far as it exists."""
        return existing(self._generated.origin_of(made), self._document.root)

    def positions(self) -> "YamlPositions":
        """The places of all paths in the document."""
        return self._document.positions()

    def carried_back(self, report: Report) -> tuple[Entry, ...]:
        """Findings about the JSON, at their places in the document."""
        rows = findings.carried_back(report, self._generated, self._document.root, self._made)
        return findings.report(report.source, self._text, self._document, rows).entries

    @property
    def _document(self) -> yaml_text.Document:
        """Parsed again on demand, which successful boots do not need."""
        if self._read is None:
            self._read = yaml_text.read(self._text, self._policy)
        return self._read


class Translated(Parsed):
    """The result of translating a document in YAML."""

    json: bytes = spec('the generated config; "" if the document is invalid', default=b"")
    written: Written | None = spec("the document; None if it is invalid", default=None)


def parsed(text: bytes, source: str, platform: str = "") -> Translated | None:
    """Like config.parse.parse; None if the text is neither. `source`: its name in messages. `platform`: of the machine."""
    match odd_input.transpilable(text):
        case odd_input.A_CONTAINER_LINUX_CONFIG:
            return _container_linux(text, source, platform)
        case odd_input.A_BUTANE_CONFIG:
            return _butane(text, source)
    return None


def _container_linux(text: bytes, name: str, platform: str) -> Translated:
    from ignition.transpile.ct import dynamic
    from ignition.transpile.ct.run import POLICY, Source

    source = Source(name, text)
    if source.config is None:
        return Translated(outcome=INVALID, report=source.report)
    result = source.translated(dynamic.of_machine(platform), _refuse)
    report = Report(entries=source.report.entries + result.report.entries, source=name)
    made = result.text()
    if made is None or result.generated is None:
        return Translated(outcome=INVALID, report=report)
    return _translated(made, report, Written(text, POLICY, result.generated, made))


def _butane(text: bytes, name: str) -> Translated:
    from ignition.transpile.butane import POLICY, translate

    done = translate(text, name=name, files_dir=None)
    if done.text is None:
        return Translated(outcome=INVALID, report=done.report)
    return _translated(done.text, done.report, Written(text, POLICY, Generated({}, dict(done.origins)), done.text))


def _translated(json: str, report: Report, written: Written) -> Translated:
    made = json.encode("utf-8")
    result = parse(made, source=report.source)
    return Translated(
        outcome=VALID,
        config=result.config,
        report=report,
        version=result.version,
        renamed_paths=result.renamed_paths,
        json=made,
        written=written,
    )


def _refuse(name: str) -> "NoReturn":
    raise Failure("local files are not available on the machine", fix=_FIX)
