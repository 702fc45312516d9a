"""A line of a text as a terminal shows it, with a mark under some of its bytes.

Terminals count in cells: East Asian wide characters take two, combining ones none (Unicode Standard Annex 11). Nothing of the
text acts on the terminal: control characters appear as their pictures, other invisible ones and bad UTF-8 as U+FFFD.
"""

from __future__ import annotations

from collections.abc import Iterable

WIDTH = 100  # cells of a line that are shown; of a longer one, those around the mark
_TAB = "    "  # whatever a tab means where the text was written, it is as wide as this here
_CUT = "…"
_PICTURES, _DELETE, _UNKNOWN = 0x2400, "\u2421", "\ufffd"
_MOST_BYTES = 4  # of one character in UTF-8

Span = tuple[int, int]  # offset of the first byte, and of the byte after the last
Cell = tuple[str, int]  # what is shown of one character, and how many cells wide it is


def excerpt(text: bytes, line: Span, mark: Span, width: int = WIDTH) -> tuple[str, str]:
    """The line, or what is around the mark in it, and `^~~~` to put below. All offsets are those of the text."""
    first, last = line
    if text.endswith(b"\r", first, last):
        last -= 1
    start = min(mark[0], last)
    end = max(start, min(mark[1], last))
    reach = _MOST_BYTES * width  # of a line of megabytes, only this much is looked at
    before = _cells(_whole(text[max(first, start - reach) : start]), slice(-width - 1, None))
    marked = _cells(text[start : min(end, start + reach)], slice(width + 1))
    after = _cells(text[end : min(last, end + reach)], slice(width + 1))
    room = max(width // 2, width - _width(marked) - _width(after))
    is_cut = start - first > reach or _width(before) > room
    before = _fitting(before[::-1], room - is_cut)[::-1]
    whole = [*before, *marked, *after]
    shown = _fitting(whole, width - is_cut)
    left = _width(before) + is_cut
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
    """Of ASCII, where no character is narrower than a cell, only the needed part."""
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
