"""The document of `ignition facts`: devices with their contents, memory, firmware, kernel arguments, and nodes of the root.

The records are named tuples: `dataclasses` would add 95 kB to an initramfs. It holds no secrets: of accounts the files that
everyone may read, and of other files only what is needed to compare them. Sizes are in bytes, sectors in logical sectors. The
JSON Schema of the document is made from here (ignition/facts/schema.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

_Record = TypeVar("_Record", bound=tuple[Any, ...])

VERSION = 1
GPT, OTHER_TABLE = "gpt", "other"
DISK, PARTITION, ARRAY, MAPPING, OTHER = KINDS = ("disk", "partition", "array", "mapping", "other")


class Part(NamedTuple):
    """One entry of a GPT; `start` and `size` in sectors, `attributes` as a number."""

    number: int
    start: int
    size: int
    type_guid: str
    guid: str
    label: str = ""
    attributes: int = 0


class Table(NamedTuple):
    """A partition table. Only of a GPT there is more than its `kind`: libblkid's name."""

    kind: str
    guid: str = ""
    first_usable: int = 0
    last_usable: int = 0
    places: int = 128
    backup_at: int = 0
    faults: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()


class Content(NamedTuple):
    """A signature that libblkid finds at `offset` of a device. A partition table has `table` instead of `format`."""

    format: str = ""
    label: str = ""
    uuid: str = ""
    table: str = ""
    offset: int = 0


class Member(NamedTuple):
    """The superblock of a member of an array. `used`: bytes that the array uses of it, after `offset` bytes; 0 if unknown."""

    uuid: str
    name: str
    level: str
    devices: int
    events: int
    used: int = 0
    offset: int = 0


class Luks(NamedTuple):
    """The header of an encrypted volume. `tokens`: of clevis, key slots and the public part of each. `offset`: of its content."""

    version: int
    label: str = ""
    uuid: str = ""
    subsystem: str = ""
    flags: tuple[str, ...] = ()
    tokens: tuple[tuple[tuple[int, ...], dict[str, Any]], ...] = ()
    offset: int = 0


class Device(NamedTuple):
    """One block device. `links`: the paths by which udev knows it; `user`: what uses it now, in words.

    `number`: of a partition, on the first of `below`. `name`: of a mapping. `used`: bytes of the files of its file system, where
    that is known. `unread`: the reason why its contents are not known. The members from `sector_size` on are those of disks.
    """

    node: str
    kind: str
    size: int
    links: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    number: int = 0
    name: str = ""
    user: str = ""
    content: Content = Content()
    contents: tuple[Content, ...] = ()
    member: Member | None = None
    luks: Luks | None = None
    used: int = 0
    unread: str = ""
    sector_size: int = 512
    table: Table | None = None
    serials: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    transport: str = ""
    removable: bool = False


class Node(NamedTuple):
    """A node of the root: `kind` is "file", "directory", "link" or "other"; `mode` as a number.

    `text`: the content, of files that everyone may read and that the plan has looked into; `sha512` of larger ones.
    `names`: those in a directory that it has listed. `inode`: the same for all hard links of a file.
    """

    kind: str
    mode: int = 0
    uid: int = 0
    gid: int = 0
    size: int = 0
    target: str = ""
    text: str | None = None
    sha512: str = ""
    names: tuple[str, ...] | None = None
    inode: int = 0

    def __eq__(self, other: object) -> bool:
        """Whether both are alike; their inodes do not matter."""
        return isinstance(other, Node) and self[:-1] == other[:-1]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self[:-1])


class Facts(NamedTuple):
    """One machine. `nodes`: path in the root → node, None where there is none; paths that are not a key are not known.

    `initramfs`: its devices are as the stages find them, since the facts were collected in an initramfs. Otherwise its next boot
    finds them unused.
    """

    devices: tuple[Device, ...] = ()
    kernel_arguments: str = ""
    efi: bool = False
    memory: int = 0
    available: int = 0
    architecture: str = ""
    source: str = ""
    root: str = ""
    initramfs: bool = False
    links: tuple[dict[str, Any], ...] = ()
    nodes: Mapping[str, Node | None] = MappingProxyType({})
    version: int = VERSION


_CAMEL = {"type_guid": "typeGuid", "sector_size": "sectorSize", "kernel_arguments": "kernelArguments"}
_CAMEL |= {"first_usable": "firstUsable", "last_usable": "lastUsable", "backup_at": "backupAt"}
_SNAKE = {written: name for name, written in _CAMEL.items()}


def replace(record: _Record, **members: Any) -> _Record:
    """The record with other values of these members."""
    changed: _Record = record._replace(**members)  # type: ignore[attr-defined]
    return changed


def camel(name: str) -> str:
    """The name of a member in JSON."""
    return _CAMEL.get(name, name)


def text(facts: Facts) -> str:
    """The document, members with default values left out."""
    return json.dumps(_short(facts), indent=1) + "\n"


def _short(record: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in zip(record._fields, record, strict=True):
        default = record._field_defaults.get(name, ...)
        if name != "version" and value == default:
            continue
        if name == "nodes":
            value = {path: None if node is None else _short(node) for path, node in sorted(value.items())}
        elif _is_record(value):
            value = _short(value)
        elif isinstance(value, tuple):
            value = [_short(item) if _is_record(item) else item for item in value]
        if value not in ([], {}) or default is None:  # the names in an empty directory are known: none
            found[camel(name)] = value
    return found


def _is_record(value: object) -> bool:
    return hasattr(value, "_fields")


def made(found: dict[str, Any]) -> Facts:
    """The facts of a document that is valid."""
    facts: Facts = _made(Facts, found)
    return facts


def _made(kind: Any, found: dict[str, Any]) -> Any:
    members = {}
    for json_name, value in found.items():
        name = _SNAKE.get(json_name, json_name)
        members[name] = _member(kind, name, value) if name in kind._fields else value
    return kind(**members)


def _member(kind: type[Any], name: str, value: Any) -> Any:
    if kind is Facts and name == "nodes":
        return {path: None if node is None else _made(Node, node) for path, node in value.items()}
    made = {
        (Facts, "devices"): Device,
        (Device, "contents"): Content,
        (Table, "parts"): Part,
    }.get((kind, name))
    if made:
        return tuple(_made(made, one) for one in value)
    one = {(Device, "content"): Content, (Device, "member"): Member, (Device, "luks"): Luks, (Device, "table"): Table}.get(
        (kind, name)
    )
    if one:
        return _made(one, value)
    if kind is Luks and name == "tokens":
        return tuple((tuple(slots), header) for slots, header in value)
    return tuple(value) if isinstance(value, list) else value
