"""What there is to say about a source, at its place in the YAML.

Rules of Ignition's are not repeated: the parser's findings about what was made are carried back to what it was made of.
"""

from ignition.config.parse import parse
from ignition.config.report import Entry, Path, Report, split
from ignition.config.text.placing import Finding, entries, of_not_yaml
from ignition.transpile import json_output
from ignition.transpile.generated import Generated, existing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ignition.config.parse import Parsed
    from ignition.config.text.yaml_nodes import Node
    from ignition.config.text.yaml_text import Document, NotYaml


def judged(generated: Generated) -> "Parsed":
    """What the parser says of the config that was made: `.report` for `carried_back`, `.config` the model."""
    return parse(json_output.text(generated.data, pretty=False).encode("utf-8"))


def carried_back(report: Report, generated: Generated, root: "Node") -> list[Finding]:
    """The parser's findings with paths of the YAML that exist."""
    return [
        Finding(entry.level, existing(generated.origin_of(path_of(entry)), root), entry.message, entry.fix, rule=entry.rule)
        for entry in report.entries
    ]


def path_of(entry: Entry) -> Path:
    """`$.storage.files.0` → its parts."""
    return split(entry.path)[1:]


def report(name: str, text: bytes, document: "Document", found: "Iterable[Finding]") -> Report:
    """The findings with line, column and extent. `name`: what messages call the text."""
    rows = list(found)
    return Report(entries=entries(text, rows, document.positions()) if rows else (), source=name)


def of_text(name: str, text: bytes, error: "NotYaml") -> Report:
    """The report about a text that is no document."""
    return Report(entries=(of_not_yaml(text, error),), source=name)
