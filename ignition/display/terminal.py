"""Changes and disks as lines for a terminal, with or without colours. A sign says what a colour says: neither is needed alone.

No text acts on the terminal: names come from configs, and labels from disks (ignition/host/printable.py).
"""

from __future__ import annotations

from ignition.display import bars
from ignition.display.changes import ADDED, CHANGED, GROWN, KEPT, LOST, MADE, REMOVED, SAME, SHRUNK
from ignition.host.devices import in_words
from ignition.host.printable import MOST_OF_A_LINE, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ignition.display.changes import Change, DiskView, PartView

BOLD, FAINT, RED, GREEN, YELLOW = "1", "2", "31", "32", "33"
RED_BAR, GREEN_BAR, YELLOW_BAR, GREY_BAR = "97;41", "30;42", "30;43", "97;100"
_OF_SIGN = {ADDED: GREEN, CHANGED: YELLOW, REMOVED: RED, SAME: FAINT}
_OF_FATE = {LOST: f"{BOLD};{RED}", MADE: GREEN, GROWN: YELLOW, SHRUNK: YELLOW, KEPT: ""}
_BAR_OF_FATE = {LOST: RED_BAR, MADE: GREEN_BAR, GROWN: YELLOW_BAR, SHRUNK: YELLOW_BAR, KEPT: GREY_BAR}
_FILL = {LOST: "×", MADE: "+", GROWN: "~", SHRUNK: "~", KEPT: "─"}
_FREE = "·"
_INDENT = "  "
_LEAST_WIDTH = 40  # columns of a bar with its title
_LEAST_CELLS = 3  # of a segment: its border, its number, and a cell of its filling
_WIDEST_NAME = 40  # columns of names; a longer one pushes the other columns to the right


def painted(text: str, style: str, colour: bool) -> str:
    """The text in a style (parameters of SGR, ECMA-48 §8.3.117), or unchanged."""
    return f"\x1b[{style}m{text}\x1b[0m" if colour and style and text else text


def change_lines(changes: Iterable[Change], colour: bool) -> list[str]:
    """Entries in columns, a line each: sign, kind, name, details, place; below it the lines of the diff."""
    shown = list(changes)
    kinds = max((len(printable(change.kind)) for change in shown), default=0)
    names = min(_WIDEST_NAME, max((len(printable(change.name)) for change in shown), default=0))
    lines = []
    for change in shown:
        style = _OF_SIGN[change.sign]
        head = f"{change.sign} {printable(change.kind):<{kinds}}  {printable(change.name):<{names}}"
        details = printable(", ".join(change.details), MOST_OF_A_LINE)
        place = f"  ({printable(change.place)})" if change.place else ""
        line = painted(head if details or place else head.rstrip(), style, colour)
        lines.append(f"{line}{f'  {details}' if details else ''}{painted(place, FAINT, colour)}")
        lines += [_diff_line(text, colour) for text in change.diff]
    return lines


def _diff_line(text: str, colour: bool) -> str:
    style = {"+": GREEN, "-": RED, "@": FAINT}.get(text[:1], "")
    return f"{_INDENT * 2}{painted(printable(text, MOST_OF_A_LINE), style, colour)}"


def disk_lines(disk: DiskView, width: int, colour: bool) -> list[str]:
    """A disk: its name, a bar before and one after, of `width` columns with their titles, and a line for each partition."""
    model = f", {printable(disk.model)}" if disk.model else ""
    title = painted(printable(disk.device), BOLD, colour)
    cells = max(width, _LEAST_WIDTH) - len(f"{_INDENT}before  ") - 1
    return [
        f"{title}, {in_words(disk.size)}{model}",
        f"{_INDENT}before  {_bar(disk.before, disk.size, cells, colour)}",
        f"{_INDENT}after   {_bar(disk.after, disk.size, cells, colour)}",
        *_part_lines(disk, colour),
    ]


def _bar(parts: Sequence[PartView], size: int, cells: int, colour: bool) -> str:
    """A bar of that many cells, and the border at its end. A partition has its number and as much of its label as fits."""
    bar = ""
    for segment in bars.segments(parts, size, _LEAST_CELLS / cells):
        begin, end = round(segment.begin * cells), round((segment.begin + segment.width) * cells)
        room = max(0, end - begin - 1)
        if segment.part is None:
            bar += "│" + painted(_FREE * room, FAINT, colour)
            continue
        fate = segment.part.fate
        text = f"{_name(segment.part)} "[:room]
        bar += "│" + painted(text.ljust(room, " " if colour else _FILL[fate]), _BAR_OF_FATE[fate], colour)
    return f"{bar}│"


def _name(part: PartView) -> str:
    label = printable(part.label or part.content)
    return f"{part.number} {label}".strip() if part.number else label


def _part_lines(disk: DiskView, colour: bool) -> list[str]:
    rows = bars.rows(disk)
    columns = [_columns(row) for row in rows]
    widths = [max((len(line[index]) for line in columns), default=0) for index in range(4)]
    lines = []
    for row, line in zip(rows, columns, strict=True):
        padded = "  ".join(text.ljust(widths[index]) for index, text in enumerate(line[:4]))
        fate = line[4].upper() if row.fate == LOST else line[4]
        lines.append(painted(f"{_INDENT}{bars.SIGNS.get(row.fate, ' ')} {padded}  {fate}", _OF_FATE[row.fate], colour))
    return lines


def _columns(row: bars.PartRow) -> tuple[str, str, str, str, str]:
    part, before = row.shown, row.before
    size = in_words(part.size)
    if before and row.after and before.size != part.size:
        size = f"{in_words(before.size)} → {size}"
    number = str(part.number) if part.number else "-"
    return number, printable(part.label), size, printable(part.content), row.fate
