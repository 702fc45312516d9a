"""JSON Schema of a spec version, derived from the records: for editors, and for people who write configs.

Structure and types only; the rules of validation are more. Required are what the published schemas require
(ignition-config.md 2.1 of the reference): the key of each list's elements, `ignition`, and since 3.4 its version.
"""

from ignition.config.model import Config
from ignition.config.record import Field, Record
from ignition.config.versions import SPEC_2, SPEC_3, order
from ignition.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_TYPES = {str: "string", int: "integer", bool: "boolean"}
_UNTIL_3_2 = {"Raid": ("level", "devices"), "Link": ("target",)}  # required by the schemas up to 3.2


def schema(version: str) -> "dict[str, Any]":
    """The schema as plain data. Raises Failure for a version that is not supported."""
    if version in SPEC_3:
        root: type[Record] = Config
    elif version in SPEC_2:
        from ignition.config.v2.model import Config2

        root = Config2
    else:
        raise Failure(f"no schema for spec version {version}", fix=f"one of {', '.join((*SPEC_2, *SPEC_3))}")
    described = _object(root, version, {})
    described["required"] = ["ignition"]
    described["properties"]["ignition"]["properties"]["version"]["const"] = version
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": f"Ignition config, spec {version}", **described}


def _object(cls: type[Record], version: str, later: "Mapping[str, str]") -> "dict[str, Any]":
    fields = [field for field in cls.FIELDS.values() if order(later.get(field.json, field.since)) <= order(version)]
    required = [field.json for field in fields if _is_required(cls, field, version)]
    described = {"type": "object", "properties": {field.json: _member(field, version) for field in fields}}
    return {**described, "required": required} if required else described


def _is_required(cls: type[Record], field: Field, version: str) -> bool:
    if field.json == "version":
        return version in SPEC_3 and order(version) >= order("3.4.0")
    early = version in SPEC_3 and order(version) <= order("3.2.0")
    return field.required or (early and field.json in _UNTIL_3_2.get(cls.__name__, ()))


def _member(field: Field, version: str) -> "dict[str, Any]":
    if issubclass(field.element, Record):
        described = _object(field.element, version, field.inner_since)
    else:
        described = {"type": _TYPES[field.element]}
    if field.many:
        described = {"type": "array", "items": described}
    if not field.required:
        described["type"] = [described["type"], "null"]
    return {"description": field.doc, **described}
