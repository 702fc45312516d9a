"""The records that are shown: changes of entries, and disks before and after. They hold no secret."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

ADDED, CHANGED, REMOVED, SAME = "+", "~", "-", "="
KEPT, MADE, GROWN, SHRUNK, LOST = "kept", "made", "grown", "shrunk", "lost"


class Change:
    """One entry of a root: `sign` is one of the four above.

    `kind`: "file", "directory", "link", "unit", "user", "group", "kernel argument" …; `name`: its path or name. `place`: where
    the config has it, as `FILE:LINE:COLUMN` or `$.storage.files.0`. `details`: the differences in words ("mode 0644 → 0600").
    `diff`: lines of a unified diff without its header, of texts that may be shown. `data`: the same for tools.
    """

    __slots__ = ("data", "details", "diff", "kind", "name", "place", "sign")

    def __init__(
        self,
        sign: str,
        kind: str,
        name: str,
        *,
        place: str = "",
        details: Sequence[str] = (),
        diff: Sequence[str] = (),
        data: dict[str, Any] | None = None,
    ) -> None:
        self.sign, self.kind, self.name, self.place = sign, kind, name, place
        self.details, self.diff, self.data = tuple(details), tuple(diff), data or {}

    def plain(self) -> dict[str, Any]:
        """For JSON; members that are empty are left out."""
        members = {
            "change": {ADDED: "add", CHANGED: "change", REMOVED: "remove", SAME: "same"}[self.sign],
            "kind": self.kind,
            "name": self.name,
            "place": self.place,
            "details": list(self.details),
            "diff": list(self.diff),
            **self.data,
        }
        return {name: value for name, value in members.items() if value not in ("", [], None)}


class PartView:
    """One partition, or the content of a whole disk as number 0. `start` and `size` in bytes.

    `content`: what it holds, in words: "ext4 'data'". `fate`: one of the words above.
    """

    __slots__ = ("content", "fate", "guid", "label", "number", "size", "start", "type_guid")

    def __init__(
        self,
        number: int,
        start: int,
        size: int,
        *,
        label: str = "",
        type_guid: str = "",
        guid: str = "",
        content: str = "",
        fate: str = KEPT,
    ) -> None:
        self.number, self.start, self.size, self.label = number, start, size, label
        self.type_guid, self.guid, self.content, self.fate = type_guid, guid, content, fate

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "number": self.number,
            "start": self.start,
            "size": self.size,
            "label": self.label,
            "typeGuid": self.type_guid,
            "guid": self.guid,
            "content": self.content,
            "fate": self.fate,
        }


class DiskView:
    """A disk before and after; `size` in bytes, `model` in words or "". A part of `before` that is LOST loses its content."""

    __slots__ = ("after", "before", "device", "model", "size")

    def __init__(self, device: str, size: int, before: Sequence[PartView], after: Sequence[PartView], *, model: str = "") -> None:
        self.device, self.size, self.before, self.after, self.model = device, size, tuple(before), tuple(after), model

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "device": self.device,
            "size": self.size,
            "model": self.model,
            "before": [part.plain() for part in self.before],
            "after": [part.plain() for part in self.after],
        }
