"""Findings as people at a terminal see them: message, path, the line of the text with a mark below it, fix.

Terminals count in cells: East Asian wide characters take two, combining ones none (Unicode Standard Annex 11). No byte of the
text acts on the terminal: control characters appear as their pictures, other invisible ones and bad UTF-8 as U+FFFD.
"""

from __future__ import annotations

from collections.abc import Iterable

from ignition.config.report import ERROR, INFO, WARNING, Entry, Report
from ignition.config.text.positions import Lines

_COLOURS = {ERROR: "\x1b[1;31m", WARNING: "\x1b[1;33m", INFO: "\x1b[1;36m"}
_BOLD, _FAINT, _FIX, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[1;32m", "\x1b[0m"

WIDTH = 100  # cells of a line that are shown; of a longer one, those around the mark
_TAB = "    "  # a tab has a fixed width here, wherever it is in the line
_CUT = "…"
_PICTURES, _DELETE, _UNKNOWN = 0x2400, "\u2421", "\ufffd"
_MOST_BYTES = 4  # of one character in UTF-8

Span = tuple[int, int]  # offset of the first byte, and of the byte after the last
Cell = tuple[str, int]  # a character as it is shown, and its width in cells


def display(report: Report, text: bytes, *, colour: bool = False) -> str:
    """All findings with their source lines: these may hold secrets, so it never goes into a journal."""
    lines, shown = Lines(text), []
    for entry in report.entries:
        offset = place_in_text(entry, text, lines)
        place = [report.source] if report.source else []
        place += map(str, lines.at(offset)) if offset is not None else ()
        level = _painted(_COLOURS[entry.level], entry.level, colour)
        rule = _painted(_FAINT, f" [{entry.rule}]", colour) if entry.rule else ""
        header = f"{':'.join(place)}{': ' if place else ''}{level}: {_painted(_BOLD, entry.message, colour)}{rule}"
        shown.append("\n".join([header, *context(entry, text, lines, colour=colour)]))
    return "\n\n".join(shown)


def context(entry: Entry, text: bytes, lines: Lines, *, colour: bool) -> list[str]:
    """The lines below a message: path, the line of the text with a mark below it, fix."""
    shown = [f"  at {entry.path}"] if entry.path else []
    offset = place_in_text(entry, text, lines)
    if offset is not None:
        number, _ = lines.at(offset)
        start, end = lines.span(number)
        first, last = entry.extent or (offset, offset)
        if not start <= first < last <= end:  # of a value of several lines, only its place is marked
            first, last = offset, offset + 1
        source_line, mark = excerpt(text, (start, end), (first, last))
        margin = f"{number:5} |"
        shown.append(f"{_painted(_FAINT, margin, colour)} {source_line}")
        below = _painted(_FAINT, "|".rjust(len(margin)), colour)
        shown.append(f"{below} {_painted(_COLOURS[entry.level], mark, colour)}")
    return [*shown, f"  {_painted(_FIX, 'fix', colour)}: {entry.fix}"] if entry.fix else shown


def place_in_text(entry: Entry, text: bytes, lines: Lines) -> int | None:
    """The offset of the byte to show to people: it is in the text, even if the place of the finding is the end of it."""
    if entry.line is None or entry.column is None or not text:
        return None
    if entry.caret is not None:
        return min(entry.caret, len(text) - 1)
    if entry.line == 0:
        return len(text) - 1
    return min(lines.start(entry.line) + entry.column - 1, len(text) - 1)


def _painted(code: str, words: str, colour: bool) -> str:
    return f"{code}{words}{_PLAIN}" if colour else words


def excerpt(text: bytes, line: Span, mark: Span, width: int = WIDTH) -> tuple[str, str]:
    """The line, or the part of it around the mark, and `^~~~` to put below. All offsets are those of the text."""
    first, last = line
    # Of a line break as Windows writes it, both bytes are left out.
    if text.endswith(b"\r", first, last):
        last -= 1
    start = min(mark[0], last)
    end = max(start, min(mark[1], last))
    reach = _MOST_BYTES * width  # enough of a line of megabytes
    before = _cells(_whole(text[max(first, start - reach) : start]), slice(-width - 1, None))
    marked = _cells(text[start : min(end, start + reach)], slice(width + 1))
    after = _cells(text[end : min(last, end + reach)], slice(width + 1))
    # The mark and the text after it come first, but at least half of the width shows the text before.
    room = max(width // 2, width - _width(marked) - _width(after))
    is_cut = start - first > reach or _width(before) > room
    before = _fitting(before[::-1], room - is_cut)[::-1]
    whole = [*before, *marked, *after]
    shown = _fitting(whole, width - is_cut)
    left = _width(before) + is_cut
    # At least one: the end of a line, where something is missing, has no cell of its own.
    marks = max(1, min(_width(marked), _width(shown) - _width(before)))
    ends_early = len(shown) < len(whole) or last > end + reach
    characters = "".join(character for character, _ in shown)
    return f"{_CUT if is_cut else ''}{characters}{_CUT if ends_early else ''}".rstrip(), f"{' ' * left}^{'~' * (marks - 1)}"


def _fitting(cells: list[Cell], width: int) -> list[Cell]:
    used = 0
    for index, (_, own) in enumerate(cells):
        used += own
        if used > width:
            return cells[:index]
    return cells


def _whole(piece: bytes) -> bytes:
    """Without the rest of a character that begins before the piece."""
    index = 0
    while index < len(piece) and index < _MOST_BYTES and piece[index] & 0xC0 == 0x80:
        index += 1
    return piece[index:]


def _cells(piece: bytes, needed: slice) -> list[Cell]:
    """Only the needed part of ASCII, where each character has at least one cell."""
    if piece.isascii():
        return [_ascii(byte) for byte in piece[needed]]
    return [_ascii(ord(character)) if character < "\x80" else _cell(character) for character in piece.decode("utf-8", "replace")]


def _ascii(code: int) -> Cell:
    if code == 0x09:
        return _TAB, len(_TAB)
    if code < 0x20:
        return chr(_PICTURES + code), 1
    return (_DELETE if code == 0x7F else chr(code)), 1


def _cell(character: str) -> Cell:
    import unicodedata

    if not character.isprintable():
        return (" " if unicodedata.category(character) == "Zs" else _UNKNOWN), 1
    if unicodedata.category(character) in ("Mn", "Me"):
        return character, 0
    return character, 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _width(cells: Iterable[Cell]) -> int:
    return sum(width for _, width in cells)
