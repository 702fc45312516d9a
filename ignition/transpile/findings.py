"""Findings about a source, at their places in the YAML.

Ignition's rules are not repeated: the parser's findings about the generated config are mapped back to the source.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from ignition.config.model import Config
from ignition.config.parse import parse
from ignition.config.record import Record
from ignition.config.report import Entry, Finding, Path, Report, split
from ignition.config.text.locate import locate_findings, of_not_yaml
from ignition.config.text.positions import Positions, index_in_string
from ignition.config.text.yaml_nodes import Scalar
from ignition.patterns import lazy_pattern
from ignition.transpile.generated import Generated, existing, json_text, snake_case

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.parse import Parsed
    from ignition.config.text.yaml_nodes import Node
    from ignition.config.text.yaml_text import Document, NotYaml


_LINE_OF_UNIT = lazy_pattern(r"\(line ([0-9]+) of the unit\)$")  # in messages of config/unit_syntax.py


def judged(generated: Generated) -> Parsed:
    """The parser's result for the generated config: `.report` is for `carried_back`, `.config` is the model."""
    return parse(json_text(generated.data, pretty=False).encode("utf-8"))


def carried_back(report: Report, generated: Generated, root: Node, made: bytes = b"") -> list[Finding]:
    """The parser's findings with existing paths of the YAML. `made`: the JSON that they are about, for places inside texts."""
    found = []
    for entry in report.entries:
        path = existing(generated.origin_of(path_of(entry)), root)
        node: Node | None = root
        for part in path:
            node = node.child(part) if node else None
        inside = _inside(entry, node, made) if isinstance(node, Scalar) else None
        found.append(Finding(entry.level, path, entry.message, entry.fix, rule=entry.rule, inside=inside))
    return found


def _inside(entry: Entry, node: Scalar, made: bytes) -> tuple[int, int] | None:
    """The range of characters of a text that a finding is about; None for all of it."""
    whole = Positions(made, [path_of(entry)]).extent(path_of(entry), of_key=False) if made else None
    if whole and entry.extent and whole[0] < entry.extent[0] and entry.extent[1] < whole[1]:
        # Only if the text is in the document as it is in the JSON: neither encoded nor generated.
        if json.loads(made[slice(*whole)]) == node.text:
            first, last = (index_in_string(made, whole[0], offset) for offset in entry.extent)
            return first, last
    line = _LINE_OF_UNIT.search(entry.message) if node.has_lines else None  # the rules about units only report lines
    if not line:
        return None
    upto = node.text.split("\n")[: int(line[1])]
    end = len("\n".join(upto))
    return end - len(upto[-1].lstrip()), end


def path_of(entry: Entry) -> Path:
    """`$.storage.files.0` → its parts."""
    return split(entry.path)[1:]


def report(name: str, text: bytes, document: Document, found: Iterable[Finding]) -> Report:
    """The findings with line, column and extent. `name`: of the text in messages."""
    rows = list(found)
    return Report(entries=locate_findings(text, rows, document.positions()) if rows else (), source=name)


def of_text(name: str, text: bytes, error: NotYaml) -> Report:
    """The report about a text that is not a YAML document."""
    return Report(entries=(of_not_yaml(text, error),), source=name)


# Messages of Ignition's rules, translated for a YAML document: members in snake_case, modes in octal.

_WORD = lazy_pattern(r"\b[a-z]+(?:[A-Z][a-z]*)+[A-Z]?\b")
_MODES = (
    (lazy_pattern(r"modes are decimal: for ([0-7]+) write \d+"), r"write \1: a leading zero makes it octal"),
    (lazy_pattern(r"modes are decimal: 420 is 0644, 493 is 0755"), "write it in octal, with a leading zero, as in 0644"),
)


def in_yaml(text: str) -> str:
    """A message or a fix. Only names of members are translated, since a message may quote the user."""
    for json_form, yaml_form in _MODES:
        text = json_form.sub(yaml_form, text)
    if not _WORD.search(text):
        return text
    known = set(_names(Config))
    return _WORD.sub(lambda found: snake_case(found[0]) if found[0] in known else found[0], text)


def _names(cls: type[Record]) -> Iterator[str]:
    for field in cls.FIELDS.values():
        yield field.json
        if field.is_record:
            yield from _names(field.element)
