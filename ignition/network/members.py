"""Members of parsed documents, checked for their shape. Null means absent; a Failure names the document and the member."""

from __future__ import annotations

from ignition.errors import Failure

_FIX = "ask the platform's support"


def dictionary(found: object, what: str, where: str) -> dict[str, object]:
    """An object, empty if absent. Raises Failure for anything else."""
    if found is not None and not isinstance(found, dict):
        raise Failure(f"{what} is not an object", where=where, fix=_FIX)
    return found or {}


def dictionaries(found: object, what: str, where: str) -> list[dict[str, object]]:
    """A list of objects, empty if absent. Raises Failure for anything else."""
    if found is not None and not (isinstance(found, list) and all(isinstance(one, dict) for one in found)):
        raise Failure(f"{what} is not a list of objects", where=where, fix=_FIX)
    return found or []


def several(found: object) -> list[object]:
    """A list unchanged, a single value as a list of one, None as an empty list."""
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def text(found: object) -> str:
    """Text, or a number in decimal; "" if absent, and for a number too long for Python to convert (int_max_str_digits)."""
    try:
        return "" if found is None else str(found)
    except ValueError:
        return ""


def is_true(found: object) -> bool:
    """Whether the value is true in JSON or in YAML 1.1."""
    return found is True or text(found).lower() in ("yes", "on", "true")
