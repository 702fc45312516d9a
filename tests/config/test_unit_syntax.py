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
