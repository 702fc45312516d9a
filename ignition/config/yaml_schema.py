"""Values of a YAML document in JSON Schema (draft 7): for the schemas of Butane, ct and cloud-config.

The programs convert YAML 1.1's words and numbers to the type of the member (`text/yaml_nodes.py`), so a string may look like a
number. An editor reads YAML 1.2 by default: there `yes`, `0b11` and `1_000` are strings, and `0644` is 644. The schemas here
accept a document by either reading, also where the two cannot be distinguished (`yes` and `"yes"`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ignition.config.checks import Given, Mode
from ignition.config.old_checks import Deprecated
from ignition.config.text import yaml_scalars
from ignition.config.text.yaml_nodes import Unsigned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.checks import Check

    Schema = dict[str, Any]

DRAFT = "http://json-schema.org/draft-07/schema#"
_ONLY_1_1 = [word for word in yaml_scalars.YAML_1_1_TRUTHS if word not in yaml_scalars.CORE_TRUTHS]
_TRUTHS = {"pattern": f"^(?:{'|'.join(_ONLY_1_1)})$", "patternErrorMessage": "true or false, without quotes"}
_NUMBERS = {
    "pattern": "^[-+]?(?:0[bBoOxX][0-9a-fA-F_]+|[0-9]+_[0-9_]*)$",
    "patternErrorMessage": "a number, without quotes",
}
_FORMS: dict[Any, Schema] = {
    str: {"type": ["string", "number", "boolean"]},
    bool: {"type": ["boolean", "string"], **_TRUTHS},
    int: {"type": ["number", "string"], **_NUMBERS},  # a fraction is cut off
    Unsigned: {"type": ["number", "string"], **_NUMBERS, "minimum": 0},
    float: {"type": ["number", "string"], **_NUMBERS},
}
# Samples of numbers and booleans as any reader may see them (10:30 is 630 to the oldest). If a pattern matches none of them, only
# a string can match it.
_LOOKS = {"number": ("0", "1", "7", "60", "420", "0644", "1.5", "10:30"), "boolean": ("true", "false", "yes", "no", "on", "off")}
MOST_READ_AS_DECIMAL = 7777  # the mode 07777, as YAML 1.2 reads it


def described(doc: str, form: Schema) -> Schema:
    """A member with its description, which comes first."""
    return {"description": doc, **form}


def scalar(kind: Any, asked: Iterable[Schema] = (), *, may_be_null: bool = True) -> Schema:
    """A value of that type (a key of yaml_nodes.WORDS) that satisfies each constraint of `asked`."""
    form, more = dict(_FORMS[kind]), []
    for constraint in asked:
        if "enum" in constraint:
            constraint = one_of(constraint["enum"])
            form.pop("type", None)
        elif kind is str and "pattern" in constraint:
            form["type"] = [one for one in form["type"] if _fits(constraint["pattern"], one)]
        if constraint.keys() & form.keys():
            more.append(constraint)
        else:
            form.update(constraint)
    form = {**form, "allOf": more} if more else form
    return nullable(form) if may_be_null else form


def _fits(pattern: str, kind: str) -> bool:
    """Whether a plain scalar of that JSON type can be a text that matches."""
    return kind == "string" or any(re.search(pattern, look) for look in _LOOKS[kind])


def one_of(values: Iterable[str]) -> Schema:
    """One of these strings, in either reading: 1 beside "1", and false where `off` is one of them."""
    words = list(values)
    kinds = {word: yaml_scalars.kind(word, yaml_scalars.YAML_1_1_TRUTHS) for word in words if word}
    truths = {yaml_scalars.YAML_1_1_TRUTHS[word] for word, kind in kinds.items() if kind == yaml_scalars.BOOL}
    if not truths:
        return {"enum": [*words, *(yaml_scalars.integer(word) for word, kind in kinds.items() if kind == yaml_scalars.INT)]}
    # Not an enum: editors would propose the boolean instead of the words.
    form: Schema = {"type": ["string", "boolean"], **word_pattern(words)}
    return form if len(truths) > 1 else {**form, "not": {"enum": [not next(iter(truths))]}}


def word_pattern(words: Iterable[str], *, any_case: bool = False) -> Schema:
    """A pattern in place of an enum, with the words as error message and for completion."""
    known = [word for word in words if word]
    alternatives = [either_case(word) if any_case else _escaped(word) for word in known]
    return {
        "pattern": f"^(?:{'|'.join(alternatives)})?$",
        "patternErrorMessage": f"one of {', '.join(known)}",
        "examples": known,
    }


def either_case(text: str) -> str:
    """A pattern for the text in upper and lower case: patterns of JSON Schema have no flags."""
    return "".join(f"[{one.lower()}{one.upper()}]" if one.isalpha() else _escaped(one) for one in text)


def _escaped(text: str) -> str:
    """As re.escape, except for the dash, which ECMA 262 does not allow to be escaped."""
    return re.sub(r"[\\^$.*+?()\[\]{}|]", r"\\\g<0>", text)


def nullable(form: Schema) -> Schema:
    """Null is equivalent to absence."""
    form = dict(form)
    if "type" in form:
        form["type"] = [*([form["type"]] if isinstance(form["type"], str) else form["type"]), "null"]
    if "enum" in form:
        form["enum"] = [*form["enum"], None]
    return form


def many(items: Schema) -> Schema:
    """A list; null is equivalent to absence."""
    return {"type": ["array", "null"], "items": items}


def mapping(members: dict[str, Schema], required: list[str], *, may_be_null: bool = True) -> Schema:
    """A section; other keys are errors."""
    form: Schema = {"type": ["object", "null"] if may_be_null else "object", "properties": members}
    return {**form, **({"required": required} if required else {}), "additionalProperties": False}


def asked(checks: Iterable[Check], version: str, worded: Callable[[str], str]) -> list[Schema]:
    """The constraints of a member that is not a list. `worded` translates terms of JSON configs to those of the document."""
    found = []
    for check in checks:
        if not check.holds_in(version) or (check.warns and not isinstance(check, Deprecated)):
            continue
        constraint: Schema = {"minLength": 1} if isinstance(check, Given) else dict(check.constraint(version))
        if isinstance(check, Mode):
            constraint["maximum"] = MOST_READ_AS_DECIMAL
        if isinstance(check, Deprecated):
            constraint["deprecationMessage"] = worded(check.fix)
        if "pattern" in constraint:
            constraint["patternErrorMessage"] = worded(check.says(version))
        if constraint:
            found.append(constraint)
    return found


def whole(pattern: str) -> str:
    """A Python pattern for a whole text, or the empty one, as both ECMA 262 and Python read it: without `(?i:…)`."""
    plain = re.sub(
        r"\(\?i:([a-z|]*)\)", lambda found: f"(?:{'|'.join(either_case(word) for word in found[1].split('|'))})", pattern
    )
    return f"^(?:{plain})?$"
