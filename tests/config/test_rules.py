"""Each rule of the 3.x specs by example: what is said, at which path, line and column, and that the neighbour passes."""

import pytest

from ignition.config.parse import INVALID, VALID, parse
from ignition.config.rules import identities, load
from tests.config.rule_table import ROWS, Row, unmarked

by_rule = pytest.mark.parametrize("row", ROWS, ids=[f"{row.rule}-{row.version}-{number}" for number, row in enumerate(ROWS)])


@by_rule
def test_broken_rule_is_reported_in_its_place(row: Row) -> None:
    text, (line, column) = unmarked(row, row.broken, row.version)
    parsed = parse(text)
    assert {entry.rule for entry in parsed.report.entries} == {row.rule, *row.also}, str(parsed.report)
    [entry] = [entry for entry in parsed.report.entries if entry.rule == row.rule]
    assert str(entry) == f"{row.level} at {row.path}, line {line} col {column}: {row.message}"
    is_error = row.level == "error" or any(one.level == "error" for one in parsed.report.entries)
    assert (parsed.outcome, parsed.config is None) == ((INVALID, True) if is_error else (VALID, False))


@by_rule
def test_kept_rule_is_not_mentioned(row: Row) -> None:
    text, _ = unmarked(row, row.kept, row.kept_version or row.version)
    parsed = parse(text)
    assert (parsed.outcome, str(parsed.report)) == (VALID, "")


def test_every_rule_has_a_row() -> None:
    load()
    elsewhere = {"I1", "J1"}  # a text of another version is read by that one's rules; J1 has rows in v1/rule_table.py
    assert {one for one in identities() if not one.startswith("V")} - elsewhere <= {row.rule for row in ROWS}


def test_all_errors_are_reported_at_once() -> None:
    text = b"""{"ignition": {"version": "3.6.0"},
    "storage": {"files": [{"path": "a", "mode": 9999}, {"path": "/b//c", "user": {"id": 1, "name": "x"}}]},
    "systemd": {"units": [{"name": "a"}]}}"""
    assert str(parse(text).report).splitlines() == [
        "error at $.storage.files.0.path, line 2 col 36: path is not absolute",
        "error at $.storage.files.0.mode, line 2 col 49: mode is not between 0 and 4095 (octal 07777)",
        "error at $.storage.files.1.path, line 2 col 65: path is not in its simplest form",
        "error at $.storage.files.1.user, line 2 col 83: user has both an id and a name",
        "error at $.systemd.units.0.name, line 3 col 36: name does not end in a unit type",
    ]
