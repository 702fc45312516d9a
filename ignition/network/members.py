"""Members of parsed documents that must have a shape. Null is "there is none"; a Failure names the document and the member."""

from __future__ import annotations

from ignition.errors import Failure

_FIX = "ask the platform's support"


def dictionary(found: object, what: str, where: str) -> dict[str, object]:
    """An object, empty for none. Raises Failure for anything else."""
    if found is not None and not isinstance(found, dict):
        raise Failure(f"{what} is no object", where=where, fix=_FIX)
    return found or {}


def dictionaries(found: object, what: str, where: str) -> list[dict[str, object]]:
    """A list of objects, empty for none. Raises Failure for anything else."""
    if found is not None and not (isinstance(found, list) and all(isinstance(one, dict) for one in found)):
        raise Failure(f"{what} is no list of objects", where=where, fix=_FIX)
    return found or []


def several(found: object) -> list[object]:
    """A list as it is, one value as a list of one, none as an empty one."""
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def text(found: object) -> str:
    """A text, or a number as it is written; "" for none, and for a number with more digits than anything here has."""
    try:
        return "" if found is None else str(found)
    except ValueError:
        return ""


def is_true(found: object) -> bool:
    """Whether it says yes, as JSON or as YAML 1.1 would."""
    return found is True or text(found).lower() in ("yes", "on", "true")
