"""A cloud-config's text → the model. Source: docs/reference/coreos-cloudinit.md §10.

As lenient as Container Linux: dashes in keys are underscores, unknown keys are ignored, the last of repeated keys counts, null is
equivalent to absence, texts keep their spelling. A value of a wrong type is an error, as in Flatcar; the original ignored it
silently. Only a bare word in a list of mappings (`users: [default, …]` of cloud-init) is ignored here, too. Values of wrong types
are missing from the model and reported beside it: the users of such a document must be able to log in.
"""

from __future__ import annotations

from ignition.cloudinit import findings
from ignition.cloudinit.findings import Refused
from ignition.cloudinit.model import CloudConfig
from ignition.cloudinit.services import Key, Section
from ignition.config.report import ERROR, Finding, Path
from ignition.config.text import yaml_text
from ignition.config.text.locate import of_not_yaml
from ignition.config.text.positions import Lines
from ignition.config.text.yaml_nodes import LIST, MAPPING, WORDS, Mapping, Node, Scalar, Sequence, complaint, is_null, scalar
from ignition.patterns import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.text.yaml_text import Document

_PARTS = lazy_pattern(r"([^.\[\]]+)|\[([0-9]+)\]")
POLICY = yaml_text.Policy(dashes_are_underscores=True)


class Reading:
    """A cloud-config that was read. `name`: in messages; `wrong`: values of wrong types.

    `kept`: path of a list in the document → indices of the elements that the model has.
    """

    def __init__(
        self,
        name: str,
        text: bytes,
        document: Document,
        config: CloudConfig,
        wrong: list[Finding],
        kept: dict[Path, list[int]],
    ) -> None:
        self.name, self.text, self.document, self.config, self.wrong, self._kept = name, text, document, config, wrong, kept

    def refused(self, found: list[Finding]) -> Refused:
        """The exception with the values of wrong types and these findings about the model, at their places in the text."""
        every = [*self.wrong, *self.in_document(found)]
        refused = Refused(self.name, findings.placed(self.text, every, self.document.positions()), self.text)
        refused.is_unread = not found
        return refused

    def in_document(self, found: list[Finding]) -> list[Finding]:
        """Findings about the model, with their paths in the document."""
        return [one.moved(self._path_in_document(one.path)) for one in found]

    def place(self, words: str) -> str:
        """NAME:LINE:COLUMN of a place in the model, such as `users[0]`, or of its section; "" if the document has neither."""
        path = self._path_in_document(tuple(int(index) if index else name for name, index in _PARTS.findall(words)))
        positions = self.document.positions()
        while path and positions.find(path) is None:
            path = path[:-1]
        if not path:
            return ""
        line, column = Lines(self.text).at(positions.key(path))
        return f"{self.name}:{line}:{column}"

    def _path_in_document(self, path: Path) -> Path:
        """A path of the model, with the indices of the document's lists."""
        found: Path = ()
        for part in path:
            kept = self._kept.get(found)
            found = (*found, kept[part] if kept and isinstance(part, int) else part)
        return found


def document_of(name: str, text: bytes) -> Document:
    """Raises Refused if the text is not a YAML document."""
    try:
        return yaml_text.read(text, POLICY)
    except yaml_text.NotYaml as error:
        raise Refused(name, [of_not_yaml(text, error)], text) from None


def read(name: str, text: bytes) -> Reading:
    """Raises Refused if the text is not a YAML document."""
    document = document_of(name, text)
    reader = _Reader()
    root = document.root
    config = CloudConfig()
    if isinstance(root, Mapping):
        config = reader.section(CloudConfig, root, ())
    elif not is_null(root):
        message = f"a cloud-config must be a mapping, not {root.what}"
        reader.wrong.append(Finding(ERROR, (), message, "begin each line with a key and a colon"))
    return Reading(name, text, document, config, reader.wrong, reader.kept)


class _Reader:
    def __init__(self) -> None:
        self.wrong: list[Finding] = []
        self.kept: dict[Path, list[int]] = {}

    def section(self, cls: type[Any], node: Mapping, path: Path) -> Any:
        values = {}
        for name, one in cls.keys().items():
            member = node.members.get(name)
            if member is not None and not is_null(member):
                value = self._value(one, member, (*path, name))
                if value is not None:
                    values[name] = value
        return cls.of(values)

    def _value(self, one: Key, node: Node, path: Path) -> Any:
        if not one.many:
            return self._single(one, node, path)
        if not isinstance(node, Sequence):
            self._mistyped(path, LIST, node)
            # A single SSH key in place of a list of keys is still applied.
            return (node.text,) if isinstance(node, Scalar) and one.element is str else None
        items = [self._item(one, item, (*path, index)) for index, item in enumerate(node.items)]
        self.kept[path] = [index for index, item in enumerate(items) if item is not None]
        return tuple(item for item in items if item is not None)

    def _item(self, one: Key, node: Node, path: Path) -> Any:
        if isinstance(node, Scalar) and issubclass(one.element, Section):
            return None  # validate.py warns
        return "" if is_null(node) else self._single(one, node, path)

    def _single(self, one: Key, node: Node, path: Path) -> Any:
        if issubclass(one.element, Section):
            return self.section(one.element, node, path) if isinstance(node, Mapping) else self._mistyped(path, MAPPING, node)
        value = scalar(one.element, node)
        return self._mistyped(path, WORDS[one.element], node) if value is None else value

    def _mistyped(self, path: Path, wanted: str, node: Node) -> None:
        self.wrong.append(Finding(ERROR, path, *complaint(path, wanted, node)))
