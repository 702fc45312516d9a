"""Reports as Butane prints them."""

from ignition.config.report import ERROR, WARNING, Entry, Report
from ignition.transpile.butane.result import pretty, raw

TEXT = "a: 1\nbü: x\u0007 y\n\tc: 2\r\nd: 3\n" + "e\n" * 8


def shown(*entries: Entry) -> str:
    return pretty(Report(entries=entries, source="f.bu"), TEXT.encode(), colour=False)


def entry(line: int | None, column: int | None, path: str = "$.b", fix: str = "") -> Entry:
    return Entry(level=ERROR, message="wrong", path=path, line=line, column=column, fix=fix)


def test_columns_are_bytes_and_carets_are_cells() -> None:
    assert shown(entry(2, 6, fix="do")) == (
        "error[$.b]:\n  --> f.bu:2:6\n   |\n 1 | a: 1\n 2 | bü: x\ufffd y\n   |     ^^ wrong\n 3 |  c: 2\n 4 | d: 3\n   |\n"
        "   = fix: do\n"
    )


def test_line_numbers_are_as_wide_as_the_last_one() -> None:
    assert shown(entry(8, 1, path="$")) == (
        "error:\n  --> f.bu:8:1\n    |\n  6 | e\n  7 | e\n  8 | e\n    | ^ wrong\n  9 | e\n 10 | e\n    |\n"
    )


def test_entries_are_apart() -> None:
    assert "   |\n\nerror[$.b]:\n" in shown(entry(1, 1), entry(2, 1))


def test_without_a_place_there_is_one_line() -> None:
    assert shown(entry(None, None)) == "error at $.b: wrong\n"
    assert shown(entry(0, 0)) == "error at $.b, line 0 col 0: wrong\n"
    assert shown(entry(1, 9)) == "error at $.b, line 1 col 9: wrong\n"
    assert shown(Entry(level=WARNING, message="odd")) == "warning: odd\n"


def test_raw_is_one_line_each() -> None:
    assert raw(Report(entries=(entry(1, 2), entry(None, None)))) == "error at $.b, line 1 col 2: wrong\nerror at $.b: wrong\n"
    assert raw(Report()) == ""
