"""Command-line flags, in the syntax of the program that each of ours stands in for.

Units and scripts of the field are written for Go's flag package, for pflag (butane) and for clap (Afterburn). One reader supports
them all; a Dialect describes their differences. argparse and getopt do not support long names with a single dash.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

    # Offered by completion: a kind below, words, or a function that returns them when the scripts are generated.
    Offers = str | tuple[str, ...] | Callable[[], Iterable[str]]

NOTHING, FILES, DIRECTORIES, USERS = "", "files", "directories", "users"
_TRUE, _FALSE = ("1", "t", "T", "true", "TRUE", "True"), ("0", "f", "F", "false", "FALSE", "False")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


class UsageError(Exception):
    """The command line cannot be understood; the message says which word and why."""


class Dialect:
    """`dash`: what precedes a long name in help and messages. `anywhere`: flags may follow other words.

    `one_dash`: `-name` is the same as `--name`; else one dash begins letters, which may be bundled. `strict`: a boolean takes no
    value, and a value that begins with a dash needs `=`.
    """

    def __init__(self, dash: str, *, anywhere: bool, one_dash: bool = True, strict: bool = False) -> None:
        self.dash, self.anywhere, self.one_dash, self.strict = dash, anywhere, one_dash, strict


GO = Dialect("-", anywhere=False)
GO_ANYWHERE = Dialect("-", anywhere=True)
GO_LONG = Dialect("--", anywhere=False)  # as GO, for a program whose counterparts elsewhere know two dashes only
PFLAG = Dialect("--", anywhere=True, one_dash=False)
CLAP = Dialect("--", anywhere=True, strict=True)


class Flag:
    """One row of a program's table of flags: the reader, the help, the manual page and completion all come from it.

    `value` is what the help calls the value; "" for booleans. A flag whose default is a tuple may be given several times; its
    values are gathered. `short` is its letter. `bare`: its value where only the name is given. `old`: a former name, which works
    as the flag does. `hidden`: documented nowhere. `parse` raises ValueError; `offers` is for completion.
    """

    def __init__(
        self,
        name: str,
        default: object,
        doc: str,
        *,
        value: str = "",
        short: str = "",
        bare: str = "",
        old: str = "",
        hidden: bool = False,
        parse: Callable[[str], Any] = str,
        offers: Offers = NOTHING,
    ) -> None:
        self.name, self.default, self.doc, self.value, self.parse = name, default, doc, value, parse
        self.short, self.old, self.hidden, self.offers = short, old, hidden, offers
        self.bare = "true" if self.is_boolean else bare

    @property
    def is_boolean(self) -> bool:
        """Booleans take a value only after `=`."""
        return isinstance(self.default, bool)

    def concealed(self) -> Flag:
        """The same for a command that takes it, and has no use for it."""
        return Flag(self.name, self.default, self.doc, value=self.value, parse=self.parse, hidden=True)


def read(table: Iterable[Flag], arguments: Sequence[str], dialect: Dialect = GO) -> tuple[dict[str, Any], list[str]]:
    """Values by flag name, defaults included, and the other words. Raises UsageError."""
    flags = tuple(table)
    values: dict[str, Any] = {flag.name: flag.default for flag in flags}
    words: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return values, words + rest
        if len(word) < 2 or word[0] != "-":
            words.append(word)
            if not dialect.anywhere:
                return values, words + rest
        elif word[1] == "-" or dialect.one_dash:
            _take_name(flags, word, rest, values, dialect)
        else:
            _take_letters(flags, word, rest, values, dialect)
    return values, words


def _take_name(table: tuple[Flag, ...], word: str, rest: list[str], values: dict[str, Any], dialect: Dialect) -> None:
    shown, equals, value = word.partition("=")
    name = shown.removeprefix("-").removeprefix("-")
    for flag in table if name else ():
        if name in (flag.name, flag.old) or (dialect.one_dash and name == flag.short):
            return _set(flag, shown, value if equals else None, rest, values, dialect)
    raise UsageError(f"unknown flag{'' if dialect.one_dash else ':'} {shown}")


def _take_letters(table: tuple[Flag, ...], word: str, rest: list[str], values: dict[str, Any], dialect: Dialect) -> None:
    for index, letter in enumerate(word[1:], start=2):
        flag = next((flag for flag in table if flag.short == letter), None)
        if flag is None:
            raise UsageError(f"unknown shorthand flag: {letter!r} in {word}")
        after = word[index:]
        if after.startswith("=") or (after and not flag.bare):
            return _set(flag, word, after.removeprefix("="), rest, values, dialect)
        _set(flag, word, None, rest, values, dialect)
    return None


def _set(flag: Flag, shown: str, value: str | None, rest: list[str], values: dict[str, Any], dialect: Dialect) -> None:
    if value is not None and flag.is_boolean and dialect.strict:
        raise UsageError(f"flag {shown} does not take an argument")
    if value is None and flag.bare:
        value = flag.bare
    if value is None:
        if not rest or (dialect.strict and len(rest[0]) > 1 and rest[0].startswith("-")):
            if dialect.one_dash:
                raise UsageError(f"flag {shown} requires an argument: {flag.value}")
            raise UsageError(f"flag needs an argument: --{flag.name}")  # pflag's words
        value = rest.pop(0)
    given = _value(flag, value, dialect)
    values[flag.name] = (*values[flag.name], given) if isinstance(flag.default, tuple) else given


def _value(flag: Flag, text: str, dialect: Dialect) -> object:
    if flag.is_boolean:
        if text in _TRUE:
            return True
        if text in _FALSE:
            return False
        raise UsageError(f"flag {dialect.dash}{flag.name}: {text!r} is not a boolean")
    try:
        return flag.parse(text)
    except ValueError as error:
        raise UsageError(f"flag {dialect.dash}{flag.name}: {error}") from error


def one_of(*words: str) -> Callable[[str], str]:
    """For `parse` of a flag whose values are these words only."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"{text!r} is not one of {', '.join(words)}")
        return text

    return parse


def platforms_with_config() -> list[str]:
    """For `offers`: platforms that provide the user config."""
    from ignition import platforms

    return platforms.known("config")


def platforms_with_metadata() -> list[str]:
    """For `offers`: platforms that provide metadata."""
    from ignition import platforms

    return platforms.known("metadata")


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
            raise ValueError(f"{text!r} is not a duration such as 90s or 1h2m")
        seconds += float(number) * _UNITS[unit]
        rest = rest[digits + letters :]
    if seconds > _LONGEST_S:
        raise ValueError("a duration of more than 292 years")
    return seconds


def duration(text: str) -> str:
    """For `parse`: the text, if it is a duration."""
    duration_s(text)
    return text


def wants_colour(stream: TextIO, when: str = "auto") -> bool:
    """Whether a report on that stream has colours.

    `auto`: on a terminal that has some, unless the person has said no (no-color.org). `always` and `yes`: everywhere. Any other
    word: nowhere.
    """
    if when == "auto":
        return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return when in ("always", "yes")
