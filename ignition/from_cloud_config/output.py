"""The Butane document that is written: entries of its lists with comments, in the order in which they were added.

Every entry is dumped by PyYAML, with a comment that names its key and line in the cloud-config. An entry also remembers its path
there, so that a finding of our own `butane` about it can be reported at its origin.
"""

from __future__ import annotations

import base64
from textwrap import indent

import yaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ignition.config.report import Path

VARIANT, VERSION = "fcos", "1.6.0"
# Lists of the document, in the order in which they are written.
LISTS = (
    ("passwd", "groups"),
    ("passwd", "users"),
    ("storage", "disks"),
    ("storage", "filesystems"),
    ("storage", "directories"),
    ("storage", "files"),
    ("storage", "links"),
    ("systemd", "units"),
)
_WIDE = 1 << 20  # lines are not folded: contents stay readable


class Octal(int):
    """A mode: written as 0644, as people write it."""


class _Dumper(yaml.SafeDumper):
    """Texts of several lines are blocks; lists are indented below their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002, ARG002  PyYAML's
        super().increase_indent(flow, False)  # noqa: FBT003


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    # A block that keeps several line breaks at its end would be followed by the end of the document.
    is_block = "\n" in value and value != "\n" and not value.endswith("\n\n")
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if is_block else None)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(Octal, lambda dumper, value: dumper.represent_scalar("tag:yaml.org,2002:int", f"{value:04o}"))


class Entry:
    """One element of a list. `value` may still change; `origin`: the path in the cloud-config."""

    def __init__(self, value: dict[str, Any], origin: Path) -> None:
        self.value, self.origin = value, origin


class Output:
    """The document. `line_of` returns the line of a path in the cloud-config."""

    def __init__(self, line_of: Callable[[Path], int]) -> None:
        self.lists: dict[tuple[str, str], list[Entry]] = {path: [] for path in LISTS}
        self._line_of = line_of

    def add(self, section: str, name: str, value: dict[str, Any], origin: Path) -> Entry:
        """An entry at the end of a list."""
        entry = Entry(value, origin)
        self.lists[section, name].append(entry)
        return entry

    def file(self, path: str, content: str | bytes, origin: Path, *, mode: int = 0o644, **more: Any) -> None:
        """A file, which replaces an earlier one of this document and any file of the image."""
        entry = self._file_at(path) or self.add("storage", "files", {"path": path}, origin)
        entry.value.clear()
        entry.origin = origin
        entry.value.update(path=path, overwrite=True, mode=Octal(mode), contents=contents(content), **more)

    def remote_file(self, path: str, source: dict[str, Any], origin: Path, *, mode: int, **more: Any) -> None:
        """The same, fetched by the machine."""
        self.file(path, "", origin, mode=mode, **more)
        entry = self._file_at(path)
        assert entry  # noqa: S101  for type checkers: it was just added
        entry.value["contents"] = source

    def append(self, path: str, content: str | bytes, origin: Path, **more: Any) -> None:
        """Text at the end of a file, which is created if it does not exist. `more`: mode and owner, of a new entry only."""
        entry = self._file_at(path) or self.add("storage", "files", {"path": path, **more}, origin)
        entry.value.setdefault("append", []).append(contents(content))

    def link(self, path: str, target: str, origin: Path) -> None:
        """A symbolic link."""
        self.add("storage", "links", {"path": path, "overwrite": True, "target": target}, origin)

    def unit(self, name: str, origin: Path, content: str = "", *, enabled: bool = True) -> None:
        """A unit; without content, one of the image. One that is not enabled is started by others."""
        value = {"name": name, **({"enabled": True} if enabled else {}), **({"contents": content} if content else {})}
        self.add("systemd", "units", value, origin)

    def at(self, section: str, name: str, index: int) -> Entry | None:
        """The entry that this place of the written document shows."""
        entries = self.lists.get((section, name), [])
        return entries[index] if index < len(entries) else None

    def remove(self, entry: Entry) -> None:
        """Drop an entry."""
        for entries in self.lists.values():
            if entry in entries:
                entries.remove(entry)

    def _file_at(self, path: str) -> Entry | None:
        return next((entry for entry in self.lists["storage", "files"] if entry.value["path"] == path), None)

    def text(self, head: str) -> str:
        """The document, with `head` as its first line, a comment."""
        lines = [f"# {head}", f"variant: {VARIANT}", f"version: {VERSION}"]
        section = ""
        for (name, inner), entries in self.lists.items():
            if not entries:
                continue
            if name != section:
                section = name
                lines.append(f"{section}:")
            lines.append(f"  {inner}:")
            for entry in entries:
                dotted = ".".join(map(str, entry.origin)) or "-default-user"
                lines.append(f"    # {_printable(dotted)}, line {self._line_of(entry.origin)}")
                dumped = yaml.dump([entry.value], Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDE)
                lines.append(indent(dumped, "    ")[:-1])
        return "\n".join(lines) + "\n"


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in text)


def contents(content: str | bytes) -> dict[str, str]:
    """Text inline; anything else as a data URL."""
    raw = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    try:
        decoded = raw.decode()
    except UnicodeDecodeError:
        decoded = "\0"
    if all(one.isprintable() or one in "\n\t" for one in decoded):
        return {"inline": decoded}
    return {"source": f"data:;base64,{base64.b64encode(raw).decode()}"}
