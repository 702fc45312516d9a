"""A YAML node → the value of a member whose type is known, as go-yaml decodes into Go's types; and what to say of a misfit.

Source: docs/reference/config-transpiler.md §A3 and §B15; docs/reference/coreos-cloudinit.md §10. Texts keep their source
spelling, fractions of whole numbers are cut off, and what is quoted is a text and nothing else.
"""

from ignition.config.text import yaml_scalars
from ignition.config.text.yaml_nodes import Node, Scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.report import Path


class Unsigned(int):
    """As the type of a member: a whole number that is not negative."""


LIST, MAPPING = "a list", "a mapping"
ZERO: "dict[Any, Any]" = {str: "", int: 0, Unsigned: 0, float: 0.0, bool: False}
WORDS: "dict[Any, str]" = {
    str: "a text",
    int: "a whole number",
    Unsigned: "a whole number that is not negative",
    float: "a number",
    bool: "true or false",
}
_INT_64 = range(-(2**63), 2**63)
_FIXES = {LIST: "begin each element with a dash", MAPPING: "write keys with values below it"}


def is_null(node: Node) -> bool:
    """Nothing, `~` or `null`."""
    return isinstance(node, Scalar) and node.kind == yaml_scalars.NULL


def scalar(kind: type, node: Node) -> "str | int | float | bool | None":
    """The value of a scalar in a member of that type (a key of WORDS); None if it does not fit."""
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
    whole = int(value)
    return whole if whole in _INT_64 and (kind is not Unsigned or whole >= 0) else None


def complaint(path: "Path", wanted: str, node: Node) -> tuple[str, str]:
    """Message and remedy for a node that is not what the member at `path` must be."""
    is_quoted = isinstance(node, Scalar) and not node.plain and wanted not in (LIST, MAPPING)
    return f"{_name(path)} must be {wanted}, not {node.what}", "write it without quotes" if is_quoted else _FIXES.get(wanted, "")


def _name(path: "Path") -> str:
    last = path[-1] if path else "the config"
    return f"{path[-2]}[{last}]" if isinstance(last, int) and len(path) > 1 else str(last)
