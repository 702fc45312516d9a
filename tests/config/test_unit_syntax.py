"""Syntax of unit files (verdicts compared with Ignition 2.14)."""

import pytest

from ignition.config import unit_syntax

LONG = "x" * 3000
NO_BRACKET, NO_EQUALS, AFTER = "a section name has no closing bracket", "an option has no =", "text follows a section name"
TOO_LONG = "a line is longer than 2048 bytes"

ROWS = [
    ("", ""),
    ("junk", ""),
    ("junk\n[A]\nb=c", ""),
    ("#x\\\n[A", ""),
    ("[A\nB]\nc=d", ""),
    ("[]\n=", ""),
    ("[A]\nb=", ""),
    ("[A]\nb=c\\\nd", ""),
    ("[A]\nb=c\\\n\nd=e", ""),
    ("[A]\r\nb=c\r\n", ""),
    ("[A]\n\u2003\u2003\n", ""),
    ("[A]\n;x\n #y\nb=c", ""),
    ("[A]\nb=\\\n[C", ""),
    ("[A]\nb=" + "x" * 2040, ""),
    ("[A", NO_BRACKET + " (line 1 of the unit)"),
    ("[A]\nb=c\n[B", NO_BRACKET + " (line 3 of the unit)"),
    ("[A] x", AFTER + " (line 1 of the unit)"),
    ("[A]]\nb=c", AFTER + " (line 1 of the unit)"),
    ("[A]\nb", NO_EQUALS + " (line 2 of the unit)"),
    ("[A]\nb\n=c", NO_EQUALS + " (line 2 of the unit)"),
    ("[A]\nb\r=c", NO_EQUALS + " (line 2 of the unit)"),
    ("[A]\nb=c\\\r\nd", NO_EQUALS + " (line 3 of the unit)"),
    ("[A]\n#" + LONG, TOO_LONG + " (line 2 of the unit)"),
    ("[A]\nb=" + LONG, TOO_LONG + " (line 2 of the unit)"),
    ("[A]\nb=c\\\n" + LONG, TOO_LONG + " (line 3 of the unit)"),
    ("[" + LONG + "]", TOO_LONG + " (line 1 of the unit)"),
]


@pytest.mark.parametrize("contents, problem", ROWS, ids=[repr(contents)[:40] for contents, _ in ROWS])
def test_unit_is_judged(contents: str, problem: str) -> None:
    assert unit_syntax.problem(contents) == problem


def test_options_have_their_section() -> None:
    options = unit_syntax.parse("[A]\n b = c\n[B]\nd=\\\n e=f\ng=h")
    assert [(option.section, option.name) for option in options] == [("A", "b"), ("B", "d"), ("B", "g")]


@pytest.mark.parametrize(
    "contents, can",
    [
        ("[Install]\nWantedBy=x", True),
        ("[Install]\n", False),
        ("[A]\nb=c", False),
        ("[Install", True),
        ("[install]\nWantedBy=x", False),
    ],
)
def test_unit_with_install_option_can_be_enabled(contents: str, can: bool) -> None:
    assert unit_syntax.can_be_enabled(contents) == can


@pytest.mark.parametrize(
    "rest, value",
    [
        ("=c", "c"),
        ("= c \t", "c"),
        ("=", ""),
        ("=c\\\n d \\\n  e", "c  d    e"),
        ("=c\\\n# x\\\n  ;y\\\n d", "c  d"),
        ("=c\r", "c"),
        ("=a=b", "a=b"),
        ("=\udcff", "?"),
    ],
)
def test_value_of_an_option(rest: str, value: str) -> None:
    contents = f"[A]\nb{rest}\n"
    [option] = unit_syntax.parse(contents)[:1]
    assert (option.name, option.value, option.start) == ("b", value, 4)


def test_place_of_an_option_is_in_bytes() -> None:
    assert [option.start for option in unit_syntax.parse("# é\n[A]\n\u2003b=c\nd=e")] == [12, 16]


@pytest.mark.parametrize(
    "contents, has",
    [("[A]\nb=c", True), ("[A]\n# b=c\n", False), ("", False), ("[A", False), ("b=c", False)],
)
def test_unit_with_an_option(contents: str, has: bool) -> None:
    assert unit_syntax.has_options(contents) == has


@pytest.mark.parametrize(
    "contents, fix",
    [
        ("[A", "close it, as in [Service]"),
        ("[A] x", "begin a new line after the ]"),
        ("[A]\nb", "write it as Name=value, or begin a comment with #"),
        ("[A]\n#" + LONG, "break it: a line that ends in \\ goes on in the next one"),
    ],
)
def test_fault_has_a_fix(contents: str, fix: str) -> None:
    found = unit_syntax.fault(contents)
    assert found and found.fix == fix


def test_line_may_have_one_byte_less_than_the_limit() -> None:
    for length in (2047, 2048, 2049):
        assert bool(unit_syntax.problem("[A]\n#" + "x" * (length - 1))) == (length >= 2048), length
