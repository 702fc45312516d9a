"""Why a text is not JSON: the place where the decoder stopped, and the fix. Only loaded after decoding has failed.

Source: RFC 8259; docs/reference/ignition-config.md §1.3. Texts that are not JSON at all are named by odd_input.
"""

from __future__ import annotations

import json
import re

from ignition.config.report import Path, dotted
from ignition.config.text.odd_input import named
from ignition.patterns import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    Fault = tuple[str, int, str]  # message, offset of the byte, fix

_BLANK = b" \t\r\n"  # what RFC 8259 calls white space
_TOKEN = lazy_pattern(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?P<closed>")?|[{}\[\],]', re.DOTALL)
# Literals, numbers and escapes truncated by the end of the text: the decoder reports them as invalid.
_CUT = lazy_pattern(rb"tr?u?|fa?l?s?|nu?l?|-|\.|[eE][+-]?")
_CUT_ESCAPE = lazy_pattern(rb"\\?u?[0-9A-Fa-f]{0,3}")
_NUMBER = lazy_pattern(rb"(?P<sign>-?)0(?P<base>[oOxXbB]?)(?P<digits>[0-9A-Fa-f]+)\b")  # none that JSON knows
_BASES = {"o": 8, "x": 16, "b": 2}
_WHOLE = "fetch or copy it again, completely, or close the brackets"
_QUOTES = ("‘", "’", "“", "”", "„", "«", "»")


def explained(text: bytes, reason: str) -> Fault:
    """The arguments of json_text.NotJson. `reason` is the message of Python's decoder."""
    if odd := named(text):
        return odd
    if not text.strip(_BLANK):
        return "the text consists of white space", len(text), "fetch or copy it again, completely"
    start = len(text) - len(text.lstrip(_BLANK))
    if not text.startswith((b"{", b"[", b'"'), start):
        if not text.strip(b"\0"):
            return "the text consists of NUL bytes", 0, "write the config there again"
        first = text[start : start + 4].decode("utf-8", "replace")[0]
        message, fix = _habit(text, start, first) or (": the text is not JSON", "a config is a JSON object and begins with {")
        return f"invalid character {first!r}{message}", start, fix
    offset = _error_offset(text)
    rest = text[offset:].strip(_BLANK)
    # The decoder reports a text that ends too early as an invalid escape or literal.
    cut = _CUT_ESCAPE if reason.startswith("Invalid \\") else _CUT
    if not rest or reason.startswith("Unterminated string") or cut.fullmatch(rest):
        return _cut_off(text), len(text.rstrip(_BLANK)) - 1, _WHOLE
    if reason == "Extra data":
        return _extra(rest, offset)
    return _syntax(text, offset, reason)


def _error_offset(text: bytes) -> int:
    """In bytes: decoded as Latin-1, a text has the same structure and one character per byte."""
    try:
        json.loads(text.decode("latin-1"), parse_int=str)
    except json.JSONDecodeError as error:
        rest = text[error.pos :]
        # Python reports the position before white space; the offending character is behind it.
        if error.msg.startswith("Expecting"):
            return error.pos + len(rest) - len(rest.lstrip(_BLANK))
        # Since 3.13 a comma before a closing bracket; before, and in Go, the bracket.
        if error.msg.startswith("Illegal trailing comma"):
            return error.pos + len(rest) - len(rest[1:].lstrip(_BLANK))
        return error.pos
    return 0


def _cut_off(text: bytes) -> str:
    from ignition.config.text.positions import Lines

    path, is_in_string = _open_at_end(text)
    end = len(text.rstrip(_BLANK)) - 1
    line, column = Lines(text).at(end)
    inside = f", inside {dotted(path[:-1])}" if path[:-1] else ""
    brackets = [f"{len(path)} bracket{'s' if len(path) > 1 else ''}"] if path else []
    still = " and ".join([*brackets, *["a string"] * is_in_string]) + (" is" if len(path) + is_in_string == 1 else " are")
    return f"the text is cut off after line {line} column {column}{inside}: {still} open"


def _open_at_end(text: bytes) -> tuple[Path, bool]:
    """The open brackets at the end of the text, each as the index or name being read in it; and whether a string is open."""
    parts: list[str | int] = []
    is_in_string = awaits_name = False
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token in (b"{", b"["):
            parts.append("" if token == b"{" else 0)
            awaits_name = token == b"{"
        elif token in (b"}", b"]"):
            del parts[-1:]
            awaits_name = False
        elif token == b",":
            awaits_name = bool(parts) and isinstance(parts[-1], str)
            if parts and isinstance(parts[-1], int):
                parts[-1] += 1
        else:
            is_in_string = match["closed"] is None
            if awaits_name and parts:
                parts[-1], awaits_name = _name(token), False
    return tuple(parts), is_in_string


def _name(token: bytes) -> str:
    try:
        return str(json.loads(token.decode("utf-8", "replace")))
    except json.JSONDecodeError:
        return ""  # cut in its middle


def _extra(rest: bytes, offset: int) -> Fault:
    if not rest.strip(b"\0"):
        return "NUL bytes follow the config", offset, "remove them"
    if rest[:1] in (b"{", b"["):
        fix = "a config is one JSON object: join them with ignition.config.merge"
        return "another JSON text begins after the end of the config", offset, fix
    if rest[:1] in (b"}", b"]"):
        return "a closing bracket too many", offset, "remove it, or open one before it"
    return "there is text after the end of the config", offset, "a config is one JSON object and nothing else"


def _syntax(text: bytes, offset: int, reason: str) -> Fault:
    character = text[offset : offset + 4].decode("utf-8", "replace")[0]
    what = f"invalid character {character!r}"
    if found := _habit(text, offset, character):
        return f"{what}{found[0]}", offset, found[1]
    if reason.startswith("Expecting property name"):
        return f"{what} where a member's name in double quotes is expected", offset, "names are in double quotes as well"
    expected = {
        "Expecting value": "where a value is expected",
        "Expecting ':' delimiter": "where a colon is expected",
        "Expecting ',' delimiter": "where a comma or the end of the object or list is expected",
        "Invalid control character at": "in a string: it must be written as an escape such as \\n",
    }
    if reason.startswith(("Invalid \\escape", "Invalid \\uXXXX")):
        return f"{what} is not a JSON escape", offset, "a backslash itself is written as \\\\"
    return f"{what} {expected.get(reason, 'here')}", offset, ""


def _habit(text: bytes, offset: int, character: str) -> tuple[str, str] | None:
    """Habits from other languages: the end of the message, and the fix."""
    rest, before = text[offset : offset + 16], text[:offset].rstrip(_BLANK)
    if character in "}]" and before.endswith(b","):
        return " after a comma", "remove the comma"
    if rest.startswith(b",") and text[offset + 1 :].lstrip(_BLANK)[:1] in (b"}", b"]"):
        return " after the last member", "remove the comma"
    if rest.startswith((b"//", b"/*", b"#")):
        return ": a comment", "JSON has no comments; write Butane if you need them"
    if character == "'":
        return ": a single quote", 'JSON has only double quotes: "'
    if character in _QUOTES:
        return ": a typographic quote", 'write it as "'
    if found := _number(text, offset):
        return found
    if re.match(rb"(True|False|None)\b", rest):
        return ": a constant of Python", "write true, false and null in lower case"
    if rest.startswith((b"${", b"{{", b"{%", b"<%")) or (rest.startswith((b"{", b"%")) and before.endswith(b"{")):
        return ": a template's placeholder", "fill in the template first"
    return None


def _number(text: bytes, offset: int) -> tuple[str, str] | None:
    """A number in the syntax of another language, whose first invalid character is at that offset."""
    rest = text[offset : offset + 32]
    if plus := re.match(rb"\+([1-9][0-9]*|0)\b", rest):
        return " where a value is expected", f"write {plus[1].decode()}"
    # The decoder accepts the zero and stops at the digit or letter after it.
    start = offset - 2 if text[offset - 2 : offset] == b"-0" else offset - 1
    number = _NUMBER.match(text, start, start + 32) if offset > 1 and text[offset - 1 : offset] == b"0" else None
    if number is None or text[start - 1 : start].isalnum():
        return None
    sign, base, digits = (part.decode() for part in number.groups())
    path, _ = _open_at_end(text[:start])
    try:
        value = int(digits, _BASES.get(base.lower(), 10))
    except ValueError:
        return None
    message = " in a number" if base else " after a leading zero"
    if path[-1:] == ("mode",) and base.lower() in ("", "o"):
        from ignition.config.suggest import mode

        return message, mode(int(digits)) if digits.isascii() and digits.isdigit() else mode(0)
    return message, f"JSON numbers are decimal: write {sign}{value}" if base else f"write {sign}{value}"
