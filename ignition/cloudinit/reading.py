"""A cloud-config's text → the model. Source: coreos-cloudinit.md 10.

Lenient as Container Linux was: dashes in keys are underscores, unknown keys are passed over, of a repeated key the last counts,
null is as good as nothing, texts keep their source spelling. A wrong type is an error, as in Flatcar: the original left the
member out without a word. Only a bare word in a list of mappings (`users: [default, …]` of cloud-init) is left out here, too.
"""

from ignition.cloudinit import findings
from ignition.cloudinit.findings import Finding, Refused
from ignition.cloudinit.keys import Key, Section
from ignition.cloudinit.model import CloudConfig
from ignition.config.report import ERROR, Path
from ignition.config.text import yaml_scalars, yaml_text
from ignition.config.text.yaml_nodes import Mapping, Node, Scalar, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.text.yaml_text import Document

POLICY = yaml_text.Policy(dashes_are_underscores=True, repeated_keys_fail=False)
_INT_64 = range(-(2**63), 2**63)
_WORDS = {"string": "a text", "int": "a whole number", "float64": "a number", "bool": "true or false", "struct": "a mapping"}


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
        raise Refused(name, [findings.of_text(text, error)], text) from None


def read(name: str, text: bytes) -> Reading:
    """Raises Refused, with every error, for a text that is no document or has values of wrong types."""
    document = document_of(name, text)
    reader = _Reader()
    root = document.root
    config = CloudConfig()
    if isinstance(root, Mapping):
        config = reader.section(CloudConfig, root, ())
    elif not _is_null(root):
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
            if member is not None and not _is_null(member):
                value = self._value(one, member, (*path, name))
                if value is not None:
                    values[name] = value
        return cls.of(values)

    def _value(self, one: Key, node: Node, path: Path) -> "Any":
        if not one.many:
            return self._single(one, node, path)
        if not isinstance(node, Sequence):
            return self._mistyped(path, "a list", node)
        items = [self._item(one, item, (*path, index)) for index, item in enumerate(node.items)]
        return tuple(item for item in items if item is not None)

    def _item(self, one: Key, node: Node, path: Path) -> "Any":
        if isinstance(node, Scalar) and issubclass(one.element, Section):
            return None  # the validation says so
        return "" if _is_null(node) else self._single(one, node, path)

    def _single(self, one: Key, node: Node, path: Path) -> "Any":
        if issubclass(one.element, Section):
            return self.section(one.element, node, path) if isinstance(node, Mapping) else self._mistyped(path, "a mapping", node)
        value = scalar(one.element, node)
        return self._mistyped(path, _WORDS[one.kind.removeprefix("[]")], node) if value is None else value

    def _mistyped(self, path: Path, wanted: str, node: Node) -> None:
        is_quoted = isinstance(node, Scalar) and not node.plain and wanted not in ("a list", "a mapping")
        fix = "write it without quotes" if is_quoted else _fix(wanted)
        self.wrong.append(Finding(ERROR, path, f"{_name(path)} must be {wanted}, not {node.what}", fix))


def scalar(kind: type, node: Node) -> "str | int | float | bool | None":
    """The value of a scalar in a member of that type; None if it does not fit. Fractions of whole numbers are cut off."""
    if not isinstance(node, Scalar) or node.kind == yaml_scalars.NULL:
        return None
    if kind is str:
        return node.text
    value = node.value()
    if kind is bool:
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) == float("inf"):
        return None
    if kind is float:
        return float(value)
    return int(value) if int(value) in _INT_64 else None


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.kind == yaml_scalars.NULL


def _name(path: Path) -> str:
    last = path[-1]
    return f"{path[-2]}[{last}]" if isinstance(last, int) and len(path) > 1 else str(last)


def _fix(wanted: str) -> str:
    return {"a list": "begin each element with a dash", "a mapping": "write keys with values below it"}.get(wanted, "")
