"""What a terminal shows of a line, and that the mark stands below the right cells."""

import unicodedata

import pytest

from ignition.config.text.display import WIDTH, excerpt


def of(line: bytes, marked: bytes, width: int = WIDTH) -> tuple[str, str]:
    text = b"{\n" + line + b"\n}"
    start = text.index(marked)
    return excerpt(text, (2, 2 + len(line)), (start, start + len(marked)), width)


def cells(text: str) -> int:
    return sum(0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


@pytest.mark.parametrize(
    "line, shown, marks",
    [
        pytest.param("a <1> b", "a <1> b", "  ^~~", id="plain"),
        pytest.param("\t<1>", "    <1>", "    ^~~", id="tab before"),
        pytest.param("<\t>", "<    >", "^~~~~~", id="tab within"),
        pytest.param("é<é>", "é<é>", " ^~~", id="two bytes, one cell"),
        pytest.param("日本<語>", "日本<語>", "    ^~~~", id="wide"),
        pytest.param("e\u0301<a\u0300>", "e\u0301<a\u0300>", " ^~~", id="combining"),
        pytest.param("😀<1>", "😀<1>", "  ^~~", id="beyond the basic plane"),
        pytest.param("\x1b[31m<1>", "␛[31m<1>", "     ^~~", id="escape"),
        pytest.param("\x7f<\x00>\x9b", "␡<␀>�", " ^~~", id="other controls"),
        pytest.param("\u202e<1>\u200b\xa0|", "�<1>�\xa0|".replace("\xa0", " "), " ^~~", id="invisible"),
        pytest.param("<1>\r", "<1>", "^~~", id="CRLF"),
        pytest.param("a\r<1>", "a␍<1>", "  ^~~", id="carriage return inside"),
        pytest.param("<1>   ", "<1>", "^~~", id="blanks at the end"),
    ],
)
def test_mark_stands_below_what_is_wrong(line: str, shown: str, marks: str) -> None:
    start, end = line.index("<"), line.index(">") + 1
    assert of(line.encode(), line[start:end].encode()) == (shown, marks)


def test_bad_utf_8_is_shown_as_such() -> None:
    assert of(b"\xff\xc3<1>\xe6\x97", b"<1>") == ("��<1>�", "  ^~~")


def test_empty_mark_is_one_cell() -> None:
    assert excerpt(b"ab", (0, 2), (1, 1)) == ("ab", " ^")
    assert excerpt(b"", (0, 0), (0, 0)) == ("", "^")


@pytest.mark.parametrize("before", ["x", "é", "日", "e\u0301", "\x01"])
@pytest.mark.parametrize("count", [0, 9, 10, 11, 12, 40, 41, 399, 400, 401, 9999])
def test_long_line_is_cut_around_the_mark(before: str, count: int) -> None:
    line = f"{before * count}<1>{before * count}".encode()
    shown, marks = of(line, b"<1>", width=20)
    assert cells(shown) <= 20 + 1
    assert marks.endswith("^~~")
    column = cells(marks) - 3
    left = next(index for index in range(len(shown) + 1) if cells(shown[:index]) == column and shown[index] == "<")
    assert shown[left:].startswith("<1>")
    assert (count < 9) == ("…" not in shown)


def test_mark_of_a_long_value_ends_where_the_line_is_cut() -> None:
    shown, marks = of(b"ab<" + b"1" * 5000 + b">cd", b"<" + b"1" * 5000 + b">", width=20)
    assert shown == "ab<" + "1" * 17 + "…"
    assert marks == "  ^" + "~" * 17
