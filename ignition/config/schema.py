"""JSON Schema (draft 7) of a spec version of Ignition, from the records and their checks: for editors and people who write.

It describes each member alone: type, values, pattern, limits, default, meaning. Rules about several members are left to the
validation. A constraint never refuses a value that its rule accepts, and warnings are not constraints. Only the form is stricter
than the rules: names in their exact case, no null as an element of a list, and as required members those of the published schemas
(the key of each list's elements, `ignition` and its version: docs/reference/ignition-config.md §2.1) and those that a rule
demands.

Unknown members are allowed (no `additionalProperties`): they are warnings to Ignition and to us, configs carry their owners'
notes in them, and an editor's `$schema` is one. There is no `$id`: a schema that claims an address makes editors look there.
`patternErrorMessage` and `deprecationMessage` are extensions of Visual Studio Code; other readers ignore them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from ignition.config.checks import Given
from ignition.config.old_checks import Deprecated
from ignition.config.record import Field, Record
from ignition.config.versions import ALIASES, SPEC_1, SPEC_2, SPEC_3, order
from ignition.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.checks import Check

    Schema = dict[str, Any]

VERSIONS = (*SPEC_1, *SPEC_2, *SPEC_3)
_WIDTH = 140
_TYPES = {str: "string", int: "integer", bool: "boolean"}
_UNTIL_3_2 = {"Link": ("target",)}  # required by the published schemas up to 3.2, by no rule


def schema(version: str) -> Schema:
    """The schema as plain data. Raises Failure for a version that is not supported."""
    version = ALIASES.get(version, version)
    described = _object(root(version), version, {})
    if version not in SPEC_1:
        described["required"] = ["ignition"]
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": f"Ignition config, spec {version}", **described}


def text(version: str) -> str:
    """The schema as JSON with a final newline. Raises Failure as `schema` does."""
    return pretty(schema(version))


def pretty(made: Schema) -> str:
    """Any schema as JSON with a final newline; short values are on one line."""
    return _pretty(made, "") + "\n"


def root(version: str) -> type[Record]:
    """The record of a whole config. Raises Failure for a version that is not supported."""
    if version in SPEC_3:
        from ignition.config.model import Config

        return Config
    if version in SPEC_2:
        from ignition.config.v2.model import Config2

        return Config2
    if version in SPEC_1:
        from ignition.config.v1.model import Config1

        return Config1
    from ignition.config import suggest

    meant = suggest.version(version)
    fix = f"{f'did you mean {meant}? ' if meant else ''}one of {', '.join(VERSIONS)}"
    raise Failure(f"no schema for spec version {version}", fix=fix)


def is_required(cls: type[Record], field: Field, version: str) -> bool:
    """Whether a config must have it in this version."""
    early = version in SPEC_3 and order(version) <= order("3.2.0")
    demanded = any(check.demands for check in field.checks if check.holds_in(version))
    return field.required or demanded or (early and field.json in _UNTIL_3_2.get(cls.__name__, ()))


def default(field: Field) -> str | int | bool | None:
    """The meaning of its absence, where that is a plain value; else None."""
    known = field.unset if field.unset is not None else field.default
    return known if isinstance(known, (bool, int)) or field.unset is not None else None


def _object(cls: type[Record], version: str, later: Mapping[str, str]) -> Schema:
    fields = [field for field in cls.FIELDS.values() if order(later.get(field.json, field.since)) <= order(version)]
    required = [field.json for field in fields if is_required(cls, field, version)]
    described = {"type": "object", "properties": {field.json: _member(cls, field, version) for field in fields}}
    return {**described, "required": required} if required else described


def _member(cls: type[Record], field: Field, version: str) -> Schema:
    if field.is_record:
        described = _object(field.element, version, field.inner_since)
    else:
        described = {"type": _TYPES[field.element]}
    if field.many:
        described = {"type": "array", "items": _constrained(described, field.each, version)}
        if version in SPEC_3 and field.name not in cls.REPEATABLE and not field.is_record:
            described["uniqueItems"] = True
    described = _constrained(described, field.checks, version)
    if is_required(cls, field, version):
        return {"description": field.doc, **described}
    return {"description": field.doc, **_optional(described, default(field))}


def _constrained(described: Schema, checks: Iterable[Check], version: str) -> Schema:
    """With the constraints of the checks; a second pattern goes into allOf."""
    more: list[Schema] = []
    for check in checks:
        if not check.holds_in(version) or (check.warns and not isinstance(check, Deprecated)):
            continue
        constraint = check.constraint(version)
        # Required and not empty: for a list that is one element, for a string one character.
        if isinstance(check, Given):
            constraint = {"minItems" if described["type"] == "array" else "minLength": 1}
        elif isinstance(check, Deprecated):
            constraint = {**constraint, "deprecationMessage": check.fix}
        elif "pattern" in constraint:
            constraint = {**constraint, "patternErrorMessage": check.says(version)}
        if constraint.keys() & described.keys():
            more.append(constraint)
        else:
            described = {**described, **constraint}
    return {**described, "allOf": more} if more else described


def _optional(described: Schema, default: str | int | bool | None) -> Schema:
    """Null is equivalent to absence."""
    described = {**described, "type": [described["type"], "null"]}
    # draft 7 checks enum beside type, so null must be in both.
    if "enum" in described:
        described["enum"] = [*described["enum"], None]
    return described if default is None else {**described, "default": default}


def _pretty(value: object, margin: str) -> str:
    line = json.dumps(value, ensure_ascii=False)
    if len(margin) + len(line) <= _WIDTH or not isinstance(value, (dict, list)):
        return line
    inner = margin + "  "
    if isinstance(value, dict):
        rows = [f"{inner}{json.dumps(key, ensure_ascii=False)}: {_pretty(member, inner)}" for key, member in value.items()]
    else:
        rows = [f"{inner}{_pretty(element, inner)}" for element in value]
    opened, closed = "{}" if isinstance(value, dict) else "[]"
    return opened + "\n" + ",\n".join(rows) + "\n" + margin + closed
