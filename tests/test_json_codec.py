"""JSON by the functions in C: the results and the errors of the package `json`."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ignition import json_codec

TOP = Path(__file__).parents[1]
VALUES = [
    {"a": [1, -2, 3.5, 1e300, True, False, None, 'é\u2028"\\\n\x7f', {}, []], "ü": {"": 0}},
    "text",
    12,
    None,
    [[[]]],
    {1: "a", None: "b", 2.5: "c", False: "d"},
    [math.inf, -math.inf],
]
MALFORMED = [
    "",
    " ",
    "{",
    '{"a" 1}',
    "[1,]",
    "[1 2]",
    '"abc',
    '"\x01"',
    "nil",
    "01",
    "{} x",
    "\ufeff{}",
    '{"a":"\\x"}',
    "nul",
    "-",
]
WELL_FORMED = [' \t\r\n{"a": 1}\n', "[1, 2.50, 1E5, -0]", '"\\ud83d\\ude00 \\ud800"', "[NaN, Infinity]", '{"a": 1, "a": 2}', "0"]


@pytest.fixture(params=["in C", "without C"])
def codec(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    if request.param == "without C":
        monkeypatch.setattr(json_codec, "make_scanner", None)
    return json_codec


@pytest.mark.parametrize("value", VALUES)
def test_values_are_written_as_by_json(codec: Any, value: Any) -> None:
    assert codec.dumps(value) == json.dumps(value)
    assert codec.dumps(value, ensure_ascii=False, separators=(",", ":")) == json.dumps(
        value, ensure_ascii=False, separators=(",", ":")
    )


def test_members_are_indented_as_by_json(codec: Any) -> None:
    members = {"a": "é", "b": True, "c": 1.5}
    assert codec.indented(members) == json.dumps(members, indent=2)


@pytest.mark.parametrize(("value", "error"), [({"a": {1}}, TypeError), ([math.nan], ValueError)])
def test_value_that_json_does_not_have(codec: Any, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        codec.dumps(value, allow_nan=False)
    with pytest.raises(error) as expected:
        json.dumps(value, allow_nan=False)
    assert str(caught.value).partition(":")[0] == str(expected.value).partition(":")[0]


@pytest.mark.parametrize("text", [*WELL_FORMED, *(json.dumps(value, allow_nan=True) for value in VALUES)])
def test_texts_are_read_as_by_json(codec: Any, text: str) -> None:
    expected = json.loads(text)
    assert repr(codec.loads(text)) == repr(expected)
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-be"):
        raw = text.encode(encoding, "surrogatepass")
        assert repr(codec.loads(raw)) == repr(expected), encoding
    assert codec.loads(text, object_pairs_hook=list) == json.loads(text, object_pairs_hook=list) or "NaN" in text


@pytest.mark.parametrize("text", [*MALFORMED, "1" * 5000, "[" * 100_000])
def test_refusals_are_those_of_json(codec: Any, text: str) -> None:
    with pytest.raises((ValueError, RecursionError)) as expected:
        json.loads(text)
    with pytest.raises(type(expected.value)) as caught:
        codec.loads(text)
    assert str(caught.value) == str(expected.value)


def test_refusals_are_the_same_before_json_is_loaded() -> None:
    code = f"""
import sys
sys.path.insert(0, {str(TOP)!r})
from ignition import json_codec
for text in {MALFORMED!r}:
    assert json_codec.loads('{{"a": [1]}}') == {{"a": [1]}}
    for name in [name for name in sys.modules if name.split(".")[0] == "json"]:
        del sys.modules[name]
    try:
        json_codec.loads(text)
    except ValueError as error:
        print(type(error).__name__, error)
"""
    said = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == [f"JSONDecodeError {_refusal(text)}" for text in MALFORMED]


def _refusal(text: str) -> str:
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads(text)
    return str(caught.value)


@pytest.mark.parametrize("value", VALUES[:5])
def test_end_of_a_value_in_a_text(codec: Any, value: Any) -> None:
    text = f"  {json.dumps(value)} , "
    assert codec.skipper()(text, 2) == len(text) - 3


@pytest.mark.parametrize("text", MALFORMED[2:5])
def test_end_of_no_value(codec: Any, text: str) -> None:
    with pytest.raises(ValueError):
        codec.skipper()(text, 0)
