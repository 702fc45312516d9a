"""Command-line flags as Go's flag package reads them, because the units and scripts of the field write them that way.

`-x` and `--x` are the same; a value follows as `-x=v` or `-x v`; booleans are `-x` or `-x=false`; reading stops at the first
argument that is no flag, or after `--`. (argparse cannot: it has no single dash for long names and reads options everywhere.)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

_TRUE, _FALSE = ("1", "t", "T", "true", "TRUE", "True"), ("0", "f", "F", "false", "FALSE", "False")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def wants_colour(stream: TextIO) -> bool:
    """Whether a report on that stream has colours: on a terminal that has some, unless the person has said no (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class UsageError(Exception):
    """The command line cannot be understood; the message says what and which flag."""


class Flag:
    """One row of a program's table of flags: the parser, `--help` and the manual page all come from it.

    A flag whose default is a tuple may be given several times; its values are gathered.
    """

    def __init__(self, name: str, default: object, doc: str, *, value: str = "", parse: Callable[[str], Any] = str) -> None:
        self.name, self.default, self.doc, self.parse = name, default, doc, parse
        self.value = value  # what the help calls the value; "" for booleans

    @property
    def is_boolean(self) -> bool:
        """Booleans take a value only after `=`."""
        return isinstance(self.default, bool)


def read(table: Sequence[Flag], arguments: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Values by flag name, defaults included, and the arguments that are left. Raises UsageError."""
    values: dict[str, Any] = {flag.name: flag.default for flag in table}
    rest = list(arguments)
    _take(table, rest, values)
    return values, rest


def read_anywhere(table: Sequence[Flag], arguments: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """As `read`, but flags may also follow arguments, up to `--`: for commands that people type."""
    values: dict[str, Any] = {flag.name: flag.default for flag in table}
    words: list[str] = []
    rest = list(arguments)
    while not _take(table, rest, values) and rest:
        words.append(rest.pop(0))
    return values, words + rest


def _take(table: Sequence[Flag], rest: list[str], values: dict[str, Any]) -> bool:
    """Move the flags at the front of `rest` into `values`; whether `--` ended them."""
    flags = {flag.name: flag for flag in table}
    while rest and len(rest[0]) > 1 and rest[0].startswith("-"):
        word = rest.pop(0)
        if word == "--":
            return True
        name, equals, value = word.removeprefix("-").removeprefix("-").partition("=")
        flag = flags.get(name)
        if flag is None:
            raise UsageError(f"unknown flag {word.partition('=')[0]}")
        if not equals and not flag.is_boolean:
            if not rest:
                raise UsageError(f"flag {word} needs a value: {flag.value}")
            value = rest.pop(0)
        given = value_of(flag, value if equals or not flag.is_boolean else "true")
        values[name] = (*values[name], given) if isinstance(flag.default, tuple) else given
    return False


def help_text(usage: str, table: Sequence[Flag]) -> str:
    """The usage line and one paragraph per flag."""
    lines = [usage, "", "Flags, with one dash or two:"]
    for flag in table:
        default = "" if flag.default in ("", False, None, ()) else f" (default {flag.default})"
        lines += [f"  -{flag.name} {flag.value}".rstrip(), f"        {flag.doc}{default}"]
    return "\n".join(lines)


_LONGEST_S = (2**63 - 1) / 1e9  # of Go's time.Duration


def duration_s(text: str) -> float:
    """Seconds of a Go duration: `90s`, `1h2m`, `1.5m`, `300ms`. Raises ValueError."""
    rest, seconds = text, 0.0
    if rest == "0":
        return 0.0
    if not rest:
        raise ValueError("empty duration")
    while rest:
        digits = len(rest) - len(rest.lstrip("0123456789."))
        letters = len(rest[digits:]) - len(rest[digits:].lstrip("nuµmsh"))
        number, unit = rest[:digits], rest[digits : digits + letters]
        if unit not in _UNITS:
            raise ValueError(f"{text!r} is no duration such as 90s or 1h2m")
        seconds += float(number) * _UNITS[unit]
        rest = rest[digits + letters :]
    if seconds > _LONGEST_S:
        raise ValueError("a duration of more than 292 years")
    return seconds


def value_of(flag: Flag, text: str) -> object:
    if flag.is_boolean:
        if text in _TRUE:
            return True
        if text in _FALSE:
            return False
        raise UsageError(f"flag -{flag.name}: {text!r} is neither true nor false")
    try:
        return flag.parse(text)
    except ValueError as error:
        raise UsageError(f"flag -{flag.name}: {error}") from error
