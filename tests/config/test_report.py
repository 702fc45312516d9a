"""The report for machines and for people."""

import pytest

from ignition.config.parse import parse
from ignition.config.report import Entry, Report
from ignition.config.text.display import display

TEXT = b"""{
  "ignition": {"version": "3.5.0"},
\t"storage": {"files": [{"path": "\xc3\xa9tc", "contents": {"sources": "data:,"}}]}
}
"""


def test_rich_report_has_file_line_mark_and_fix() -> None:
    assert display(parse(TEXT, source="a.ign").report, TEXT).splitlines() == [
        "a.ign:3:33: error: path is not absolute [N2]",
        "  at $.storage.files.0.path",
        '    3 |     "storage": {"files": [{"path": "étc", "contents": {"sources": "data:,"}}]}',
        "      |                                    ^~~~~",
        "  fix: write /étc",
        "",
        "a.ign:3:54: warning: unknown key sources: ignored [X2]",
        "  at $.storage.files.0.contents.sources",
        '    3 |     "storage": {"files": [{"path": "étc", "contents": {"sources": "data:,"}}]}',
        "      |                                                        ^~~~~~~~~",
        "  fix: did you mean source?",
    ]


@pytest.mark.parametrize(
    "member, marked",
    [
        pytest.param('"files": [{"path": "a"}]', '"a"', id="string"),
        pytest.param('"files": [{"path": "/a", "mode": -12}]', "-12", id="number"),
        pytest.param('"raid": [{"name": "r", "level": "1", "devices": [ ]}]', "[ ]", id="container: all of it"),
        pytest.param('"raid": [{"name": "r", "level": "1",\n"devices": [\n]}]', "^", id="container of more lines: its place"),
        pytest.param('"links": [{"path": "/a"}]', "^", id="member that is not there: the place only"),
        pytest.param('"files": [{"path": "/a", "mode": "x"}]', '"x"', id="wrong type: the value"),
        pytest.param('"files": [{"path": "/a", "mod\\u0065s": 1}]', '"mod\\u0065s"', id="unknown key: as written"),
    ],
)
def test_mark_is_as_long_as_what_is_wrong(member: str, marked: str) -> None:
    text = f'{{"ignition": {{"version": "3.6.0"}}, "storage": {{\n{member}}}}}'.encode()
    lines = display(parse(text).report, text).splitlines()
    [below] = [number for number, line in enumerate(lines) if line.lstrip(" |").startswith("^")]
    mark = lines[below].lstrip(" |")
    assert mark == "^" + "~" * (len(marked) - 1)
    assert marked == "^" or lines[below - 1][lines[below].index("^") :].startswith(marked)


def test_long_line_is_cut_around_the_caret() -> None:
    text = b'{"ignition": {"version": "3.5.0"}, "storage": {"files": [%s{"path": "a"}%s]}}' % (b" " * 9999, b" " * 9999)
    *_, excerpt, caret, _ = display(parse(text).report, text).splitlines()
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
    excerpt, caret = [line for line in display(parse(text).report, text).splitlines() if " |" in line]
    assert excerpt[caret.index("^")] == marked


def test_terminal_gets_colours() -> None:
    lines = display(parse(TEXT, source="a.ign").report, TEXT, colour=True).splitlines()
    assert lines[0] == "a.ign:3:33: \x1b[1;31merror\x1b[0m: \x1b[1mpath is not absolute\x1b[0m\x1b[2m [N2]\x1b[0m"
    assert lines[3] == f"\x1b[2m      |\x1b[0m \x1b[1;31m{' ' * 35}^~~~~\x1b[0m"
    assert lines[4] == "  \x1b[1;32mfix\x1b[0m: write /étc"
    assert lines[6].startswith("a.ign:3:54: \x1b[1;33mwarning\x1b[0m: ")


def test_control_characters_of_the_text_do_not_reach_the_terminal() -> None:
    text = b'{"ignition": {"version": "3.5.0"}, "a": "\x7f\xc2\x9b31m"}'
    assert "\x9b" not in display(parse(text).report, text)


def test_entry_without_position_has_none_in_its_text() -> None:
    assert str(Entry(level="error", path="$.storage", message="m")) == "error at $.storage: m"
    assert str(Entry(level="info", message="m")) == "info: m"
    assert display(Report(entries=(Entry(level="error", path="$.a", message="m"),), source="s"), b"") == "s: error: m\n  at $.a"


def test_only_errors_are_fatal() -> None:
    levels = {level: Report(entries=(Entry(level=level, message="m"),)).fatal for level in ("error", "warning", "info")}
    assert levels == {"error": True, "warning": False, "info": False}


def test_positions_of_many_findings_are_found_in_one_pass() -> None:
    entries = b",\n".join(b'{"path": "/f%d", "mode": 99999}' % number for number in range(500))
    text = b'{"ignition": {"version": "3.6.0"}, "storage": {"files": [\n' + entries + b"]}}"
    found = parse(text).report.entries
    expected = [(number + 2, len(f'{{"path": "/f{number}", "mode": ') + 1) for number in range(500)]
    assert [(entry.line, entry.column) for entry in found] == expected
