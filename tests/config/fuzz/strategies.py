"""Configs from the JSON Schemas of the spec versions, and damaged texts from configs. Draws are hypothesis's."""

import json
from typing import Any

from hypothesis import strategies as st

from ignition.config.schema import schema
from ignition.config.versions import SPEC_1
from tests.config.fuzz import values

Strategy = st.SearchStrategy[Any]
MOST_ELEMENTS = 3
RIGHT = 6  # how many times as often right values are drawn as wrong ones


def configs(version: str) -> Strategy:
    """Plain configs that fit the schema of a version, and say that version."""
    described = schema(version)
    if version not in SPEC_1:
        described["required"], described["properties"]["ignition"]["required"] = ["ignition"], ["version"]
    return _object(described, "")


def _from(described: dict[str, Any], name: str, owner: str) -> Strategy:
    """Values of a member called `name` of the elements of the list (or the object) `owner`."""
    kinds = described["type"] if isinstance(described.get("type"), list) else [described.get("type")]
    kind = next((one for one in kinds if one != "null"), None)
    if "const" in described:
        return st.just(described["const"])
    if kind == "object":
        return _object(described, owner if name == "" else name)
    if kind == "array":
        return _array(described, name)
    if kind == "integer":
        return st.sampled_from(values.INTEGERS.get(name, values.ANY_INTEGER))
    if kind == "boolean":
        return st.booleans()
    return _string(described, name, owner)


def _object(described: dict[str, Any], owner: str) -> Strategy:
    members = described.get("properties", {})
    drawn = {name: _from(member, name, owner) for name, member in members.items()}
    required = {name: drawn.pop(name) for name in described.get("required", []) if name in drawn}
    return st.fixed_dictionaries(required, optional=drawn)


def _array(described: dict[str, Any], name: str) -> Strategy:
    items = described["items"]
    elements = _from(items, name if items.get("type") == "string" else "", name)
    required = items.get("required", [])
    if not required:
        return st.lists(elements, max_size=MOST_ELEMENTS, unique_by=json.dumps)
    return st.lists(elements, max_size=MOST_ELEMENTS, unique_by=lambda element: json.dumps(element.get(required[0])))


def _string(described: dict[str, Any], name: str, owner: str) -> Strategy:
    if name == "name" and owner in values.NAMES:
        return st.sampled_from(values.NAMES[owner])
    if name in values.VALUES:
        right, wrong = values.VALUES[name]
        return st.sampled_from(right * RIGHT + wrong)
    if "enum" in described:
        return st.sampled_from([one for one in described["enum"] if isinstance(one, str)])
    return st.one_of(st.sampled_from(values.WORDS), st.text(max_size=8))


ANYTHING: Strategy = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    # New ones for each draw: the next damage may be inside them.
    st.builds(list),
    st.builds(dict),
    st.builds(lambda: [None]),
    st.builds(lambda: {"path": None}),
    st.recursive(st.none(), lambda inner: st.lists(inner, max_size=2), max_leaves=5),
)


FRONTS = [b"\xef\xbb\xbf", b"\xff\xfe", b" ", b"#cloud-config\n", b"\x1f\x8b", b"// x\n"]


@st.composite
def damaged(draw: st.DrawFn, version: str) -> bytes:
    """The text of a config with some values replaced, members removed or renamed, and then perhaps its bytes damaged."""
    config = draw(configs(version))
    for _ in range(draw(st.integers(0, 3))):
        _damage(draw, config)
    text = json.dumps(config, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1])))
    return _damaged_bytes(draw, text.encode("utf-8", "surrogatepass"))


def _damage(draw: st.DrawFn, config: Any) -> None:
    places = list(_places(config))
    if not places:
        return
    container, key = draw(st.sampled_from(places))
    what = draw(st.sampled_from(["replace", "replace", "remove", "rename", "case"]))
    if what == "replace" or isinstance(container, list):
        container[key] = draw(ANYTHING)
    elif what == "remove":
        del container[key]
    else:
        container[key.swapcase() if what == "case" else draw(st.text(max_size=5))] = container.pop(key)


def _places(value: Any) -> "Any":
    """(container, key or index) of every value below."""
    pairs = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    for key, inner in pairs:
        yield value, key
        yield from _places(inner)


def _damaged_bytes(draw: st.DrawFn, text: bytes) -> bytes:
    place = draw(st.integers(0, len(text)))
    few = draw(st.binary(min_size=1, max_size=4))
    return {
        "not": text,
        "cut": text[:place],
        "put in": text[:place] + few + text[place:],
        "put over": text[:place] + few + text[place + len(few) :],
        "in front": draw(st.sampled_from(FRONTS)) + text,
        "repeated": text.replace(b'"path"', b'"path": [1], "path"', 1),
        "behind": text + few,
    }[draw(st.sampled_from(["not", "not", "not", "cut", "put in", "put over", "in front", "repeated", "behind"]))]
