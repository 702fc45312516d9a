"""What becomes of texts: odd input, versions, and the rules of decoding (docs/reference/ignition-config.md §1.2 to §1.4)."""

import json
import re
from typing import Any

import pytest

from ignition.config.model import NEWEST
from ignition.config.parse import (
    INVALID,
    UNPARSABLE_VERSION,
    VALID,
    Parsed,
    parse,
)
from ignition.config.versions import SPEC_2, SPEC_3
from ignition.host import limits

MINIMAL = b'{"ignition": {"version": "3.5.0"}}'


def body(members: str, version: str = "3.5.0") -> Parsed:
    return parse(b'{"ignition": {"version": "%s"},\n%s}' % (version.encode(), members.encode("utf-8", "surrogatepass")))


NOT_A_CONFIG = [
    pytest.param(
        b'{"a":\n "\xc3\xa9", b}',
        INVALID,
        "error at line 2 col 8: invalid character 'b' where a member's name in double quotes is expected",
        id="columns count bytes",
    ),
    pytest.param(b'{"a" 1}', INVALID, "error at line 1 col 6: invalid character '1' where a colon is expected", id="no colon"),
    pytest.param(
        b'["a\tb"]',
        INVALID,
        "error at line 1 col 4: invalid character '\\t' in a string: it must be written as an escape such as \\n",
        id="tab in a string",
    ),
    pytest.param(b'["NaN", NaN]', INVALID, "error at line 1 col 9: NaN is not a JSON value", id="NaN"),
    pytest.param(b"[" * 100_000, INVALID, "error at line 1 col 1: nested too deeply for a config", id="depth bomb"),
    pytest.param(
        b'{"a":' * 100_000, INVALID, "error at line 1 col 1: nested too deeply for a config", id="depth bomb of objects"
    ),
    pytest.param(
        b"9" * 5000,
        INVALID,
        "error at $, line 1 col 1: the config must be an object, not a number of more than 64 bits",
        id="long number",
    ),
    pytest.param(
        b'{"a": ' + b"9" * 5000 + b"; }",
        INVALID,
        "error at line 1 col 5007: invalid character ';' where a comma or the end of the object or list is expected",
        id="long number before a mistake",
    ),
    pytest.param(b"[]", INVALID, "error at $, line 1 col 2: the config must be an object, not a list", id="list"),
    pytest.param(b'"x"', INVALID, "error at $, line 1 col 1: the config must be an object, not a string", id="string"),
    pytest.param(
        b'{"ignition": 3}',
        INVALID,
        "error at $.ignition, line 1 col 14: ignition must be an object, not an integer",
        id="no section",
    ),
    pytest.param(
        b'{"ignition": {"version": 3}}',
        INVALID,
        "error at $.ignition.version, line 1 col 26: version must be a string, not an integer",
        id="version is no string",
    ),
]


@pytest.mark.parametrize("text, outcome, said", NOT_A_CONFIG)
def test_text_that_is_no_config_is_refused(text: bytes, outcome: str, said: str) -> None:
    parsed = parse(text)
    assert (parsed.outcome, str(parsed.report), parsed.config) == (outcome, said, None)
    assert parsed.report.fatal == (outcome == INVALID)


@pytest.mark.parametrize("version", [*SPEC_3, *SPEC_2, "03.4.0", "2.4.0-experimental", "3.3.0-", "3.3.0+", "3.3.0-+"])
def test_version_is_accepted(version: str) -> None:
    parsed = body('"passwd": {}', version)
    assert (parsed.outcome, str(parsed.report)) == (VALID, "")
    assert parsed.config is not None
    assert parsed.config.ignition.version == NEWEST


def test_long_number_beside_a_repeated_key_is_read() -> None:
    parsed = parse(b'{"x": 1, "x": ' + b"9" * 5000 + b', "ignition": {"version": "3.3.0"}}')
    assert parsed.outcome == VALID
    assert "warning at $.x, line 1 col 10: key occurs twice: the later value counts" in str(parsed.report)


def test_key_with_long_s_is_read_as_with_s() -> None:
    report = body('"storage": {"file\\u017f": [{"path": "f"}]}').report
    assert "error at $.storage.files.0.path, line 2 col 37: path is not absolute" in str(report)


@pytest.mark.parametrize("text", [b"{}", b"null", b'{"ignition": {}}', b'{"ignition": null}', b'{"ignition": {"version": null}}'])
def test_text_without_version_is_unparsable(text: bytes) -> None:
    parsed = parse(text)
    assert (parsed.outcome, parsed.report.entries[0].message) == (
        UNPARSABLE_VERSION,
        "the config does not specify its spec version",
    )


TYPES = [
    ('"mode": ▸"0644"', ["mode must be an integer, not a string"]),
    ('"mode": ▸420.0', ["mode must be an integer, not a number with a fraction or an exponent"]),
    ('"mode": ▸1e2', ["mode must be an integer, not a number with a fraction or an exponent"]),
    ('"mode": ▸true', ["mode must be an integer, not true or false"]),
    ('"mode": ▸9223372036854775808', ["mode must be an integer, not a number of more than 64 bits"]),
    ('"overwrite": ▸1', ["overwrite must be true or false, not an integer"]),
    ('"append": {▸"source": "data:,"}', ["append must be a list, not an object"]),
    ('"append": [▸"x"]', ["append[0] must be an object, not a string"]),
    ('"user": [▸]', ["user must be an object, not a list"]),
    (
        '"user": {"name": ▸3}, "mode": ▸"x"',
        ["name must be a string, not an integer", "mode must be an integer, not a string"],
    ),
]


@pytest.mark.parametrize("member, messages", TYPES, ids=[row[0].replace("▸", "") for row in TYPES])
def test_every_wrong_type_is_reported_in_its_place(member: str, messages: list[str]) -> None:
    marked = f'"storage": {{"files": [{{"path": "/absolute", {member}}}]}}'
    parsed = body(marked.replace("▸", ""))
    columns = [len(before.replace("▸", "")) + 1 for before in (marked[: one.start()] for one in re.finditer("▸", marked))]
    assert parsed.outcome == INVALID
    assert [(entry.line, entry.column, entry.message) for entry in parsed.report.entries] == [
        (2, column, message) for column, message in zip(columns, messages, strict=True)
    ]


def test_wrong_type_hides_no_other_finding_and_makes_up_none() -> None:
    """What is said only because the value was not read is left out: a path of 3 is not an empty path."""
    parsed = body(
        '"storage": {"files": [{"path": 3}, {"path": "b", "mode": "0644"}, {"path": 4, "modes": 1}], "disks": 5},'
        '"passwd": {"users": [{"name": "a", "uid": "x", "groups": ["g", 7]}]}, "systemd": {"units": [{"name": "x"}]}'
    )
    assert [str(entry).partition(", ")[0] for entry in parsed.report.entries] == [
        "error at $.storage.files.1.path",
        "error at $.systemd.units.0.name",
        "error at $.storage.files.0.path",
        "error at $.storage.files.1.mode",
        "error at $.storage.files.2.path",
        "error at $.storage.disks",
        "error at $.passwd.users.0.uid",
        "error at $.passwd.users.0.groups.1",
        "warning at $.storage.files.2.modes",
    ]
    assert parsed.config is None


def test_wrong_types_beyond_counting_are_counted() -> None:
    report = body(f'"storage": {{"files": [{", ".join(["1"] * (limits.FINDINGS + 5))}]}}').report
    assert len(report.entries) == limits.FINDINGS + 1
    assert report.entries[-1].message == "and 5 more errors not listed"


def members(text: str) -> Any:
    parsed = body(text)
    assert parsed.config is not None, str(parsed.report)
    return parsed.config


def test_null_is_absence() -> None:
    config = members('"storage": {"files": null, "links": []}, "passwd": {"users": [{"name": "a", "uid": null, "groups": null}]}')
    assert config.storage.files == ()
    assert (config.passwd.users[0].uid, config.passwd.users[0].groups) == (None, ())


def test_null_in_a_list_is_an_empty_element() -> None:
    parsed = body('"storage": {"files": [null]}, "passwd": {"users": [{"name": "a", "groups": [null]}]}')
    assert [str(entry).partition(", ")[0] for entry in parsed.report.entries] == [
        "error at $.storage.files.0.path",
        "warning at $.storage.files.0",
    ]
    assert members('"passwd": {"users": [{"name": "a", "groups": [null]}]}').passwd.users[0].groups == ("",)


def test_repeated_key_is_laid_over_the_earlier_one() -> None:
    text = (
        '"storage": {"files": [{"path": "/a", "mode": 1}, {"path": "/b"}]},\n'
        '"storage": {"files": [{"mode": 2}], "links": null}, "passwd": {"users": []}, "passwd": null'
    )
    parsed = body(text)
    assert parsed.config is not None
    assert [(file.path, file.mode) for file in parsed.config.storage.files] == [("/a", 2)]
    assert str(parsed.report).splitlines() == [
        "warning at $.storage, line 3 col 1: key occurs twice: the later value counts",
        "warning at $.passwd, line 3 col 78: key occurs twice: the later value counts",
    ]


def test_key_of_other_case_is_honoured_and_reported() -> None:
    parsed = body('"Storage": {"FILES": [{"path": "rel"}]}')
    assert str(parsed.report).splitlines() == [
        "error at $.storage.files.0.path, line 2 col 32: path is not absolute",
        "warning at $.Storage, line 2 col 1: unknown key: read as storage",
        "warning at $.storage.FILES, line 2 col 13: unknown key: read as files",
    ]


def test_unknown_key_gets_a_suggestion() -> None:
    parsed = body('"storage": {"files": [{"path": "/a", "content": {}}]}, "system": {}')
    assert [entry.fix for entry in parsed.report.entries] == ["did you mean contents?", "did you mean systemd?"]


@pytest.mark.parametrize(
    "text, name",
    [
        pytest.param(rb'"a\ud800b"', "a\ufffdb", id="lone surrogate"),
        pytest.param(rb'"\ud83d\ude00"', "\U0001f600", id="pair"),
        pytest.param(b'"a\xffb"', "a\ufffdb", id="invalid UTF-8"),
    ],
)
def test_text_that_is_not_unicode_becomes_replacement_characters(text: bytes, name: str) -> None:
    parsed = parse(b'{"ignition": {"version": "3.5.0"}, "passwd": {"users": [{"name": %s}]}}' % text)
    assert parsed.config is not None
    assert parsed.config.passwd.users[0].name == name


@pytest.mark.parametrize("version, mode", [("3.5.0", 0o644), ("3.6.0", 0o4644)])
def test_special_bits_count_since_3_6(version: str, mode: int) -> None:
    parsed = body(f'"storage": {{"files": [{{"path": "/a", "mode": {0o4644}}}], "directories": [{{"path": "/b"}}]}}', version)
    assert parsed.config is not None
    assert (parsed.config.storage.files[0].mode, parsed.config.storage.directories[0].mode) == (mode, None)


def test_valid_config_keeps_its_warnings() -> None:
    parsed = body('"own": 1')
    assert (parsed.outcome, parsed.report.fatal, len(parsed.report.entries)) == (VALID, False, 1)


def test_messages_hold_no_secret() -> None:
    secret = "hunter2"
    user = {"name": "a", "passwordHash": 5, "own": secret}
    url = f"http://u:{secret}@h:x/?token={secret}"
    sections: list[dict[str, Any]] = [
        {"passwd": {"users": [user]}},
        {"storage": {"files": [{"path": "/a", "contents": {"source": url, "verification": {"hash": secret}}}]}},
        {"storage": {"files": [{"path": "/a", "contents": {"source": f"data:{secret}"}}]}},
        {"systemd": {"units": [{"name": "a.service", "contents": f"[Service]\n{secret}\n"}]}},
        {"storage": {"luks": [{"name": "a", "clevis": {"tang": [{"url": url, "advertisement": secret}]}}]}},
    ]
    for section in sections:
        parsed = parse(json.dumps({"ignition": {"version": "3.5.0"}, **section}).encode())
        assert parsed.report.fatal
        assert secret not in "".join(f"{entry}{entry.fix}" for entry in parsed.report.entries)
