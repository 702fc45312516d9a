"""Positions of the nodes of a YAML tree, and of the characters inside a scalar of any style.

Places are byte offsets, as in `positions`, so that reports and their display work for both YAML and JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ignition.config.text.positions import Place, Positions
from ignition.config.text.yaml_nodes import Node, Scalar, Span
from ignition.patterns import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.report import Path

# Tag and anchor precede the indicator, a comment may follow it.
_BLOCK_HEADER = lazy_pattern(r"(?:[!&]\S*\s+)*([|>])[^\n]*\n")
_PROPERTIES = lazy_pattern(r"(?:[!&]\S*\s+)*")
_FIRST_OF_CONTENT = lazy_pattern(rb"(?:[!&]\S*\s+)*[|>][^\n]*\n\s*")
_DOUBLE_QUOTED = lazy_pattern(
    r"""(?P<end>")|(?P<fold>[ \t]*\r?\n\s*)|(?P<join>\\\r?\n\s*)|\\(?:x..|u.{4}|U.{8}|.)|.""",
    re.DOTALL,
)


class YamlPositions(Positions):
    """The places of all paths of a tree; a member's name is found as the reader's policy spells it.

    The place of a block scalar (`|`, `>`) is the start of its content, not its indicator: findings are about the content.
    """

    def __init__(self, root: Node, text: bytes) -> None:
        self._tree, self._text = root, text
        self._known: tuple[Node, str, list[int]] | None = None  # the last scalar that was searched: one may have many findings

    def find(self, path: Path) -> Place | None:
        node, key = self._tree, None
        for part in path:
            key, inner = node.key(part), node.child(part)
            if inner is None:
                return None
            node = inner
        start, end = node.span
        if isinstance(node, Scalar) and node.is_block:
            header = _FIRST_OF_CONTENT.match(self._text, start, end)
            start = header.end() if header and header.end() < end else start
        return Place(key[0] if key else None, start, end, is_container=False)

    def extent(self, path: Path, *, of_key: bool) -> Span | None:
        if of_key and path:
            above = self._node(path[:-1])
            return above.key(path[-1]) if above else None
        node = self._node(path)
        return node.span if node and node.span[0] < node.span[1] else None

    def within(self, path: Path, inside: Span) -> Span | None:
        node = self._node(path)
        if not isinstance(node, Scalar):
            return None
        if self._known is None or self._known[0] is not node:
            source = self._text[slice(*node.span)].decode("utf-8", "replace")
            self._known = node, source, list(_characters(source, node))
        _, source, at = self._known
        first, last = (at[index] if index < len(at) else len(source) for index in inside)
        return node.span[0] + len(source[:first].encode()), node.span[0] + len(source[: max(first, last)].encode())

    def _node(self, path: Path) -> Node | None:
        node: Node | None = self._tree
        for part in path:
            node = node.child(part) if node else None
        return node


def _characters(source: str, node: Scalar) -> Iterator[int]:
    """The offset in the source of each character of a scalar's text."""
    header = _BLOCK_HEADER.match(source) if node.is_block else None
    if header and header[1] == "|":
        return _literal(source, node.text, header.end())
    if header:
        return _aligned(source, node.text, header.end(), _indent(source[header.end() :], node.text))
    properties = _PROPERTIES.match(source)
    start = properties.end() if properties else 0
    quote = source[start : start + 1]  # a plain scalar cannot begin with one
    if quote == '"':
        return _double_quoted(source, start + 1)
    return _aligned(source, node.text, start + (quote == "'"), 0, quote)


def _indent(content: str, text: str) -> int:
    """Indentation of the content of a block scalar. Measured, because an indentation indicator is relative to the parent."""
    line, said = (next((line for line in part.split("\n") if line.strip()), "") for part in (content, text))
    return max(0, len(line) - len(line.lstrip(" ")) - (len(said) - len(said.lstrip(" "))))


def _literal(source: str, text: str, start: int) -> Iterator[int]:
    """Line by line."""
    indent = _indent(source[start:], text)
    for line in text.split("\n"):
        end = source.find("\n", start)
        end = len(source) if end < 0 else end
        yield from range(min(start + indent, end), min(start + indent, end) + len(line) + 1)
        start = end + 1


def _double_quoted(source: str, at: int) -> Iterator[int]:
    """As YAML reads it: escapes, folded line breaks, and escaped ones, which are dropped."""
    while at < len(source):
        part = _DOUBLE_QUOTED.match(source, at)
        if part is None or part["end"]:
            break
        if part["fold"]:
            breaks = [place.start() + at for place in re.finditer("\n", part["fold"])]
            yield from breaks[:1] if len(breaks) == 1 else breaks[:-1]
        elif part["join"]:
            yield from (place.start() + at for place in list(re.finditer("\n", part["join"]))[1:])
        else:
            yield at
        at = part.end()
    yield at


def _aligned(source: str, text: str, at: int, indent: int, quote: str = "") -> Iterator[int]:
    """Character by character: folding only removes white space and line breaks from the source."""
    at += indent
    for character in text:
        if character in " \n":
            at = _fold(source, at, character)
        else:
            while at < len(source) and source[at] != character and source[at].isspace():
                at += 1
        yield min(at, len(source))
        # Inside single quotes, a quote is written twice.
        at += 2 if quote == "'" and character == "'" else 1
        if source[at - 1 : at] == "\n":
            at += next((depth for depth in range(indent) if source[at + depth : at + depth + 1] != " "), indent)
    yield min(at, len(source))


def _fold(source: str, at: int, character: str) -> int:
    """The offset in the source of a blank or line feed of the text: a blank may be a folded line feed."""
    blank = source[at : at + 1] == " " and character == " "
    end = source.find("\n", at)
    return at if blank or end < 0 or source[at:end].strip() else end
