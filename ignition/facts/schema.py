"""The JSON Schema of a facts document, made from its records; and the check of a document against it, by jsonschema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args, get_origin, get_type_hints

from ignition.errors import Failure
from ignition.facts import document
from ignition.facts.document import KINDS, VERSION, Facts, Node

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_ENUMS: dict[tuple[str, str], list[Any]] = {
    ("Device", "kind"): list(KINDS),
    ("Node", "kind"): ["file", "directory", "link", "other"],
    ("Facts", "version"): [VERSION],
}


def schema() -> dict[str, Any]:
    """The schema."""
    about = {"$schema": DRAFT, "title": "Facts about a machine, as `ignition facts` writes them"}
    return {**about, **_object(Facts), "$defs": {"node": _object(Node)}}


def _object(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    members, required = {}, []
    for member in kind._fields:
        name = document.camel(member)
        allowed = _ENUMS.get((kind.__name__, member))
        members[name] = {"enum": allowed} if allowed else _type(hints[member])
        if member == "version" or member not in kind._field_defaults:
            required.append(name)
    return {
        "type": "object",
        "description": " ".join((kind.__doc__ or "").split()),
        "properties": members,
        "required": required,
        "additionalProperties": False,
    }


def _type(hint: Any) -> dict[str, Any]:
    plain = {str: "string", int: "integer", bool: "boolean"}
    if hint in plain:
        return {"type": plain[hint]}
    arguments = get_args(hint)
    if type(None) in arguments:
        inner = _type(next(one for one in arguments if one is not type(None)))
        return {"anyOf": [inner, {"type": "null"}]}
    if get_origin(hint) is tuple and arguments[-1] is Ellipsis:
        return {"type": "array", "items": _type(arguments[0])}
    if get_origin(hint) is tuple:
        return {"type": "array", "prefixItems": [_type(one) for one in arguments], "items": False}
    if get_origin(hint) in (dict, Mapping):
        item = {"$ref": "#/$defs/node"} if Node in get_args(arguments[1]) else {}
        return {"type": "object", "additionalProperties": {"anyOf": [item, {"type": "null"}]} if item else True}
    return _object(hint)


def parse(content: bytes, where: str) -> Facts:
    """A document. Raises Failure with the place of the first error."""
    try:
        found = json.loads(content)
    except ValueError as error:
        raise Failure(f"not JSON: {error}", where=where, fix="use the output of `ignition facts`") from error
    check(found, where)
    return document.made(found)


def check(found: object, where: str) -> None:
    """Raises Failure with the path of the first value that is not allowed."""
    import jsonschema

    errors = jsonschema.Draft202012Validator(schema()).iter_errors(found)
    error = jsonschema.exceptions.best_match(errors)
    if error is not None:
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
        raise Failure(
            f"not the facts of a machine: {error.message[:300]}",
            where=f"{where}: ${path}",
            fix="use the output of `ignition facts` of this version",
        )
