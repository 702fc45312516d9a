"""Damaged configs: nothing raises, and what is accepted is whole. Seeded, so that a failure comes again."""

import json
import random
import re
from collections.abc import Iterator

from ignition.config import cache, check_merged, merge, needs_network
from ignition.config.parse import INVALID, VALID, parse
from ignition.config.report import ERROR, Report
from ignition.config.text.display import display
from ignition.config.versions import SPEC_3
from tests.config import rule_table
from tests.config.rule_table import unmarked
from tests.config.v1 import rule_table as rule_table_1
from tests.config.v2 import rule_table as rule_table_2

ROUNDS = 2000
VALUES = [
    b"null",
    b"{}",
    b"[]",
    b'""',
    b"1e2",
    b"-1",
    b"99999999999999999999",
    rb'"\ud800"',
    b"[null]",
    b'{"a": null}',
    b"\xff",
    b"NaN",
]
VALUE = re.compile(rb'"(?:[^"\\]|\\.)*"(?!\s*:)|\d+|true|false|null|\{[^{}]*\}|\[[^\[\]]*\]')


def damaged(text: bytes, choose: random.Random) -> bytes:
    """One value replaced, one byte changed, or the end cut off."""
    kind = choose.random()
    if kind < 0.6:
        match = choose.choice(list(VALUE.finditer(text)))
        return text[: match.start()] + choose.choice(VALUES) + text[match.end() :]
    place = choose.randrange(len(text))
    return text[:place] + (bytes([choose.randrange(256)]) + text[place + 1 :] if kind < 0.9 else b"")


def test_damaged_configs_are_judged_and_never_raise() -> None:
    choose = random.Random(20)
    rows = [*rule_table.ROWS, *rule_table_2.ROWS, *rule_table_1.ROWS]
    outcomes = set()
    for _ in range(ROUNDS):
        row = choose.choice(rows)
        text = damaged(unmarked(row, choose.choice((row.broken, row.kept)), row.version)[0], choose)
        parsed = parse(text, source="x")
        outcomes.add(parsed.outcome)
        assert (parsed.outcome == VALID) == (parsed.config is not None), text
        assert (parsed.outcome == INVALID) <= parsed.report.fatal, text
        assert (str(parsed.report) == "") == (display(parsed.report, text) == ""), text
        if parsed.config is not None:
            assert cache.load(cache.dump(parsed.config)) == parsed.config, text
            check_merged(merge.merge(parsed.config, parsed.config))
            needs_network.reason(parsed.config)
    assert {VALID, INVALID} <= outcomes


def test_translated_configs_pass_the_second_look() -> None:
    for row in rule_table_2.ROWS:
        text, _ = unmarked(row, row.kept, row.kept_version or row.version)
        config = parse(text).config
        assert config is not None
        assert not check_merged(config).fatal, text


def test_a_valid_config_is_only_asked_for_what_later_versions_add() -> None:
    """Of every version: the second look without what the first one has checked finds the same errors."""
    found = set()
    for text in _every_text_in_every_version():
        parsed = parse(text)
        if parsed.config is not None:
            whole = _errors(check_merged(parsed.config))
            assert whole == _errors(check_merged(parsed.config, valid_in=parsed.version)), text
            found |= {rule for _, rule, _ in whole}
    assert found == {"L9", "L10", "R2", "S4"}


def _every_text_in_every_version() -> Iterator[bytes]:
    references = {"replace": {"verification": {"hash": rule_table.SHA_512}}}
    for version in SPEC_3:
        yield json.dumps({"ignition": {"version": version, "config": references}}).encode()  # R2 of 3.1.0
        for row in rule_table.ROWS:
            for text in (row.broken, row.kept):
                yield unmarked(row, text, version)[0]


def _errors(report: Report) -> list[tuple[str, str, str]]:
    return [(entry.path, entry.rule, entry.message) for entry in report.entries if entry.level == ERROR]
