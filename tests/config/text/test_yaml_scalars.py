"""Words, numbers and members of YAML 1.1, as go-yaml resolves and decodes them."""

import math

import pytest

from ignition.config.text import yaml_scalars, yaml_text
from ignition.config.text.yaml_nodes import LIST, MAPPING, Mapping, Scalar, Sequence, Unsigned, complaint, is_null, plain, scalar
from ignition.config.text.yaml_scalars import BOOL, CORE_TRUTHS, FLOAT, INT, NULL, STRING, YAML_1_1_TRUTHS

TRUE, FALSE = "y Y yes Yes YES on On ON true True TRUE".split(), "n N no No NO off Off OFF false False FALSE".split()
INTEGERS = {
    "0": 0, "00": 0, "7": 7, "-7": -7, "+7": 7, "1_000": 1000, "0x1F": 31, "0Xff": 255, "-0x10": -16, "0b101": 5, "0B1": 1,
    "0o17": 15, "0O17": 15, "017": 15, "-017": -15, "0_1": 1, "0b_": 0, "0o": 0, "9" * 30: int("9" * 30),
}  # fmt: skip
FLOATS = {
    "1.5": 1.5, "-1.5": -1.5, ".5": 0.5, "+.5": 0.5, "1.": 1.0,
    "1e3": 1000.0, "1E-3": 0.001, "1_0.5": 10.5, "08": 8.0, "089": 89.0, ".inf": math.inf, "-.Inf": -math.inf, "+.INF": math.inf,
}  # fmt: skip
TEXTS = (
    "a", "yEs", "tRUE", "nul", "NUll", "0x", "0xg", "1a", "-", "+", ".", "1.2.3", "1e", "_1", "-_1", "0b12", ".INf", "-.nan",
    "1,5",     "10:30", "2001-12-14", "=", "<", "0o8", "٣",
)  # fmt: skip


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_null(text: str) -> None:
    assert yaml_scalars.kind(text, YAML_1_1_TRUTHS) == NULL


def test_truths() -> None:
    assert YAML_1_1_TRUTHS == dict.fromkeys(TRUE, True) | dict.fromkeys(FALSE, False)
    assert {word: yaml_scalars.kind(word, CORE_TRUTHS) for word in ("yes", "y", "off", "true", "FALSE")} == {
        "yes": STRING, "y": STRING, "off": STRING, "true": BOOL, "FALSE": BOOL,
    }  # fmt: skip


@pytest.mark.parametrize("text", INTEGERS)
def test_whole_number(text: str) -> None:
    assert (yaml_scalars.kind(text, YAML_1_1_TRUTHS), yaml_scalars.integer(text)) == (INT, INTEGERS[text])
    assert yaml_scalars.number(text) == float(INTEGERS[text])


@pytest.mark.parametrize("text", FLOATS)
def test_number(text: str) -> None:
    assert (yaml_scalars.kind(text, YAML_1_1_TRUTHS), yaml_scalars.number(text)) == (FLOAT, FLOATS[text])


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_no_number(text: str) -> None:
    assert yaml_scalars.kind(text, YAML_1_1_TRUTHS) == FLOAT and math.isnan(yaml_scalars.number(text))


@pytest.mark.parametrize("text", TEXTS)
def test_text(text: str) -> None:
    assert yaml_scalars.kind(text, YAML_1_1_TRUTHS) == STRING


def test_digits_beyond_all_limits_take_no_time() -> None:
    assert yaml_scalars.integer("1" * 10**6) == int("1" * 99)


def node(text: str) -> "Scalar | Sequence | Mapping":
    root = yaml_text.read(f"a: {text}\n".encode(), yaml_text.Policy()).root.child("a")
    assert isinstance(root, Scalar | Sequence | Mapping)
    return root


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        *((str, one, one.strip("'")) for one in ("a", "yes", "0x1F", "1.50", "'~'", "'null'")),
        *((bool, one, True) for one in ("yes", "on", "true")),
        *((bool, one, None) for one in ("'yes'", "1", "a", "~")),
        *((int, one, value) for one, value in (("7", 7), ("-7", -7), ("7.9", 7), ("-7.9", -7), ("0x10", 16), ("1e2", 100))),
        (int, "9223372036854775807", 2**63 - 1),
        (int, "-9223372036854775808", -(2**63)),
        *(
            (int, one, None)
            for one in ("9223372036854775808", "-9223372036854775809", "yes", "'7'", ".inf", "-.inf", ".nan", "a", "~", "[7]")
        ),
        *((Unsigned, one, value) for one, value in (("0", 0), ("7", 7), ("-0.5", 0))),
        *((Unsigned, one, None) for one in ("-1", "-1.5")),
        *((float, one, value) for one, value in (("7", 7.0), ("1.5", 1.5), ("0b1", 1.0))),
        *((float, one, None) for one in (".inf", ".nan", "yes", "'1.5'")),
    ],
)
def test_member_of_a_type(kind: type, text: str, value: object) -> None:
    found = scalar(kind, node(text))
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "wanted", "message", "fix"),
    [
        ("[7]", "a text", "a must be a text, not a list", ""),
        ("{b: c}", LIST, "a must be a list, not a mapping", "begin each element with a dash"),
        ("'7'", MAPPING, "a must be a mapping, not a text", "write keys with values below it"),
        ("'7'", "a whole number", "a must be a whole number, not a text", "write it without quotes"),
        ("b", "a whole number", "a must be a whole number, not a text", ""),
        ("yes", "a whole number", "a must be a whole number, not true or false", ""),
        ("1.5", "true or false", "a must be true or false, not a number", ""),
        ("1", "true or false", "a must be true or false, not a number", ""),
        ("~", "a text", "a must be a text, not null", ""),
        ("!!binary YQ==", "a whole number", "a must be a whole number, not a text", "write it without quotes"),
    ],
)
def test_complaint_about_a_type(text: str, wanted: str, message: str, fix: str) -> None:
    assert complaint(("a",), wanted, node(text)) == (message, fix)


def test_complaint_names_the_place() -> None:
    assert complaint((), MAPPING, node("b"))[0] == "the config must be a mapping, not a text"
    assert complaint(("x", "a", 3), MAPPING, node("b"))[0] == "a[3] must be a mapping, not a text"
    assert complaint((3,), MAPPING, node("b"))[0] == "3 must be a mapping, not a text"


def test_plain_data_and_children() -> None:
    data = node("{b: [1, 2.5, yes, ~, x], c: {d: e}}")
    assert plain(data) == {"b": [1, 2.5, True, None, "x"], "c": {"d": "e"}}
    items = data.child("b")
    assert isinstance(items, Sequence)
    assert [items.child(part) is not None for part in (0, 4, 5, -1, "0")] == [True, True, False, False, False]
    assert data.child("x") is None and data.child(0) is None and data.key(0) is None and data.key("b") is not None
    assert [is_null(one) for one in items.items] == [False, False, False, True, False]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!!str yes", "yes"),
        ("!!binary YWI=", "ab"),
        ("!!binary /w==", "\udcff"),
        ("!!int '7'", 7),
        ("!!float '7'", 7.0),
        ("!!bool 'yes'", True),
        ("!!null ''", None),
    ],
)
def test_tag(text: str, value: object) -> None:
    assert plain(node(text)) == value
