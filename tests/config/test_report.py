"""The report for machines and for people."""

import pytest

from ignition.config.parse import parse
from ignition.config.report import Entry, Report

TEXT = b"""{
  "ignition": {"version": "3.5.0"},
\t"storage": {"files": [{"path": "\xc3\xa9tc", "contents": {"sources": "data:,"}}]}
}
"""


def test_rich_report_has_file_line_caret_and_fix() -> None:
    assert parse(TEXT, source="a.ign").report.rich(TEXT).splitlines() == [
        "a.ign:3:33: error: path is not absolute",
        "  at $.storage.files.0.path",
        '    3 |  "storage": {"files": [{"path": "étc", "contents": {"sources": "data:,"}}]}',
        "      |                                 ^",
        "  fix: write /étc",
        "a.ign:3:54: warning: unknown key sources: ignored",
        "  at $.storage.files.0.contents.sources",
        '    3 | …storage": {"files": [{"path": "étc", "contents": {"sources": "data:,"}}]}',
        "      |                                                    ^",
        "  fix: did you mean source?",
    ]


def test_long_line_is_cut_around_the_caret() -> None:
    text = b'{"ignition": {"version": "3.5.0"}, "storage": {"files": [%s{"path": "a"}%s]}}' % (b" " * 9999, b" " * 9999)
    *_, excerpt, caret, _ = parse(text).report.rich(text).splitlines()
    assert len(excerpt) < 130
    assert excerpt[caret.index("^") :].startswith('"a"}')


@pytest.mark.parametrize(
    "text, marked",
    [
        pytest.param(b'{"ignition": {"version": "3.5.0"}', "}", id="truncated: its last byte"),
        pytest.param(b'{"ignition": {"version": 35}}', "3", id="wrong type: the value, not its end"),
        pytest.param(b'{"ignition": x}', "x", id="syntax: the byte itself, not the next"),
        pytest.param(b"[]", "[", id="whole text"),
    ],
)
def test_people_see_the_offending_byte(text: bytes, marked: str) -> None:
    _, excerpt, caret, *_ = parse(text).report.rich(text).splitlines()
    assert excerpt[caret.index("^")] == marked


def test_terminal_gets_colours() -> None:
    first = parse(TEXT, source="a.ign").report.rich(TEXT, colour=True).splitlines()[0]
    assert first == "a.ign:3:33: \x1b[1;31merror\x1b[0m: \x1b[1mpath is not absolute\x1b[0m"


def test_control_characters_of_the_text_do_not_reach_the_terminal() -> None:
    text = b'{"ignition": {"version": "3.5.0"}, "a": "\x7f\xc2\x9b31m"}'
    assert "\x9b" not in parse(text).report.rich(text)


def test_entry_without_position_has_none_in_its_text() -> None:
    assert str(Entry(level="error", path="$.storage", message="m")) == "error at $.storage: m"
    assert str(Entry(level="info", message="m")) == "info: m"
    assert Report(entries=(Entry(level="error", path="$.a", message="m"),), source="s").rich(b"") == "s: error: m\n  at $.a"


def test_only_errors_are_fatal() -> None:
    levels = {level: Report(entries=(Entry(level=level, message="m"),)).fatal for level in ("error", "warning", "info")}
    assert levels == {"error": True, "warning": False, "info": False}


def test_positions_of_many_findings_are_found_in_one_pass() -> None:
    entries = b",\n".join(b'{"path": "/f%d", "mode": 99999}' % number for number in range(500))
    text = b'{"ignition": {"version": "3.6.0"}, "storage": {"files": [\n' + entries + b"]}}"
    found = parse(text).report.entries
    expected = [(number + 2, len(f'{{"path": "/f{number}", "mode": ') + 1) for number in range(500)]
    assert [(entry.line, entry.column) for entry in found] == expected
