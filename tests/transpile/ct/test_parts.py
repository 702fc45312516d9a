"""Sizes, versions, windows and quoting, each with what is right and what is not."""

import pytest

from ignition.config.record import Record
from ignition.transpile.ct import option_table, translate
from ignition.transpile.ct.model import ContainerLinuxConfig, Locksmith
from ignition.transpile.ct.units import quoted
from ignition.transpile.ct.update import locksmith_findings

SIZES = [
    ("", None),
    ("0", 0),
    ("-0", 0),
    ("0B", 0),
    ("1MiB", 1),
    ("1MB", 1),
    ("+2MiB", 2),
    ("1048576B", 1),
    ("1024KiB", 1),
    ("1024KB", 1),
    ("1GB", 1024),
    ("1.5GiB", 1536),
    (".5GiB", 512),
    ("1.GiB", 1024),
    ("1TiB2MiB", 1048578),
    ("1PiB", 1 << 30),
    ("1EiB", 1 << 40),
]
NO_SIZES = [
    ("1KiB", "invalid dimension (finest granularity is 1MiB)"),
    ("1B", "invalid dimension (finest granularity is 1MiB)"),
    ("8EiB", "invalid dimension (finest granularity is 1MiB)"),
    ("-1MiB", 'invalid dimension (negative): "-1MiB"'),
    ("100", 'units: missing unit in "100"'),
    ("1MiB1", 'units: missing unit in "1MiB1"'),
    ("1mib", 'units: unknown unit mib in "1mib"'),
    ("1Gi", 'units: unknown unit Gi in "1Gi"'),
    ("1 MiB", 'units: missing unit in "1 MiB"'),
    ("1MiB ", 'units: invalid "1MiB "'),
    ("MiB", 'units: invalid "MiB"'),
    (".MiB", 'units: invalid ".MiB"'),
    ("-", 'units: invalid "-"'),
    ("٣MiB", 'units: invalid "٣MiB"'),
]


@pytest.mark.parametrize("text, wanted", SIZES)
def test_size(text: str, wanted: int | None) -> None:
    assert translate.mebibytes(text) == wanted


@pytest.mark.parametrize("text, message", NO_SIZES)
def test_no_size(text: str, message: str) -> None:
    with pytest.raises(translate.NoSize) as caught:
        translate.mebibytes(text)
    assert str(caught.value) == message


VERSIONS = [
    ("3.1.0", (3, 1, 0), "3.1.0"),
    ("03.01.00", (3, 1, 0), "3.1.0"),
    ("3.2.0-rc.1", (3, 2, 0), "3.2.0-rc.1"),
    ("3.2.0+b", (3, 2, 0), "3.2.0+b"),
    ("3.2.0-rc+b", (3, 2, 0), "3.2.0-rc+b"),
    (f"{'1.2.3':0>99}", (1, 2, 3), "1.2.3"),
    (f"{'1.2.3':0>100}", None, "1.2.3"),  # longer than anyone writes
    *((text, None, text) for text in ("", "3", "3.1", "v3.1.0", "3.1.0.0", "3.1.x", "3.1.0-", "٣.1.0", "1." + "9" * 200 + ".0")),
]


@pytest.mark.parametrize("text, numbers, canonical", VERSIONS)
def test_version(text: str, numbers: option_table.Numbers | None, canonical: str) -> None:
    assert option_table.numbers(text) == numbers
    assert option_table.canonical(text) == canonical


STARTS = [
    *((text, "") for text in ("4:00", "04:00", "23:59", "0:00", "Thu 4:00", "sun 23:59", "MON 04:00")),
    *((text, "couldn't parse window start") for text in ("24:00", "4:60", "4:0", "4", "4:00pm", "Thu 4", "Thu ", "٤:00")),
    *((text, "unknown day in window start") for text in ("Thursday 4:00", "x 4:00")),
]


@pytest.mark.parametrize("text, message", STARTS)
def test_window_start(text: str, message: str) -> None:
    found = [one.message for one in locksmith_findings(Locksmith(window_start=text, window_length="1h"))]
    assert found == ([message] if message else [])


LENGTHS = [
    *((text, True) for text in ("1h", "1h30m", "1.5h", "0", "90s", "-1h", "10µs", ".5h")),
    *((text, False) for text in ("1", "1 h", "h", "1d", "1h30")),
]


@pytest.mark.parametrize("text, is_right", LENGTHS)
def test_window_length(text: str, is_right: bool) -> None:
    found = [one.message for one in locksmith_findings(Locksmith(window_start="4:00", window_length=text))]
    assert found == ([] if is_right else ["couldn't parse window length"])


QUOTED = [
    ("", '""'),
    ("a b", '"a b"'),
    ('"', '"\\""'),
    ("\\", '"\\\\"'),
    ("\n\t\r\a\b\f\v", '"\\n\\t\\r\\a\\b\\f\\v"'),
    ("\x00\x1f\x7f", '"\\x00\\x1f\\x7f"'),
    ("é€😀", '"é€😀"'),
    ("\u00a0\u2028\ufeff", '"\\u00a0\\u2028\\ufeff"'),
    ("\U000e0001", '"\\U000e0001"'),
    ("\udcff", '"\\xff"'),
]


@pytest.mark.parametrize("text, wanted", QUOTED)
def test_quoted(text: str, wanted: str) -> None:
    assert quoted(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (" ~", '" ~"'),
        ("\x00\x1f\x7f", r'"\x00\x1f\x7f"'),
        ("\x80\xa0", r'"\u0080\u00a0"'),
        ("\udc80\udcff", r'"\x80\xff"'),
        ("\udc7f\ud800", r'"\udc7f\ud800"'),
        ("\uffff\U00010000\U0010ffff", '"' + r"\uffff" + "\U00010000" + r"\U0010ffff" + '"'),
    ],
)
def test_quoted_as_go_quotes_what_cannot_be_printed(text: str, wanted: str) -> None:
    assert quoted(text) == wanted


def sections(cls: type[Record]) -> set[type[Record]]:
    inner = [field.element for field in cls.FIELDS.values() if field.is_record]
    return {cls}.union(*map(sections, inner))


SECTIONS = sorted(sections(ContainerLinuxConfig), key=lambda cls: str(cls.__name__))


@pytest.mark.parametrize("cls", SECTIONS, ids=[cls.__name__ for cls in SECTIONS])
def test_every_member_may_be_left_out_and_is_zero_then(cls: type[Record]) -> None:
    empty = cls()
    values = {name: getattr(empty, name) for name in cls.FIELDS}
    assert [name for name, value in values.items() if value and not isinstance(value, Record)] == []
    assert [name for name, value in values.items() if isinstance(value, Record) and value != type(value)()] == []
