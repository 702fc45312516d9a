"""The result of a translation: the data of an Ignition config, and the member of the source that each part comes from.

`members` translates members with equal names; a translation adds everything else to `data` itself, and notes its origin with
`comes_from`. Everything below a noted path has the corresponding origin, under its YAML name (snake_case).
"""

from __future__ import annotations

import json

from ignition.config.record import Record
from ignition.patterns import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.report import Path
    from ignition.config.text.yaml_nodes import Node


_CAPITAL = lazy_pattern("(?<=[a-z0-9])[A-Z]")


class Generated:
    """`data`: plain data with Ignition's JSON names (`json_text` orders them). `origins`: JSON path → YAML path, see above."""

    def __init__(self, data: dict[str, Any] | None = None, origins: dict[Path, Path] | None = None) -> None:
        self.data = {} if data is None else data
        self.origins = {} if origins is None else origins

    def comes_from(self, made: Path, source: Path) -> None:
        """Note the origin of a part of `data`."""
        self.origins[made] = source

    def origin_of(self, path: Path) -> Path:
        """The YAML path of a JSON path: the origin of its longest noted prefix, and the rest in snake_case. It need not exist."""
        for length in range(len(path), 0, -1):
            source = self.origins.get(path[:length])
            if source is not None:
                return source + snake_case_path(path[length:])
        return snake_case_path(path)


def existing(path: Path, root: Node) -> Path:
    """The longest prefix of a YAML path that exists in the document."""
    node: Node | None = root
    for length, part in enumerate(path):
        node = node.child(part) if node else None
        if node is None:
            return path[:length]
    return path


def snake_case(name: str) -> str:
    """`wipeTable` → `wipe_table`, `sizeMiB` → `size_mib`: the inverse of record.camel_case for all of Ignition's names."""
    return _CAPITAL.sub(lambda found: f"_{found[0].lower()}", name.replace("MiB", "Mib"))


def snake_case_path(path: Path) -> Path:
    """A path with its names in snake_case."""
    return tuple(snake_case(part) if isinstance(part, str) else part for part in path)


def members(record: Record, *, leave_out: frozenset[str] | set[str] = frozenset()) -> dict[str, Any]:
    """The members that are set, by their JSON names, with everything below, except the YAML names in `leave_out`.

    A member is set if it differs from its declared default: False and 0 count if the default is None. Records that are set but
    empty stay, as {}.
    """
    return {record.FIELDS[name].json: plain(value) for name, value in record.set_members() if name not in leave_out}


def plain(value: Any) -> Any:
    """The data of a member's value."""
    if isinstance(value, Record):
        return members(value)
    return [plain(element) for element in value] if isinstance(value, tuple) else value


# The JSON text of an Ignition config as Go's encoder writes it from the originals' structs.
#
# Source: docs/reference/config-transpiler.md §A5 and §B16.
#
# Keys are in alphabetical order, except those of nodes and users. HTML's special characters and JavaScript's line separators
# are escaped.

_NODE = {name: f" {name}" for name in ("filesystem", "group", "overwrite", "path", "user")}  # a blank sorts before all letters
_FIRST: dict[str, dict[str, str]] = {
    "files": _NODE,
    "directories": _NODE,
    "links": _NODE,
    "users": {"sshAuthorizedKeys": "shAuthorizedKeys"},  # before `shell`
}
_HOLDERS = ("storage", "passwd")
_ESCAPED = lazy_pattern("[<>&\u2028\u2029]")
_SURROGATE = lazy_pattern("[\ud800-\udfff]")


def json_text(data: dict[str, Any], *, pretty: bool) -> str:
    """The text, without a final newline; `pretty`: indented by two blanks."""
    shape: dict[str, Any] = {"indent": 2} if pretty else {"separators": (",", ":")}
    written = json.dumps(in_order(data), ensure_ascii=False, **shape)
    escaped = _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", written)
    return _SURROGATE.sub("\\\\ufffd", escaped)  # bytes of !!binary that are not UTF-8


def in_order(data: dict[str, Any]) -> dict[str, Any]:
    """The same data with its keys in the order of the schema."""
    ordered: dict[str, Any] = _sorted(data, {})
    for holder in _HOLDERS:
        section = ordered.get(holder, {})
        for name, first in _FIRST.items():
            if name in section:
                section[name] = [_sorted(entry, first) for entry in section[name]]
    return ordered


def _sorted(data: Any, first: dict[str, str]) -> Any:
    if isinstance(data, dict):
        return {key: _sorted(data[key], {}) for key in sorted(data, key=lambda name: first.get(name, name))}
    return [_sorted(element, {}) for element in data] if isinstance(data, list) else data
