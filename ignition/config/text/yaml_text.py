"""YAML text → a tree with positions, for cloud-config, Container Linux Config and Butane, which differ in a small Policy.

Events come from libyaml, the C code that go-yaml was translated from: messages are those of the original programs. The tree is
built without recursion, and aliases are not expanded: an alias is the node of its anchor. Limits count the expanded document, so
that alias bombs, deep nesting and documents of many megabytes fail early, with an error at their place.
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping as Table

from ignition.config.text import yaml_scalars
from ignition.config.text.yaml_nodes import Mapping, Node, Scalar, Sequence, Span
from ignition.config.text.yaml_places import YamlPositions
from ignition.host import limits
from ignition.patterns import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MOST_BYTES, MOST_NODES, MOST_DEPTH = limits.YAML_TEXT, limits.YAML_NODES, limits.NESTED
_CORE = "tag:yaml.org,2002:"
_MERGE = "<<"
_TAGS = {"!", "map", "seq", *yaml_scalars.KINDS}
_BOM = b"\xef\xbb\xbf"
_BLANKS = " \t\r\ufeff"
_MARK = lazy_pattern(r"(?:---|\.\.\.)(?=[ \t\r]|$)")
# Causes of text after the first document: message and fix.
_AFTER_LAST = (
    "the document ends before this: it and everything after it is not read",
    "remove it, or move it into the document",
)
_SHALLOW = (_AFTER_LAST[0], "indent it like the first line of the document")
_AFTER_END = ("the document ends with the ... above: this and everything after it is not read", "remove the ...")
_DIRECTIVE = (
    "a line that begins with % ends the document: it and everything after it is not read",
    "put directives above the first line, with --- behind them, or remove the line",
)
_NEXT_DOCUMENT = (
    "only the first document is read: a second one begins here",
    "remove the ---, or move each document to a file of its own",
)
_FIX_SIZE = "split it, and let large contents be fetched from a URL"
_FIX_ALIASES = "write the values out, or use fewer aliases"


class Policy:
    """Options for reading a kind of document.

    `dashes_are_underscores`: in every key, before it is compared. `null_elements_count`: otherwise null elements of lists are
    dropped, as by go-yaml 3. `truths`: the plain words that are booleans. `unknown_tags_fail`: otherwise they are ignored. Of a
    repeated key the last one counts, of several documents the first is read: `Document` reports both for those who refuse that.
    """

    def __init__(
        self,
        *,
        dashes_are_underscores: bool = False,
        null_elements_count: bool = True,
        unknown_tags_fail: bool = False,
        truths: Table[str, bool] | None = None,
    ) -> None:
        self.unknown_tags_fail = unknown_tags_fail
        self.dashes_are_underscores, self.null_elements_count = dashes_are_underscores, null_elements_count
        self.truths = dict(yaml_scalars.YAML_1_1_TRUTHS if truths is None else truths)

    def key(self, text: str) -> str:
        """The key under which a member is looked up."""
        return text.replace("-", "_") if self.dashes_are_underscores else text


class NotYaml(Exception):
    """The text is not a usable document. `span` are the offending bytes, None for the whole text."""

    def __init__(self, message: str, span: Span | None, fix: str = "") -> None:
        super().__init__(message)
        self.message, self.span, self.fix = message, span, fix


class Repeated:
    """A key that is written again in the same mapping. `first`: where it is written for the first time."""

    def __init__(self, key: str, span: Span, first: Span) -> None:
        self.key, self.span, self.first = key, span, first


class Unread:
    """Text after the end of the document, which is not read. `span`: its beginning."""

    def __init__(self, message: str, fix: str, span: Span) -> None:
        self.message, self.fix, self.span = message, fix, span


class Document:
    """`root` is a Scalar of kind null for a text without content. `unread`: None if the document is all of the text."""

    def __init__(self, root: Node, repeated: tuple[Repeated, ...], unread: Unread | None, text: bytes) -> None:
        self.root, self.repeated, self.unread, self._text = root, repeated, unread, text

    def positions(self) -> YamlPositions:
        """Positions of all nodes, for findings."""
        return YamlPositions(self.root, self._text)


def read(text: bytes, policy: Policy) -> Document:
    """The first document of a text. Raises NotYaml."""
    if len(text) > MOST_BYTES:
        megabytes = MOST_BYTES >> 20
        raise NotYaml(
            f"the document has {len(text) / (1 << 20):.1f} MiB, and more than {megabytes} MiB are not read", None, _FIX_SIZE
        )
    return _Builder(text, policy).document()


class _Open:
    """A container that is being read."""

    __slots__ = ("anchor", "first", "key", "merged", "node")

    def __init__(self, node: Mapping | Sequence, anchor: str | None) -> None:
        self.node, self.anchor = node, anchor
        self.key: tuple[str, Span, bool] | None = None  # name, place, whether it is a merge
        self.merged: list[Mapping] = []
        self.first: dict[tuple[str, bool], Span] = {}  # where a key was written first, by name and whether it is a merge


class _Builder:
    def __init__(self, text: bytes, policy: Policy) -> None:
        self._policy, self._bytes = policy, text
        self._skipped = len(_BOM) if text.startswith(_BOM) else 0
        self._text = _decoded(text, self._skipped)
        self._is_ascii = self._text.isascii()
        self._stack: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}  # None: its node is not complete
        self._repeated: list[Repeated] = []
        self._root: Node | None = None
        self._nodes = self._length = 0
        self._known_offset = (0, self._skipped)  # index, offset: events come in order, so the next one is near
        self._known_end = (0, 0)  # index after blanks, and before them

    def document(self) -> Document:
        import yaml

        loader = None
        try:
            # PyYAML without libyaml works, only slower.
            loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(self._text)
            while not isinstance(event := loader.get_event(), yaml.DocumentEndEvent | yaml.StreamEndEvent):
                self._take(event, yaml)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            words = f"{error.context}: {error.problem}" if error.context and error.context_mark is None else error.problem
            start = self._offset(min(mark.index, len(self._text))) if mark else 0
            raise NotYaml(words or error.context or "not YAML", (start, start + 1), _remedy(error.problem or "")) from None
        except yaml.reader.ReaderError:
            found = _UNPRINTABLE.search(self._text)
            start = self._offset(found.start()) if found else self._skipped
            fix = "remove it, or write it as an escape in double quotes"
            raise NotYaml("control characters are not allowed", (start, start + 1), fix) from None
        finally:
            if loader:
                loader.dispose()
        root = self._root or Scalar((0, 0), "", yaml_scalars.NULL, plain=True, truths=self._policy.truths)
        unread = self._unread(event) if isinstance(event, yaml.DocumentEndEvent) else None
        return Document(root, tuple(self._repeated), unread, self._bytes)

    def _unread(self, end: Any) -> Unread | None:
        """Text after the first document, other than comments and empty documents.

        libyaml silently ends a document at a line that cannot belong to it. It would only complain if the next document was
        requested, which go-yaml does not do.
        """
        said = _AFTER_END if end.explicit else _AFTER_LAST
        index, begin = end.end_mark.index, -1
        while index < len(self._text):
            end_of_line = self._text.find("\n", index)
            line = self._text[index : end_of_line if end_of_line >= 0 else None]
            words = line.strip(_BLANKS)
            mark = _MARK.match(line)
            if mark and mark[0] == "---":
                said, begin = _NEXT_DOCUMENT, index if begin < 0 else begin
                words = line[len("---") :].strip(_BLANKS)
            elif mark:
                said, words = _AFTER_END, ""
            elif line.startswith("%") and said is _AFTER_LAST:
                said = _DIRECTIVE
            elif line.startswith("%") and begin < 0:
                words = ""  # a directive for the next document
            if words and not words.startswith("#"):
                start = self._offset(index + line.index(words) if begin < 0 else begin)
                if said is _AFTER_LAST and self._root and self._column(start) < self._column(self._root.span[0]):
                    said = _SHALLOW
                return Unread(*said, (start, start + (len(words.encode()) if begin < 0 else len("---"))))
            index += len(line) + 1
        return None

    def _column(self, offset: int) -> int:
        return offset - max(self._bytes.rfind(b"\n", 0, offset) + 1, self._skipped)

    def _take(self, event: Any, yaml: Any) -> None:
        tag = getattr(event, "tag", None)
        if tag and self._policy.unknown_tags_fail and tag.removeprefix(_CORE) not in _TAGS:
            raise NotYaml(f"the tag {tag} has no meaning here", self._first(event), "write the value without it")
        match event:
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.MappingStartEvent():
                self._open(Mapping(self._span(event)), event)
            case yaml.SequenceStartEvent():
                self._open(Sequence(self._span(event)), event)
            case yaml.CollectionEndEvent():
                self._close(event)
            case yaml.AliasEvent():
                self._alias(event)

    def _scalar(self, event: Any) -> None:
        span, truths = self._span(event), self._policy.truths
        tag = (event.tag or "").removeprefix(_CORE)
        is_plain = event.style is None or event.style == ""
        kind = (
            yaml_scalars.kind(event.value, truths)
            if is_plain and not event.tag
            else yaml_scalars.KINDS.get(tag, yaml_scalars.STRING)
        )
        text = event.value
        if kind == yaml_scalars.BINARY:
            text = _binary(text, span)
        elif event.tag and kind != yaml_scalars.STRING:
            untagged = yaml_scalars.kind(text, truths)
            if untagged != kind and (kind, untagged) != (yaml_scalars.FLOAT, yaml_scalars.INT):
                raise NotYaml(f"cannot decode this as a !!{tag}", span, "correct the value or remove the tag")
        is_block = event.style in ("|", ">")
        node = Scalar(span, text, kind, plain=is_plain and not event.tag, truths=truths, is_block=is_block)
        node.has_lines = event.end_mark.line > event.start_mark.line
        self._count(1, len(text), span)
        if event.anchor:
            self._anchors[event.anchor] = node
        self._add(node)

    def _open(self, node: Mapping | Sequence, event: Any) -> None:
        if len(self._stack) >= MOST_DEPTH:
            raise NotYaml(f"nested more than {MOST_DEPTH} levels deep", self._first(event), "reduce the nesting")
        self._count(1, 0, node.span)
        if event.anchor:
            # An alias inside its own anchor would be an endless document.
            self._anchors[event.anchor] = None
        self._stack.append(_Open(node, event.anchor))

    def _close(self, event: Any) -> None:
        done = self._stack.pop()
        node = done.node
        node.span = (node.span[0], max(node.span[0], self._trimmed(event.end_mark.index)))
        if isinstance(node, Mapping):
            _merge(node, done.merged)
        if done.anchor:
            self._anchors[done.anchor] = node
        self._add(node)

    def _alias(self, event: Any) -> None:
        name, span = event.anchor, self._span(event)
        if name not in self._anchors:
            # Not named: an unquoted password may begin with *, and this goes into the journal of a boot.
            raise NotYaml("unknown anchor referenced", span, "define it before, with &; or quote a value that begins with *")
        node = self._anchors[name]
        if node is None:
            raise NotYaml(f"anchor '{name}' value contains itself", span, "write the value out")
        self._count(node.weight, node.length, span, fix=_FIX_ALIASES)
        self._add(node)

    def _add(self, node: Node) -> None:
        """Add a complete node to the tree: as the root, an element, a key or a value."""
        if not self._stack:
            self._root = node
            return
        around = self._stack[-1]
        around.node.weight += node.weight
        around.node.length += node.length
        if isinstance(around.node, Sequence):
            if not self._policy.null_elements_count and isinstance(node, Scalar) and node.kind == yaml_scalars.NULL:
                # An empty element has no text of its own: its dash is shown instead.
                dash = self._bytes.rfind(b"-", 0, node.span[0]) if node.span[0] == node.span[1] else -1
                around.node.nulls.append((len(around.node.items), (dash, dash + 1) if dash >= 0 else node.span))
            else:
                around.node.items.append(node)
        elif around.key is None:
            if not isinstance(node, Scalar):
                fix = "use a name as key; quote it if it begins with { or ["
                raise NotYaml(f"a key is {node.what}, not a word", node.span, fix)
            is_merge = node.plain and node.text == _MERGE
            around.key = node.text if is_merge else self._policy.key(node.text), node.span, is_merge
        else:
            self._member(around, around.node, node)
            around.key = None

    def _member(self, around: _Open, mapping: Mapping, node: Node) -> None:
        assert around.key is not None  # noqa: S101  for type checkers: a value follows its key
        name, span, is_merge = around.key
        first = around.first.setdefault((name, is_merge), span)
        if first is not span:
            self._repeated.append(Repeated(name, span, first))
        if is_merge:
            around.merged += _sources(node, span)
            mapping.merges.append(span)
            return
        # Removed first, so that the order is that of the value that counts.
        mapping.members.pop(name, None)
        mapping.members[name], mapping.keys[name] = node, span

    def _count(self, nodes: int, length: int, span: Span, *, fix: str = _FIX_SIZE) -> None:
        self._nodes += nodes
        self._length += length
        if self._nodes > MOST_NODES:
            by = "expands, with its aliases, to" if fix == _FIX_ALIASES else "has"
            raise NotYaml(f"the document {by} more than {MOST_NODES} values", span, fix)
        if self._length > MOST_BYTES:
            raise NotYaml(f"the document expands, with its aliases, to more than {MOST_BYTES >> 20} MiB", span, fix)

    def _span(self, event: Any) -> Span:
        return self._offset(event.start_mark.index), self._offset(event.end_mark.index)

    def _first(self, event: Any) -> Span:
        start = self._offset(event.start_mark.index)
        return start, start + 1

    def _trimmed(self, index: int) -> int:
        """The end of a block collection: libyaml reports the start of the next token, after white space."""
        if self._known_end[0] != index:
            start = index
            while start > 0 and self._text[start - 1].isspace():
                start -= 1
            self._known_end = (index, start)
        return self._offset(self._known_end[1])

    def _offset(self, index: int) -> int:
        """The byte offset of a character index, as in libyaml's marks."""
        if self._is_ascii:
            return self._skipped + index
        known, offset = self._known_offset
        if index >= known:
            offset += len(self._text[known:index].encode())
        else:
            offset -= len(self._text[index:known].encode())
        self._known_offset = (index, offset)
        return offset


# YAML 1.1 5.1: characters of a stream, without surrogates, which decoded text does not have.
_UNPRINTABLE = lazy_pattern("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def _decoded(text: bytes, skipped: int) -> str:
    try:
        return text[skipped:].decode()
    except UnicodeDecodeError as error:
        start = skipped + error.start
        raise NotYaml(
            "not UTF-8 text", (start, start + 1), "save it as UTF-8; binary contents are written as !!binary or base64"
        ) from None


def _remedy(problem: str) -> str:
    if "tab" in problem or "cannot start any token" in problem:
        return "indent with spaces, not tabs, and quote what begins with a special character"
    if "mapping values" in problem:
        return "quote a value that has a colon and a blank in it"
    if "expected key" in problem or "expected '-'" in problem:
        return "indent related lines equally"
    return "close every quote and bracket" if "unexpected end" in problem or "expected ','" in problem else ""


def _binary(text: str, span: Span) -> str:
    try:
        content = binascii.a2b_base64("".join(text.split()), strict_mode=True)
    except (binascii.Error, ValueError):
        raise NotYaml("!!binary value contains invalid base64 data", span, "encode it with base64") from None
    return content.decode("utf-8", "surrogateescape")


def _sources(node: Node, key: Span) -> list[Mapping]:
    """The mappings that a merge adds, in order of precedence."""
    found = node.items if isinstance(node, Sequence) else [node]
    mappings = [one for one in found if isinstance(one, Mapping)]
    if len(mappings) != len(found):
        raise NotYaml("map merge requires map or sequence of maps as the value", key, "refer to a mapping: <<: *name")
    return mappings


def _merge(mapping: Mapping, sources: list[Mapping]) -> None:
    """Members of the mapping itself take precedence over merged ones, and earlier sources over later ones."""
    for source in sources:
        for name, node in source.members.items():
            if name not in mapping.members:
                mapping.members[name], mapping.keys[name] = node, source.keys[name]
