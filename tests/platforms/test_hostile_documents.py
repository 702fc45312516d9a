"""Documents of metadata services that attack their readers: each ends at once, in a ValueError or in plain values."""

import json
import resource
import time
from collections.abc import Callable

import pytest

from ignition.config.text import json_text
from ignition.errors import Failure
from ignition.fetch.imds import _member, header_value
from ignition.host import limits
from ignition.metadata import xml_text, yaml_text
from ignition.metadata.values import Document

LATEST_S, MOST_MEMORY = 30.0, 256 << 20
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{n}: &{n} [{','.join([f'*{p}'] * 9)}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True)
)
ENTITIES = "".join(f"<!ENTITY {n} '{f'&{p};' * 10}'>" for p, n in zip("abcdefgh", "bcdefghi", strict=True))

YAML = {
    "nested lists": "- " * 50_000,
    "nested lists in flow": "[" * 50_000,
    "nested mappings": "{a: " * 50_000,
    "alias bomb": BOMB,
    "alias of itself": "&a [*a]",
    "mapping of itself": "&a {b: *a}",
    "merge of itself": "a: &a\n  <<: *a\n",
    "merge of a text": "<<: x",
    "unknown anchor": "*a",
    "set": "!!set {a, b}",
    "timestamp": "!!timestamp x",
    "binary that is none": "!!binary '%'",
    "object": "!!python/object/apply:os.system [x]",
    "integer that is none": "!!int x",
    "complex key": "? [a]\n: b",
    "mapping as a key": "{{a: b}: c}",
    "tab": "a:\n\t- b",
    "NUL": "a: \0",
    "escape": "a: \x1b",
    "many values": "- x\n" * 300_000,
    "many megabytes": "a: " + "x" * (9 << 20),
}
PLAIN_YAML = [
    ("a: " + "9" * 5000, {"a": "9" * 5000}, None),
    ("a: .inf", {"a": ".inf"}, None),
    ("a: 1\na: 2", {"a": "2"}, {"a": 2}),
    ("a: !!binary /w==", {"a": "\ufffd"}, None),
    ("a: 2001-12-14", {"a": "2001-12-14"}, {"a": "2001-12-14"}),
    ("a: 52:54:00:12:34:56", {"a": "52:54:00:12:34:56"}, {"a": "52:54:00:12:34:56"}),
    ("a: yes", {"a": "yes"}, {"a": True}),
    ("a: &x [1]\nb: *x", {"a": ["1"], "b": ["1"]}, {"a": [1], "b": [1]}),
    ("", None, None),
]
JSON = {
    "nested lists": "[" * 100_000,
    "nested lists that end": "[" * (limits.NESTED + 1) + "]" * (limits.NESTED + 1),
    "nested objects": '{"a":' * 100_000,
    "NaN": "NaN",
    "infinity in an object": '{"a": -Infinity}',
    "infinity by its exponent": '{"a": [1e999]}',
    "many values": json.dumps([0] * 300_000),
    "many megabytes": '"' + "x" * (17 << 20) + '"',
    "NUL": "\0",
    "nothing": "",
    "text after the end": "{} x",
}
PLAIN_JSON = [
    ('\ufeff{"a": 1}', {"a": 1}),
    ('{"a": 1, "a": 2}', {"a": 2}),
    (r'{"a": "\ud800"}', {"a": "\ufffd"}),
    ('{"a": "\ud800"}', {"a": "?"}),
    ("[" * limits.NESTED + "]" * limits.NESTED, json.loads("[" * limits.NESTED + "]" * limits.NESTED)),
]
XML = {
    "entities": f'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">{ENTITIES}]><x>&i;</x>',
    "external entity": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/shadow">]><x>&a;</x>',
    "external document type": '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x"><x/>',
    "nested elements": "<a>" * 100_000,
    "nested elements that end": "<a>" * 500 + "</a>" * 500,
    "many elements": "<a>" + "<b/>" * 300_000 + "</a>",
    "many megabytes": "<a>" + "x" * (17 << 20) + "</a>",
    "NUL": "<a>\0</a>",
    "surrogate": "<a>\ud800</a>",
    "unknown prefix": "<a:b/>",
    "nothing": "",
}
CASES: list[tuple[Callable[[str], object], str]] = [
    *((yaml_text.parse, text) for text in YAML.values()),
    *((yaml_text.typed, text) for text in YAML.values()),
    *((json_text.plain, text) for text in JSON.values()),
    *((xml_text.parse, text) for text in XML.values()),
]


@pytest.mark.parametrize(("parse", "text"), CASES, ids=[*YAML, *(f"{name}, typed" for name in YAML), *JSON, *XML])
def test_hostile_document_is_refused_at_once(parse: Callable[[str], object], text: str) -> None:
    begin, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError):  # noqa: PT011  the words are the parsers'
        parse(text)
    assert time.process_time() - begin < LATEST_S
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < MOST_MEMORY
    with pytest.raises(Failure) as caught:
        Document("a/path", parse, kind="document").parse(text)
    assert (caught.value.what, caught.value.where) == ("the metadata is not valid document", "a/path")


@pytest.mark.parametrize(("text", "found", "typed"), PLAIN_YAML, ids=[text[:20] for text, _, _ in PLAIN_YAML])
def test_odd_yaml_becomes_plain_values(text: str, found: object, typed: object) -> None:
    assert yaml_text.parse(text) == found
    if typed is not None:
        assert yaml_text.typed(text) == typed


@pytest.mark.parametrize(("text", "found"), PLAIN_JSON)
def test_odd_json_becomes_plain_values(text: str, found: object) -> None:
    assert json_text.plain(text) == found


def test_number_of_thousands_of_digits_is_a_number() -> None:
    assert isinstance(json_text.plain('{"a": ' + "9" * 5000 + "}")["a"], int)


@pytest.mark.parametrize("token", [None, 5, "", "a\nb", "a\r\nX: y", "é", "\x1b", "x" * 20_000, ["a"]])
def test_token_that_no_header_can_have_is_refused(token: object) -> None:
    with pytest.raises(ValueError, match="not a token"):
        header_value(token)


@pytest.mark.parametrize("document", [b"", b"[]", b"5", b'{"region": 5}', b'{"region": ""}', b"[" * 100_000, b"\xff"])
def test_answer_without_its_member_is_refused(document: bytes) -> None:
    with pytest.raises(Failure, match="the metadata service's answer has no region"):
        _member(document, "region", "http://169.254.169.254/x")
