"""Origins of what is generated, the plain translation, contents and the JSON text."""

import gzip

import pytest

from ignition.config import dataurl
from ignition.config.record import Record, spec
from ignition.config.text import yaml_text
from ignition.config.text.display import display
from ignition.transpile import contents, findings, generated
from ignition.transpile.generated import Generated, existing, members, plain, snake_case


class Inner(Record):
    size_mib: int | None = spec("a number", default=None, json="sizeMiB")
    wipe: bool = spec("yes or no", default=False)
    hard: bool | None = spec("yes, no or nothing", default=None)


class Outer(Record):
    ssh_authorized_keys: tuple[str, ...] = spec("texts", default=())
    parts: tuple[Inner, ...] = spec("records", default=())
    one: Inner | None = spec("a record", default=None)
    sugar: str = spec("not of Ignition's", default="")


def test_members_have_json_names_and_are_left_out_when_not_given() -> None:
    outer = Outer(ssh_authorized_keys=("a",), parts=(Inner(size_mib=0, hard=False), Inner()), one=Inner(), sugar="x")
    assert members(outer, leave_out={"sugar"}) == {
        "sshAuthorizedKeys": ["a"],
        "parts": [{"sizeMiB": 0, "hard": False}, {}],
        "one": {},
    }
    assert plain(("a",)) == ["a"]


NAMES = [
    ("sizeMiB", "size_mib"),
    ("wipeTable", "wipe_table"),
    ("httpResponseHeaders", "http_response_headers"),
    ("path", "path"),
]


@pytest.mark.parametrize("json, yaml", NAMES)
def test_snake_case(json: str, yaml: str) -> None:
    assert snake_case(json) == yaml


def test_origin_is_that_of_the_longest_noted_part() -> None:
    made = Generated()
    made.comes_from(("systemd", "units", 0), ("etcd",))
    made.comes_from(("systemd", "units", 0, "dropins", 0), ("etcd", "name"))
    assert made.origin_of(("systemd", "units", 0, "enabled")) == ("etcd", "enabled")
    assert made.origin_of(("systemd", "units", 0, "dropins", 0)) == ("etcd", "name")
    assert made.origin_of(("storage", "disks", 1, "wipeTable")) == ("storage", "disks", 1, "wipe_table")


def test_existing_part_of_a_path() -> None:
    root = yaml_text.read(b"a: [{b: 1}]", yaml_text.Policy()).root
    assert existing(("a", 0, "b", "c"), root) == ("a", 0, "b")
    assert existing(("a", 1, "b"), root) == ("a",)
    assert existing(("x",), root) == ()


def test_findings_of_the_parser_come_back_to_the_yaml() -> None:
    text = b"storage:\n  files:\n    - path: relative\n      mode: 420\n"
    document = yaml_text.read(text, yaml_text.Policy())
    made = Generated({"ignition": {"version": "3.3.0"}, "storage": {"files": [{"path": "relative", "mode": 420}]}})
    report = findings.report("a.bu", text, document, findings.carried_back(findings.judged(made).report, made, document.root))
    (entry,) = report.entries
    assert (entry.level, entry.path, entry.line, entry.column) == ("error", "$.storage.files.0.path", 3, 13)
    assert "path is not absolute" in entry.message
    assert "a.bu:3:13" in display(report, text) and "^~~~~~~~" in display(report, text)


def test_text_that_is_no_yaml() -> None:
    text = b"a: b: c"
    with pytest.raises(yaml_text.NotYaml) as caught:
        yaml_text.read(text, yaml_text.Policy())
    (entry,) = findings.of_text("x", text, caught.value).entries
    assert (entry.line, entry.column, entry.message) == (1, 5, "mapping values are not allowed in this context")


ENCODED = [
    ("", "data:,"),
    ("a b\n", "data:,a%20b%0A"),
    ("-_.!~*'()", "data:,-_.!~*'()"),
    ("/:é", "data:,%2F%3A%C3%A9"),
    ("\udcff", "data:,%FF"),
]


@pytest.mark.parametrize("text, url", ENCODED, ids=[url for _, url in ENCODED])
def test_percent_encoding(text: str, url: str) -> None:
    assert contents.percent_encoded(contents.content_of(text)) == url


SHORTEST = [
    (b"hello", None, "data:,hello", ""),
    (b"hello", "", "data:,hello", ""),
    (b"\xff" * 6, None, "data:;base64,////////", ""),
    (b"a%", None, "data:,a%25", ""),
    (b"packed" * 100, "gzip", "data:," + "packed" * 100, "gzip"),
]


@pytest.mark.parametrize("content, given, url, compression", SHORTEST)
def test_shortest(content: bytes, given: str | None, url: str, compression: str) -> None:
    assert contents.shortest(content, compression=given) == (url, compression)


def test_compression_pays() -> None:
    content = b"a line of some text\n" * 100
    url, compression = contents.shortest(content)
    assert compression == "gzip" and url.startswith("data:;base64,H4sIAAAAAAAC/")
    assert gzip.decompress(dataurl.decode(url)) == content
    assert dataurl.decode(url) == contents.gzipped(content)


def test_compression_must_gain_more_than_its_name() -> None:
    chosen = {}
    for count in range(20, 80):
        content = b"ab" * count
        gain = len(contents.percent_encoded(content)) - len(dataurl.encode(contents.gzipped(content)))
        chosen[gain] = contents.shortest(content)[1]
    assert {compression for gain, compression in chosen.items() if gain <= 4} == {""}
    assert {compression for gain, compression in chosen.items() if gain > 4} == {"gzip"}


def test_json_text_in_the_order_of_the_schema() -> None:
    data = {
        "storage": {"files": [{"mode": 420, "user": {"id": 0}, "path": "/a", "contents": {}, "filesystem": "root"}], "disks": []},
        "passwd": {"users": [{"shell": "/bin/sh", "shouldExist": True, "sshAuthorizedKeys": ["k"], "name": "core", "uid": 1}]},
        "ignition": {"version": "2.3.0", "config": {}},
    }
    assert generated.json_text(data, pretty=False) == (
        '{"ignition":{"config":{},"version":"2.3.0"},'
        '"passwd":{"users":[{"name":"core","sshAuthorizedKeys":["k"],"shell":"/bin/sh","shouldExist":true,"uid":1}]},'
        '"storage":{"disks":[],"files":[{"filesystem":"root","path":"/a","user":{"id":0},"contents":{},"mode":420}]}}'
    )


def test_json_text_pretty() -> None:
    assert generated.json_text({"b": [1], "a": {}}, pretty=True) == '{\n  "a": {},\n  "b": [\n    1\n  ]\n}'


def test_json_text_escapes_what_go_escapes() -> None:
    assert generated.json_text({"a": "<>&\u2028\u2029é\udcff\n"}, pretty=False) == (
        '{"a":"\\u003c\\u003e\\u0026\\u2028\\u2029é\\ufffd\\n"}'
    )
