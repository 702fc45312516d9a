"""Each rule of spec 1 by example: what is said, at which path, line and column, and that the neighbour passes."""

import pytest

from ignition.config.parse import INVALID, UNKNOWN_VERSION, UNPARSABLE_VERSION, VALID, parse
from ignition.config.rules import identities
from tests.config.rule_table import Row, unmarked
from tests.config.v1.rule_table import DEPRECATED, ROWS
from tests.config.v2 import rule_table as rule_table_2

by_rule = pytest.mark.parametrize("row", ROWS, ids=[f"{row.rule}-{number}" for number, row in enumerate(ROWS)])


@by_rule
def test_broken_rule_is_reported_in_its_place(row: Row) -> None:
    text, (line, column) = unmarked(row, row.broken, row.version)
    parsed = parse(text)
    assert {entry.rule for entry in parsed.report.entries} == {row.rule, *row.also}, str(parsed.report)
    [entry] = [entry for entry in parsed.report.entries if entry.rule == row.rule]
    assert str(entry) == f"{row.level} at {row.path}, line {line} col {column}: {row.message}"
    assert (parsed.outcome, parsed.config is None) == ((INVALID, True) if row.level == "error" else (VALID, False))
    assert parsed.version == "1"


@by_rule
def test_kept_rule_is_not_mentioned(row: Row) -> None:
    text, _ = unmarked(row, row.kept, row.version)
    parsed = parse(text)
    assert (parsed.outcome, [str(entry) for entry in parsed.report.entries if entry.rule != "V1"]) == (VALID, [])


def test_every_rule_of_either_spec_has_a_row() -> None:
    parse(b'{"ignitionVersion": 1}')  # which loads both
    rows = {row.rule for row in (*ROWS, *rule_table_2.ROWS)}
    unreachable = {"V4"}  # a text whose version is another one is read by that version's rules
    assert {one for one in identities() if one.startswith("V")} - unreachable <= rows


def test_deprecation_says_what_to_do() -> None:
    [entry] = parse(b'{"ignitionVersion": 1}').report.entries
    assert (entry.message, entry.fix) == (DEPRECATED, "write the config in spec 3, which Ignition 2 and later read")


NO_VERSION = "the config does not specify its spec version"
NUMBER = "error at $.ignitionVersion, line 1 col 21: ignitionVersion"
VERSIONS = [
    pytest.param("2", UNKNOWN_VERSION, "error at $.ignitionVersion, line 1 col 21: ignitionVersion can only be 1", id="2"),
    pytest.param("0", UNKNOWN_VERSION, "error at $.ignitionVersion, line 1 col 21: ignitionVersion can only be 1", id="0"),
    pytest.param('"1"', INVALID, f"{NUMBER} must be an integer, not a string", id="a string"),
    pytest.param(
        "1.0",
        INVALID,
        f"{NUMBER} must be an integer, not a number with a fraction or an exponent",
        id="a fraction",
    ),
    pytest.param("true", INVALID, f"{NUMBER} must be an integer, not true or false", id="true"),
    pytest.param(
        "null",
        UNPARSABLE_VERSION,
        "error at $.ignition.version, line 1 col 2: the config does not specify its spec version",
        id="null",
    ),
]


@pytest.mark.parametrize("number, outcome, said", VERSIONS)
def test_other_number_is_refused_by_name(number: str, outcome: str, said: str) -> None:
    parsed = parse(f'{{"ignitionVersion": {number},\n"storage": {{}}}}'.encode())
    assert (parsed.outcome, str(parsed.report), parsed.config) == (outcome, said, None)


def test_key_of_other_case_is_honoured() -> None:
    assert str(parse(b'{"IgnitionVersion": 1}').report).splitlines() == [
        "warning at $.ignitionVersion, line 1 col 21: spec 1 is deprecated",
        "warning at $.IgnitionVersion, line 1 col 2: unknown key: read as ignitionVersion",
    ]


def test_spec_of_its_own_version_counts_more() -> None:
    parsed = parse(b'{"ignitionVersion": 1, "ignition": {"version": "2.0.0"}}')
    assert (parsed.version, str(parsed.report)) == (
        "2.0.0",
        "warning at $.ignitionVersion, line 1 col 2: unknown key ignitionVersion: ignored",
    )


def test_all_errors_are_reported_at_once() -> None:
    text = b"""{"ignitionVersion": 1,
    "storage": {"filesystems": [{"device": "a", "format": "x", "files": [{"path": "b", "mode": -1}]}]},
    "systemd": {"units": [{"name": "a"}]}}"""
    assert [str(entry).partition(", ")[0] for entry in parse(text).report.entries] == [
        "warning at $.ignitionVersion",
        "error at $.storage.filesystems.0.device",
        "error at $.storage.filesystems.0.format",
        "error at $.storage.filesystems.0.files.0.path",
        "error at $.storage.filesystems.0.files.0.mode",
        "error at $.systemd.units.0.name",
    ]


def test_wrong_type_is_named_in_its_place() -> None:
    text = b'{"ignitionVersion": 1, "storage": {"filesystems": [{"files": [{"mode": "0644"}]}]}}'
    assert (
        str(parse(text).report.entries[-1])
        == "error at $.storage.filesystems.0.files.0.mode, line 1 col 72: mode must be an integer, not a string"
    )
