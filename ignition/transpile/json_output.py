"""The JSON text of an Ignition config as Go's encoder and the schema's structs give it.

Source: docs/reference/config-transpiler.md §A5 and §B16.

Keys are in alphabetical order, but for nodes and users. HTML's special characters and JavaScript's line separators are escaped.
"""

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NODE = {name: f" {name}" for name in ("filesystem", "group", "overwrite", "path", "user")}  # a blank comes before all letters
_FIRST: "dict[str, dict[str, str]]" = {
    "files": _NODE,
    "directories": _NODE,
    "links": _NODE,
    "users": {"sshAuthorizedKeys": "shAuthorizedKeys"},  # before `shell`
}
_HOLDERS = ("storage", "passwd")
_ESCAPED = re.compile("[<>&\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def text(data: "dict[str, Any]", *, pretty: bool) -> str:
    """The text, without a final newline; `pretty`: with an indent of two blanks."""
    shape: dict[str, Any] = {"indent": 2} if pretty else {"separators": (",", ":")}
    written = json.dumps(in_order(data), ensure_ascii=False, **shape)
    escaped = _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", written)
    return _SURROGATE.sub("\\\\ufffd", escaped)  # bytes of !!binary that are no UTF-8


def in_order(data: "dict[str, Any]") -> "dict[str, Any]":
    """The same data with its keys in the order of the schema."""
    ordered: dict[str, Any] = _sorted(data, {})
    for holder in _HOLDERS:
        section = ordered.get(holder, {})
        for name, first in _FIRST.items():
            if name in section:
                section[name] = [_sorted(entry, first) for entry in section[name]]
    return ordered


def _sorted(data: "Any", first: "dict[str, str]") -> "Any":
    if isinstance(data, dict):
        return {key: _sorted(data[key], {}) for key in sorted(data, key=lambda name: first.get(name, name))}
    return [_sorted(element, {}) for element in data] if isinstance(data, list) else data
