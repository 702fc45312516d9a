"""A cloud-config's text → the model. Source: coreos-cloudinit.md 10.

Lenient as Container Linux was: dashes in keys are underscores, unknown keys are passed over, of a repeated key the last counts,
null is as good as nothing, texts keep their source spelling. A wrong type is an error, as in Flatcar: the original left the
member out without a word. Only a bare word in a list of mappings (`users: [default, …]` of cloud-init) is left out here, too.
"""

from ignition.cloudinit import findings
from ignition.cloudinit.findings import Refused
from ignition.cloudinit.keys import Key, Section
from ignition.cloudinit.model import CloudConfig
from ignition.config.report import ERROR, Path
from ignition.config.text import yaml_text
from ignition.config.text.placing import Finding, of_not_yaml
from ignition.config.text.yaml_nodes import Mapping, Node, Scalar, Sequence
from ignition.config.text.yaml_types import LIST, MAPPING, WORDS, complaint, is_null, scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.text.yaml_text import Document

POLICY = yaml_text.Policy(dashes_are_underscores=True, repeated_keys_fail=False)


class Reading:
    """A cloud-config that was read. `name` is what messages call it."""

    def __init__(self, name: str, text: bytes, document: "Document", config: CloudConfig) -> None:
        self.name, self.text, self.document, self.config = name, text, document, config

    def refused(self, found: "list[Finding]") -> Refused:
        """The exception with these findings at their places."""
        return Refused(self.name, findings.placed(self.text, found, self.document.positions()), self.text)


def document_of(name: str, text: bytes) -> "Document":
    """Raises Refused for what is no YAML document."""
    try:
        return yaml_text.read(text, POLICY)
    except yaml_text.NotYaml as error:
        raise Refused(name, [of_not_yaml(text, error)], text) from None


def read(name: str, text: bytes) -> Reading:
    """Raises Refused, with every error, for a text that is no document or has values of wrong types."""
    document = document_of(name, text)
    reader = _Reader()
    root = document.root
    config = CloudConfig()
    if isinstance(root, Mapping):
        config = reader.section(CloudConfig, root, ())
    elif not is_null(root):
        message = f"a cloud-config is a mapping of keys, not {root.what}"
        reader.wrong.append(Finding(ERROR, (), message, "begin each line with a key and a colon"))
    reading = Reading(name, text, document, config)
    if reader.wrong:
        raise reading.refused(reader.wrong)
    return reading


class _Reader:
    def __init__(self) -> None:
        self.wrong: list[Finding] = []

    def section(self, cls: "type[Any]", node: Mapping, path: Path) -> "Any":
        values = {}
        for name, one in cls.keys().items():
            member = node.members.get(name)
            if member is not None and not is_null(member):
                value = self._value(one, member, (*path, name))
                if value is not None:
                    values[name] = value
        return cls.of(values)

    def _value(self, one: Key, node: Node, path: Path) -> "Any":
        if not one.many:
            return self._single(one, node, path)
        if not isinstance(node, Sequence):
            return self._mistyped(path, LIST, node)
        items = [self._item(one, item, (*path, index)) for index, item in enumerate(node.items)]
        return tuple(item for item in items if item is not None)

    def _item(self, one: Key, node: Node, path: Path) -> "Any":
        if isinstance(node, Scalar) and issubclass(one.element, Section):
            return None  # the validation says so
        return "" if is_null(node) else self._single(one, node, path)

    def _single(self, one: Key, node: Node, path: Path) -> "Any":
        if issubclass(one.element, Section):
            return self.section(one.element, node, path) if isinstance(node, Mapping) else self._mistyped(path, MAPPING, node)
        value = scalar(one.element, node)
        return self._mistyped(path, WORDS[one.element], node) if value is None else value

    def _mistyped(self, path: Path, wanted: str, node: Node) -> None:
        self.wrong.append(Finding(ERROR, path, *complaint(path, wanted, node)))
