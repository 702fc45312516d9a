"""An entry of the record beside the thing on the machine: the changes that `ignition verify` shows."""

from __future__ import annotations

from ignition.applied.record import DIGESTS
from ignition.display.changes import ADDED, CHANGED, REMOVED, SAME, Change

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ignition.operation import Left


_ROOT_LABEL = "ROOT"


def compare(left: Left, found: dict[str, Any] | None, *, strict: bool = False) -> Change:
    """The change of one thing since it was applied; `found` is from Machine.look.

    Changes that machines make by themselves count only if `strict`: the state of units that were enabled, and the size of a
    partition of ROOT that has grown.
    """
    if left.members is None:
        data = {"found": _plain(found)} if found is not None else {}
        details = ["must not exist"] if found is not None else []
        return Change(SAME if found is None else ADDED, left.kind, left.name, place=left.place, details=details, data=data)
    if found is None:
        return Change(REMOVED, left.kind, left.name, place=left.place, data={"applied": left.members})
    kind = found.get("type", left.kind)
    if kind != left.kind and (left.kind, kind) not in (("link", "symlink"), ("SSH keys", "file")):
        data = {"applied": left.members, "found": _plain(found)}
        return Change(CHANGED, left.kind, left.name, place=left.place, details=[f"is a {kind} now"], data=data)
    different = [name for name, wanted in left.members.items() if not _is_same(name, wanted, found.get(name))]
    by_nature = [] if strict else [name for name in different if _is_natural(left, name, found)]
    counted = [name for name in different if name not in by_nature]
    details = [words for name in counted or by_nature for words in _words(name, left.members[name], found.get(name))]
    if counted:
        known = _plain(found)
        data = {
            "applied": {name: left.members[name] for name in counted},
            "found": {name: known.get(name) for name in counted},
        }
        return Change(CHANGED, left.kind, left.name, place=left.place, details=details, data=data)
    return Change(SAME, left.kind, left.name, place=left.place, details=details)


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    return {name: sorted(value) if isinstance(value, dict) else value for name, value in found.items()}


def _is_same(name: str, wanted: object, present: object) -> bool:
    return sorted(present) == wanted if name == "keys" and isinstance(present, dict) else wanted == present


def _is_natural(left: Left, name: str, found: dict[str, Any]) -> bool:
    members = left.members or {}
    if left.kind == "unit":
        return bool(members.get("state") == "enabled" and found.get("state") == "disabled")
    is_root = left.kind == "partition" and (members.get("label") == _ROOT_LABEL or found.get("carries ROOT"))
    return bool(is_root) and name == "size" and int(found["size"]) > int(members["size"])


def _words(name: str, wanted: Any, present: Any) -> Iterator[str]:
    if name in DIGESTS:
        yield "content differs"
    elif name == "keys":
        added = [line for digest, line in present.items() if digest not in wanted]
        yield from (f"key added: {_key_words(line)}" for line in added)
        if gone := len([digest for digest in wanted if digest not in present]):
            yield f"{gone} key{'s' if gone > 1 else ''} removed"
    elif isinstance(wanted, list):
        yield from (f"{name} without {one}" for one in wanted if one not in present)
        yield from (f"{name} with {one}" for one in present if one not in wanted)
    else:
        yield f"{_MEMBERS.get(name, name)} {_shown(wanted)} → {_shown(present)}"


_MEMBERS = {"typeGuid": "type GUID", "guid": "GUID", "uuid": "UUID"}


def _shown(value: object) -> str:
    return repr(value) if value in ("", None) else str(value)


def _key_words(line: str) -> str:
    """A key without its body: options, type, comment."""
    return " ".join(word if len(word) < 60 else "…" for word in line.split())
