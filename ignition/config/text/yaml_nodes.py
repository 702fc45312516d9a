"""The tree of a YAML document, with positions; aliases and merges are already resolved.

An alias is the node of its anchor: findings about it are at the place of the anchor.
"""

from __future__ import annotations

from ignition.config.text import yaml_scalars

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.report import Path


Span = tuple[int, int]  # first byte, and the byte after the last


class Node:
    """Anything with a place. `weight`: how many nodes it is with all below it, aliases unfolded; `length`: its bytes of text."""

    __slots__ = ("length", "span", "weight")
    what = ""  # for messages

    def __init__(self, span: Span) -> None:
        self.span, self.weight, self.length = span, 1, 0

    def child(self, part: str | int) -> Node | None:
        """The next node of a path."""
        return None

    def key(self, part: str | int) -> Span | None:
        """Where the key of a member is written."""
        return None


class Scalar(Node):
    """`text`: as written, quotes and escapes resolved. `kind`: one of yaml_scalars. `plain`: without quotes. `is_block`: | or >.
    `has_lines`: it is written in more than one.

    The content of `!!binary` may not be UTF-8: then `text` has surrogates as those of os.fsdecode.
    """

    __slots__ = ("has_lines", "is_block", "kind", "plain", "text", "truths")

    def __init__(self, span: Span, text: str, kind: str, *, plain: bool, truths: dict[str, bool], is_block: bool = False) -> None:
        super().__init__(span)
        self.is_block, self.has_lines = is_block, is_block
        self.text, self.kind, self.plain, self.truths, self.length = text, kind, plain, truths, len(text)

    @property
    def what(self) -> str:  # type: ignore[override]
        """Its kind in words."""
        return {"bool": "true or false", "int": "a number", "float": "a number", "null": "null"}.get(self.kind, "a text")

    def value(self) -> str | int | float | bool | None:
        """The value for a decoder without a schema."""
        match self.kind:
            case yaml_scalars.BOOL:
                return self.truths[self.text]
            case yaml_scalars.INT:
                return yaml_scalars.integer(self.text)
            case yaml_scalars.FLOAT:
                return yaml_scalars.number(self.text)
            case yaml_scalars.NULL:
                return None
            case _:
                return self.text


class Sequence(Node):
    """A list. `nulls`: dropped null elements, each with the index of the element that follows."""

    __slots__ = ("items", "nulls")
    what = "a list"

    def __init__(self, span: Span) -> None:
        super().__init__(span)
        self.items: list[Node] = []
        self.nulls: list[tuple[int, Span]] = []

    def child(self, part: str | int) -> Node | None:
        return self.items[part] if isinstance(part, int) and 0 <= part < len(self.items) else None


class Mapping(Node):
    """`members` by their keys, in the order of the text; `keys` says where and how each is written, `merges` where a `<<` is."""

    __slots__ = ("keys", "members", "merges")
    what = "a mapping"

    def __init__(self, span: Span) -> None:
        super().__init__(span)
        self.members: dict[str, Node] = {}
        self.keys: dict[str, Span] = {}
        self.merges: list[Span] = []

    def child(self, part: str | int) -> Node | None:
        return self.members.get(part) if isinstance(part, str) else None

    def key(self, part: str | int) -> Span | None:
        return self.keys.get(part) if isinstance(part, str) else None


def plain(node: Node) -> Any:
    """Dictionaries, lists, texts, numbers, booleans and None, as the JSON reader returns them. Depth is bounded by the reader."""
    if isinstance(node, Mapping):
        return {key: plain(inner) for key, inner in node.members.items()}
    if isinstance(node, Sequence):
        return [plain(inner) for inner in node.items]
    return node.value() if isinstance(node, Scalar) else None


# A YAML node → the value of a member of a known type, as go-yaml decodes into Go's types; and the message for other types.
#
# Source: docs/reference/config-transpiler.md §A3 and §B15; docs/reference/coreos-cloudinit.md §10. Strings keep their
# source spelling, fractions of whole numbers are cut off, and a quoted scalar is always a string.


class Unsigned(int):
    """As the type of a member: a whole number that is not negative."""


LIST, MAPPING = "a list", "a mapping"
ZERO: dict[Any, Any] = {str: "", int: 0, Unsigned: 0, float: 0.0, bool: False}
WORDS: dict[Any, str] = {
    str: "a text",
    int: "a whole number",
    Unsigned: "a whole number that is not negative",
    float: "a number",
    bool: "true or false",
}
_INT_64 = range(-(2**63), 2**63)
_FIXES = {LIST: "begin each element with a dash", MAPPING: "write keys with values below it"}


def is_null(node: Node) -> bool:
    """Empty, `~` or `null`."""
    return isinstance(node, Scalar) and node.kind == yaml_scalars.NULL


def scalar(kind: type, node: Node) -> str | int | float | bool | None:
    """The value of a scalar in a member of that type (a key of WORDS); None if it does not fit."""
    if not isinstance(node, Scalar) or node.kind == yaml_scalars.NULL:
        return None
    if kind is str:
        return node.text
    value = node.value()
    if kind is bool:
        return value if isinstance(value, bool) else None
    # NaN and the infinities are floats in YAML, but no value of a member.
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) == float("inf"):
        return None
    if kind is float:
        return float(value)
    whole = int(value)
    return whole if whole in _INT_64 and (kind is not Unsigned or whole >= 0) else None


def complaint(path: Path, wanted: str, node: Node) -> tuple[str, str]:
    """Message and fix for a node of the wrong type for the member at `path`."""
    is_quoted = isinstance(node, Scalar) and not node.plain and wanted not in (LIST, MAPPING)
    last = path[-1] if path else "the config"
    name = f"{path[-2]}[{last}]" if isinstance(last, int) and len(path) > 1 else str(last)
    return f"{name} must be {wanted}, not {node.what}", "write it without quotes" if is_quoted else _FIXES.get(wanted, "")
