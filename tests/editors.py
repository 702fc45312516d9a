"""YAML documents as an editor reads them, and damaged documents, for the tests of the schemas.

An editor reads YAML 1.2 (its core schema, section 10.3.2), unless configured otherwise; the programs read 1.1.
"""

import copy
import random
import re
from collections.abc import Iterator
from typing import Any

from ignition.config.text import yaml_scalars
from ignition.config.text.yaml_nodes import Mapping, Node, Scalar, Sequence

Path = tuple[str | int, ...]
UNKNOWN = "no-such-key"
NO_WORD = "no such word"
_INT = re.compile("[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


def read_as_1_2(node: Node) -> Any:
    """The value of a tree by the words of YAML 1.2."""
    if isinstance(node, Mapping):
        return {key: read_as_1_2(inner) for key, inner in node.members.items()}
    if isinstance(node, Sequence):
        return [read_as_1_2(inner) for inner in node.items]
    assert isinstance(node, Scalar)
    text = node.text
    if not node.plain or node.kind == yaml_scalars.BINARY:
        return text
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in yaml_scalars.CORE_TRUTHS:
        return yaml_scalars.CORE_TRUTHS[text]
    if _INT.fullmatch(text):
        return int(text, 0) if text.startswith(("0x", "0o")) else int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def mutants(data: Any, chance: random.Random, most: int) -> list[tuple[Path, str, Any]]:
    """Where, what was done, and the document with that one thing wrong; `most` of them, drawn."""
    drawn = [(path, what, value) for path, old in _places(data) for what, value in _wrongs(old)]
    chosen = chance.sample(drawn, min(most, len(drawn)))
    return [(path, what, _replaced(data, path, value)) for path, what, value in chosen]


def _places(data: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    yield path, data
    for key, value in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield from _places(value, (*path, key))


def _wrongs(old: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(old, dict):
        yield "unknown key", {**old, UNKNOWN: 1}
    yield from (("mapping", {"a": "b"}), ("list", ["a"]), ("word", NO_WORD), ("number", 7), ("truth", True), ("null", None))


def _replaced(data: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    made = copy.deepcopy(data)
    holder = made
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = value
    return made


def form_at(schema: dict[str, Any], path: Path) -> dict[str, Any]:
    """The part of a schema that describes a place, as far as no version decides."""
    found = schema
    for part in path:
        found = found.get("items", {}) if isinstance(part, int) else found.get("properties", {}).get(str(part), {})
    return found


# Keywords of JSON Schema draft 7 that the schemas use, and two that Visual Studio Code adds.
KEYWORDS = frozenset(
    "$schema $ref title description type properties patternProperties additionalProperties required items minItems uniqueItems "
    "enum const default examples pattern minLength maxLength minimum maximum multipleOf allOf not if then else deprecated "
    "patternErrorMessage deprecationMessage".split()
)


def keywords(schema: Any) -> set[str]:
    """All keywords in a schema: a misspelt one would mean nothing, and no validator complains."""
    if not isinstance(schema, dict):
        return {word for one in schema for word in keywords(one)} if isinstance(schema, list) else set()
    found = set(schema)
    for key, value in schema.items():
        if key not in ("enum", "const", "default", "examples"):
            of_names = key in ("properties", "patternProperties")
            found |= {word for one in value.values() for word in keywords(one)} if of_names else keywords(value)
    return found


def without_message(schema: Any) -> list[str]:
    """The patterns of values for which an editor would show the bare pattern as its message."""
    if not isinstance(schema, dict):
        return [found for one in schema for found in without_message(one)] if isinstance(schema, list) else []
    own = [schema["pattern"]] if isinstance(schema.get("pattern"), str) and "patternErrorMessage" not in schema else []
    return [*own, *(found for one in schema.values() for found in without_message(one))]


def patterns(schema: Any) -> Iterator[str]:
    """All patterns of a schema."""
    for key, value in schema.items() if isinstance(schema, dict) else enumerate(schema) if isinstance(schema, list) else ():
        if key == "pattern" and isinstance(value, str):
            yield value
        elif key == "patternProperties":
            yield from value
        yield from patterns(value)


def is_portable(pattern: str) -> bool:
    """Whether ECMA 262 with its flag `u` reads the pattern as Python does: no flags, and nothing escaped but what must be."""
    return not re.search(r"\(\?[^:!=]|\\[^\\^$.*+?()\[\]{}|/sS]", pattern)


def has_words(form: dict[str, Any]) -> bool:
    """Whether only certain words may stand there."""
    return any(key in form for key in ("enum", "const", "examples"))


def members(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property of a schema with its description; schemas that only add a condition to a property are left out."""
    if not isinstance(schema, dict):
        return
    for name, form in schema.get("properties", {}).items():
        yield f"{path}.{name}", form
        yield from members(form, f"{path}.{name}")
    for key in ("items", "then", "else"):
        branch = schema.get(key)
        if key == "items" or (branch and "additionalProperties" in branch) or (branch and "if" in branch):
            yield from members(branch, path)
