"""YAML documents of metadata services, through the bounded reader of configs: `parse` is for values.Document.

Scalars stay text as written, except true, false and null: the host name `1e3`, the region `no` or the id `0123` must not become
a number or a boolean, as in YAML 1.1. The last value of a repeated key counts.
"""

from __future__ import annotations

from ignition.config.text import yaml_scalars, yaml_text
from ignition.config.text.yaml_nodes import Mapping, Scalar, Sequence
from ignition.host import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.text.yaml_nodes import Node

_MOST_TOLD = 10  # warnings about repeated keys of one document


def parse(found: str) -> Any:
    """Dictionaries, lists, texts, booleans and None. Raises ValueError for invalid YAML, or a document too large or too deep."""
    return _read(found, yaml_scalars.CORE_TRUTHS, typed=False)


def typed(found: str) -> Any:
    """Like `parse`, with numbers, and booleans in all spellings of YAML 1.1: for documents that are passed on to netplan."""
    return _read(found, yaml_scalars.YAML_1_1_TRUTHS, typed=True)


def _read(found: str, truths: Any, *, typed: bool) -> Any:
    policy = yaml_text.Policy(unknown_tags_fail=True, truths=truths)
    text = found.encode("utf-8", "replace")
    try:
        document = yaml_text.read(text, policy)
    except yaml_text.NotYaml as error:
        raise ValueError(error.message) from error
    told = [(one.span[0], f"the key {one.key!r} is repeated: the last one counts") for one in document.repeated[:_MOST_TOLD]]
    told += [(document.unread.span[0], document.unread.message)] if document.unread else []
    for offset, message in told:
        line = text.count(b"\n", 0, offset) + 1
        log.warning(f"metadata in YAML, line {line}: {message}")
    return _plain(document.root, typed=typed)


def _plain(node: Node, *, typed: bool) -> Any:
    """Recursive: the reader limits the depth of a document, and the size that aliases expand to."""
    if isinstance(node, Mapping):
        return {key: _plain(member, typed=typed) for key, member in node.members.items()}
    if isinstance(node, Sequence):
        return [_plain(element, typed=typed) for element in node.items]
    assert isinstance(node, Scalar)  # noqa: S101  for type checkers: there are three kinds of nodes
    if typed or node.kind in (yaml_scalars.BOOL, yaml_scalars.NULL):
        return node.value()
    return node.text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")  # !!binary need not be text
