"""What there is to say about a source, at its place in the YAML.

Rules of Ignition's are not repeated: the parser's findings about what was made are carried back to what it was made of.
"""

import json
import re

from ignition.config.parse import parse
from ignition.config.report import Entry, Path, Report, split
from ignition.config.text.placing import Finding, entries, of_not_yaml
from ignition.config.text.positions import Positions, index_in_string
from ignition.config.text.yaml_nodes import Scalar
from ignition.transpile import json_output
from ignition.transpile.generated import Generated, existing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ignition.config.parse import Parsed
    from ignition.config.text.yaml_nodes import Node
    from ignition.config.text.yaml_text import Document, NotYaml

_LINE_OF_UNIT = re.compile(r"\(line ([0-9]+) of the unit\)$")  # as config/unit_syntax.py words it


def judged(generated: Generated) -> "Parsed":
    """What the parser says of the config that was made: `.report` for `carried_back`, `.config` the model."""
    return parse(json_output.text(generated.data, pretty=False).encode("utf-8"))


def carried_back(report: Report, generated: Generated, root: "Node", made: bytes = b"") -> list[Finding]:
    """The parser's findings with paths of the YAML that exist. `made`: the JSON that they are about, for places inside texts."""
    found = []
    for entry in report.entries:
        path = existing(generated.origin_of(path_of(entry)), root)
        node = _node(path, root)
        inside = _inside(entry, node, made) if isinstance(node, Scalar) else None
        found.append(Finding(entry.level, path, entry.message, entry.fix, rule=entry.rule, inside=inside))
    return found


def _node(path: Path, root: "Node") -> "Node | None":
    node: Node | None = root
    for part in path:
        node = node.child(part) if node else None
    return node


def _inside(entry: Entry, node: Scalar, made: bytes) -> tuple[int, int] | None:
    """Which characters of a text a finding is about; None for all of it."""
    whole = Positions(made, [path_of(entry)]).extent(path_of(entry), of_key=False) if made else None
    if whole and entry.extent and whole[0] < entry.extent[0] and entry.extent[1] < whole[1]:
        # Not of contents that were encoded, or that the document does not say itself.
        if json.loads(made[slice(*whole)]) == node.text:
            first, last = (index_in_string(made, whole[0], offset) for offset in entry.extent)
            return first, last
    line = _LINE_OF_UNIT.search(entry.message) if node.has_lines else None  # the rules about units know no more than that
    if not line:
        return None
    upto = node.text.split("\n")[: int(line[1])]
    end = len("\n".join(upto))
    return end - len(upto[-1].lstrip()), end


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
