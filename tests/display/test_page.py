"""Pages: whole, self-contained, and safe whatever the names in them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ignition.display
from ignition.display import page as pages
from ignition.display.changes import ADDED, CHANGED, GROWN, LOST, MADE, REMOVED, SAME, Change, DiskView, PartView
from ignition.display.page import (
    Changes,
    Column,
    Disks,
    Facts,
    Folded,
    Lane,
    Messages,
    Span,
    Table,
    Tile,
    Timeline,
    page,
    seconds_text,
)
from tests.display.pages import check

HOSTILE = "</p></style><script>alert(1)</script>\" onload='x' &amp;{{ 7*7 }}\x1b[2J\u202e"
GIB = 1 << 30


def sections(name: str) -> list[pages.Section]:
    """One of each kind, with a name in every text."""
    old, new = PartView(1, 0, GIB, label=name, content=name, fate=LOST), PartView(1, 0, GIB, label=name, content=name, fate=MADE)
    root = PartView(2, GIB, GIB, label=name, fate=GROWN)
    return [
        Timeline(name, [Lane(Span(name, 1, 3), [Span(name, 1, 2, "bad")], name), Lane(Span(name, 3, 3.5))], name),
        Disks(name, [DiskView(name, 4 * GIB, [old], [new, root], model=name), DiskView("/dev/b", GIB, [], [])], name),
        Changes(
            name,
            [Change(sign, name, name, place=name, details=[name], diff=[f"+{name}"]) for sign in (ADDED, CHANGED, REMOVED, SAME)],
        ),
        Facts(name, [(name, name)]),
        Messages(name, [(name, name)]),
        Table(name, [Column(name), Column(name, is_number=True, optional=True)], [(name, name)], name),
        Table(name, [Column(name)], [(f"{name}{number}",) for number in range(100)]),
        Folded(name, [Table(name, [Column(name)], [(name,)], name)]),
    ]


@pytest.mark.parametrize("name", ["web-1", HOSTILE])
def test_page_is_whole_and_self_contained(name: str) -> None:
    read = check(page(name, sections(name), kind=name, lead=name, tiles=[Tile(name, name)], footer=name))
    assert not {"\x1b", "\u202e"} & set(read.text)


def test_hostile_names_are_shown_and_do_nothing() -> None:
    text = page("t", sections(HOSTILE))
    read = check(text)
    assert "<script>alert(1)</script>" in read.text
    assert "{{ 7*7 }}" in read.text and "\\x1b[2J\\u202e" in read.text


def test_empty_sections_are_left_out() -> None:
    empty = [Timeline("A", []), Disks("B", []), Changes("C", []), Facts("D", [("x", "")]), Messages("E", []), Table("F", [], [])]
    read = check(page("t", empty))
    assert "section" not in read.elements and "nav" not in read.elements


def test_long_lists_are_folded() -> None:
    short, long = (Table("T", [Column("c")], [("x",)] * number) for number in (40, 41))
    assert ("<details" in page("t", [short]), "<details" in page("t", [long])) == (False, True)


def test_lost_partition_is_said_in_words() -> None:
    read = check(page("t", sections("x")[1:2]))
    assert "lost: 1 x" in read.text  # the description of the drawing
    assert read.text.count("lost") >= 3  # description, title of the segment, row


def test_axis_has_round_numbers_and_every_lane_is_on_it() -> None:
    timeline = Timeline("T", [Lane(Span("a", 100, 103.7)), Lane(Span("b", 103.7, 103.7))])
    assert [text for _, text in timeline.ticks] == ["0 s", "0.5 s", "1 s", "1.5 s", "2 s", "2.5 s", "3 s", "3.5 s"]
    assert [(lane.x, lane.width) for lane in timeline.lanes] == [(0, 100), (99.75, 0.25)]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.00012, "0.12 ms"),
        (0.0123, "12.3 ms"),
        (0.1, "0.10 s"),
        (1.5, "1.50 s"),
        (125, "2 min 5 s"),
        (119.9, "119.90 s"),
    ],
)
def test_durations_are_readable(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text


def colours(scheme: str) -> dict[str, tuple[float, float, float]]:
    """The variables of the style sheet in a scheme."""
    style = (Path(ignition.display.__file__).parent / "templates/style.css").read_text()
    light, dark = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[:2]
    found = dict(re.findall(r"--([\w-]+): #([0-9a-f]{6})", light if scheme == "light" else dark))
    return {name: tuple(int(value[at : at + 2], 16) / 255 for at in (0, 2, 4)) for name, value in found.items()}  # type: ignore[misc]


def luminance(colour: tuple[float, float, float]) -> float:
    """WCAG 2.2, "relative luminance"."""
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


PAIRS = [
    *((text, ground) for text in ("text", "soft", "accent", "good", "note", "bad") for ground in ("ground", "card")),
    ("good", "good-ground"),
    ("note", "note-ground"),
    ("bad", "bad-ground"),
    ("kept", "kept-ground"),
    *(("text", f"{name}-ground") for name in ("kept", "good", "note", "bad")),
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_contrast_is_enough(scheme: str, text: str, ground: str) -> None:
    found = colours(scheme)
    lighter, darker = sorted((luminance(found[text]), luminance(found[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5
