"""Builders of JSON Schemas (draft 7) of the documents that programs print and write. `ignition schema NAME` prints them.

Every member has its meaning in its schema. Readers ignore members that they do not know: later versions may add some.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Schema = dict[str, Any]


def text(description: str, **more: Any) -> Schema:
    """A string."""
    return {"type": "string", "description": description, **more}


def number(description: str, **more: Any) -> Schema:
    """A number."""
    return {"type": "number", "description": description, **more}


def integer(description: str, **more: Any) -> Schema:
    """An integer."""
    return {"type": "integer", "description": description, **more}


def truth(description: str, **more: Any) -> Schema:
    """A boolean."""
    return {"type": "boolean", "description": description, **more}


def words(description: str) -> Schema:
    """A list of strings."""
    return array({"type": "string"}, description)


def array(items: Schema, description: str) -> Schema:
    """A list."""
    return {"type": "array", "items": items, "description": description}


def record(members: Schema, optional: Iterable[str] = (), description: str = "") -> Schema:
    """An object, in which all members but the optional ones are required."""
    left_out = set(optional)
    required = [name for name in members if name not in left_out]
    about = {"description": description} if description else {}
    return {"type": "object", **about, "properties": members, **({"required": required} if required else {})}


def anything(description: str) -> Schema:
    """An object with members of any name."""
    return {"type": "object", "description": description}


def or_null(made: Schema) -> Schema:
    """The same, or null."""
    return {**made, "type": [made["type"], "null"]}


def document(title: str, members: Schema, optional: Iterable[str] = ()) -> Schema:
    """The schema of a whole document."""
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": title, **record(members, optional)}
