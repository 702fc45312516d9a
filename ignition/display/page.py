"""Pages for people: one file of HTML each, with everything in it. It opens without a network, and fits into a mail or ticket.

    text = page("First boot of web-1", [Facts("Machine", rows), Disks("Disks", views), Changes("Entries", changes)])

A page is a list of sections, each with its template in `templates/`; a section without content is left out. The templates
escape every text, and show unprintable characters as escapes. Drawings are SVG with a title and a description, and a table
beside them says the same. Colours follow the reader's scheme, light or dark; none says anything that a word or a sign does not
say as well.

Needs jinja2, which only workstations and running machines have: nothing of a boot imports this module.
"""

from __future__ import annotations

from ignition import __version__
from ignition.display import bars
from ignition.display.changes import ADDED, CHANGED, REMOVED, SAME
from ignition.host.devices import in_words
from ignition.host.printable import MOST_OF_A_LINE, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from ignition.display.changes import Change, DiskView, PartView

PLAIN, GOOD, NOTE, BAD = "plain", "good", "note", "bad"  # tones, each with a colour
_NARROWEST = 0.05  # of a bar: its number is still readable on a telephone
_WIDE, _MIDDLE = 0.3, 0.12  # of a bar: a label fits on every screen, or on a wide one
_MOST_OPEN = 40  # rows of a table that are shown without being asked for
_WORDS = {ADDED: "add", CHANGED: "change", REMOVED: "remove", SAME: "same"}


class Tile:
    """A figure at the top of a page, such as `Tile("3", "changes")`."""

    __slots__ = ("label", "tone", "value")

    def __init__(self, value: str, label: str, tone: str = PLAIN) -> None:
        self.value, self.label, self.tone = value, label, tone


class Section:
    """A part of a page with its heading. `lead`: a sentence below it."""

    template = ""

    def __init__(self, title: str, lead: str = "") -> None:
        self.title, self.lead = title, lead

    def __bool__(self) -> bool:
        """Whether there is anything to show."""
        return True


class Facts(Section):
    """Terms and what they are; rows without a value are left out."""

    template = "facts.html"

    def __init__(self, title: str, facts: Iterable[tuple[str, str]], lead: str = "") -> None:
        super().__init__(title, lead)
        self.facts = [(term, value) for term, value in facts if value]

    def __bool__(self) -> bool:
        return bool(self.facts)


class Messages(Section):
    """Warnings or failures: (text, where it comes from), all in one tone."""

    template = "messages.html"

    def __init__(self, title: str, messages: Iterable[tuple[str, str]], tone: str = NOTE, lead: str = "") -> None:
        super().__init__(title, lead)
        self.messages, self.tone = list(messages), tone

    def __bool__(self) -> bool:
        return bool(self.messages)


class Column:
    """A column of a table. `is_number`: set to the right. `is_code`: names and paths.

    `optional`: on a narrow screen its text is below the first cell.
    """

    __slots__ = ("is_code", "is_number", "optional", "title")

    def __init__(self, title: str, *, is_number: bool = False, is_code: bool = False, optional: bool = False) -> None:
        self.title, self.is_number, self.is_code, self.optional = title, is_number, is_code, optional

    @property
    def classes(self) -> str:
        """Those of the style sheet."""
        classes = {"number": self.is_number, "code": self.is_code, "optional": self.optional}
        return " ".join(name for name, wanted in classes.items() if wanted)


class Table(Section):
    """Rows of texts, one for each column; the first cell of a row is its heading. A long table is folded.

    `tones`: that of the last cell of each row.
    """

    template = "table.html"

    def __init__(
        self,
        title: str,
        columns: Sequence[Column],
        rows: Iterable[Sequence[str]],
        lead: str = "",
        *,
        caption: str = "",
        tones: Sequence[str] = (),
    ) -> None:
        super().__init__(title, lead)
        self.columns, self.rows, self.caption = columns, list(rows), caption or title
        tones = tones or [PLAIN] * len(self.rows)
        self.drawn = [(list(zip(columns, row, strict=True)), tone) for row, tone in zip(self.rows, tones, strict=True)]

    @property
    def is_long(self) -> bool:
        """Whether the reader opens it."""
        return len(self.rows) > _MOST_OPEN

    def __bool__(self) -> bool:
        return bool(self.rows)


class Folded(Section):
    """Tables that the reader opens one by one; the lead of each is beside its title."""

    template = "folded.html"

    def __init__(self, title: str, tables: Iterable[Table], lead: str = "") -> None:
        super().__init__(title, lead)
        self.tables = [table for table in tables if table]

    def __bool__(self) -> bool:
        return bool(self.tables)


class Changes(Section):
    """Entries of a root with their signs, details, places and diffs."""

    template = "changes.html"

    def __init__(self, title: str, changes: Iterable[Change], lead: str = "") -> None:
        super().__init__(title, lead)
        self.changes = list(changes)
        self.words = _WORDS

    @property
    def counts(self) -> list[tuple[str, str, int]]:
        """(sign, word, number) of the entries, without those of which there are none."""
        signs = [change.sign for change in self.changes]
        return [(sign, word, signs.count(sign)) for sign, word in _WORDS.items() if sign in signs]

    @property
    def is_long(self) -> bool:
        """Whether the reader opens it."""
        return len(self.changes) > _MOST_OPEN

    def __bool__(self) -> bool:
        return bool(self.changes)


class Disks(Section):
    """Disks before and after, as bars and as tables."""

    template = "disks.html"

    def __init__(self, title: str, disks: Iterable[DiskView], lead: str = "") -> None:
        super().__init__(title, lead)
        self.disks = [_DrawnDisk(disk) for disk in disks]

    def __bool__(self) -> bool:
        return bool(self.disks)


class _DrawnDisk:
    """A disk for its template: texts, bars and rows."""

    def __init__(self, disk: DiskView) -> None:
        self.device, self.model, self.size = disk.device, disk.model, in_words(disk.size)
        self.bars = [("Before", _drawn(disk.before, disk.size)), ("After", _drawn(disk.after, disk.size))]
        self.rows = [_DrawnRow(row) for row in bars.rows(disk)]
        lost = [row.name for row in self.rows if row.fate == "lost"]
        self.description = f"{len(disk.before)} partitions before, {len(disk.after)} after"
        self.description += f"; lost: {', '.join(lost)}." if lost else "; none is lost."


class _DrawnRow:
    """One partition for the table: `size` in words, with the earlier one if it is another."""

    def __init__(self, row: bars.PartRow) -> None:
        part, before = row.shown, row.before
        self.number = str(part.number) if part.number else "whole disk"
        self.label, self.content, self.fate = part.label, part.content, row.fate
        self.name = " ".join(word for word in (self.number, part.label) if word)
        self.size = in_words(part.size)
        self.was = in_words(before.size) if before and row.after and before.size != part.size else ""
        self.sign = bars.SIGNS.get(row.fate, SAME)


class _DrawnSegment:
    """One rectangle of a bar; `x` and `width` in per cent. `room` is a class of the style sheet: how much of its text fits."""

    def __init__(self, segment: bars.Segment) -> None:
        self.x, self.width = round(segment.begin * 100, 3), round(segment.width * 100, 3)
        self.part = segment.part
        self.fate = segment.part.fate if segment.part else "free"
        self.sign = bars.SIGNS.get(self.fate, "")
        self.room = "wide" if segment.width >= _WIDE else "middle" if segment.width >= _MIDDLE else "narrow"

    @property
    def title(self) -> str:
        """Its full description, for a pointer above it."""
        part = self.part
        if part is None:
            return "free space"
        words = [f"partition {part.number}" if part.number else "whole disk", part.label, in_words(part.size), part.content]
        return f"{', '.join(word for word in words if word)}: {part.fate}"


def _drawn(parts: Sequence[PartView], size: int) -> list[_DrawnSegment]:
    return [_DrawnSegment(segment) for segment in bars.segments(parts, size, _NARROWEST)]


class Span:
    """Something that took time, for a timeline: `begin` and `end` in seconds on one clock. `tone` is its result's."""

    __slots__ = ("begin", "end", "name", "tone")

    def __init__(self, name: str, begin: float, end: float, tone: str = PLAIN) -> None:
        self.name, self.begin, self.end, self.tone = name, begin, end, tone


class Lane:
    """A line of a timeline: a span with the spans inside it; `note` is a word beside its duration."""

    __slots__ = ("inner", "note", "span")

    def __init__(self, span: Span, inner: Sequence[Span] = (), note: str = "") -> None:
        self.span, self.inner, self.note = span, list(inner), note


class Timeline(Section):
    """Lanes below each other on a common axis, and the same as a table."""

    template = "timeline.html"
    most_inner = 300  # spans that are drawn in a lane: the longest

    def __init__(self, title: str, lanes: Iterable[Lane], lead: str = "") -> None:
        super().__init__(title, lead)
        shown = list(lanes)
        self.begin = min((lane.span.begin for lane in shown), default=0.0)
        self.length = max((lane.span.end for lane in shown), default=0.0) - self.begin or 1.0
        self.lanes = [_DrawnLane(lane, self) for lane in shown]
        self.ticks = _ticks(self.length)

    def __bool__(self) -> bool:
        return bool(self.lanes)

    def place(self, span: Span) -> tuple[float, float]:
        """Its begin and width in per cent; so wide that it is seen."""
        width = max(0.25, (span.end - span.begin) / self.length * 100)
        return round(min((span.begin - self.begin) / self.length * 100, 100 - width), 3), round(width, 3)


class _DrawnLane:
    """A lane for its template. `rows` has the inner spans so that those of a row do not overlap: they ran at the same time."""

    def __init__(self, lane: Lane, timeline: Timeline) -> None:
        self.span, self.note = lane.span, lane.note
        self.seconds = seconds_text(lane.span.end - lane.span.begin)
        self.offset = seconds_text(lane.span.begin - timeline.begin)
        self.count = len(lane.inner)
        self.x, self.width = timeline.place(lane.span)
        longest = sorted(lane.inner, key=lambda span: span.begin - span.end)[: timeline.most_inner]
        self.inner = [(*timeline.place(span), span, seconds_text(span.end - span.begin)) for span in longest]
        self.inner.sort(key=lambda drawn: drawn[0])


def _ticks(length: float) -> list[tuple[float, str]]:
    """(per cent, text) of the axis: four to nine round numbers of seconds."""
    step = next(step for step in _steps() if length / step <= 8)
    count = int(length / step)
    return [(round(index * step / length * 100, 3), f"{index * step:g} s") for index in range(count + 1)]


def _steps() -> Iterable[float]:
    exponent = -3
    while True:
        yield from (float(f"{factor}e{exponent}") for factor in (1, 2, 5))
        exponent += 1


def seconds_text(seconds: float) -> str:
    """A duration: `3 ms`, `1.25 s`, `2 min 5 s`."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.3g} ms" if seconds else "0 s"
    if seconds < 120:
        return f"{seconds:.2f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def page(
    title: str,
    sections: Iterable[Section],
    *,
    kind: str = "",
    lead: str = "",
    tiles: Sequence[Tile] = (),
    footer: str = "",
) -> str:
    """A whole page. `kind`: what it is, above the title ("first boot"). `tiles`: figures below it."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("ignition.display"),  # also from the one file of `make zipapp`
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shown = [section for section in sections if section]
    return environment.get_template("page.html").render(
        title=title,
        kind=kind,
        lead=lead,
        tiles=tiles,
        sections=[(f"section-{number}", section) for number, section in enumerate(shown, start=1)],
        footer=footer or f"Made by Ignition {__version__}.",
    )


def _printable(value: Any) -> Any:
    """Every text that a template shows: an unprintable character becomes its escape. Texts of templates are marked as safe."""
    return printable(value, MOST_OF_A_LINE) if type(value) is str else value
