"""Each rule of the 2.x specs by example: what is said, at which path, line and column, and that the neighbour passes."""

import pytest

from ignition.config.parse import INVALID, VALID, parse
from tests.config.rule_table import Row, unmarked
from tests.config.v2.rule_table import ROWS

by_rule = pytest.mark.parametrize("row", ROWS, ids=[f"{row.rule}-{row.version}-{number}" for number, row in enumerate(ROWS)])


@by_rule
def test_broken_rule_is_reported_in_its_place(row: Row) -> None:
    text, (line, column) = unmarked(row, row.broken, row.version)
    parsed = parse(text)
    assert {entry.rule for entry in parsed.report.entries} == {row.rule, *row.also}, str(parsed.report)
    [entry] = [entry for entry in parsed.report.entries if entry.rule == row.rule]
    assert str(entry) == f"{row.level} at {row.path}, line {line} col {column}: {row.message}"
    assert (parsed.outcome, parsed.config is None) == ((INVALID, True) if row.level == "error" else (VALID, False))


@by_rule
def test_kept_rule_is_not_mentioned(row: Row) -> None:
    text, _ = unmarked(row, row.kept, row.kept_version or row.version)
    parsed = parse(text)
    assert (parsed.outcome, str(parsed.report)) == (VALID, "")
