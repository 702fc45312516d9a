"""Command-line flags in GNU style, as pflag reads them: `--name=value`, `-n value`, bundled letters, anywhere among the words."""

from __future__ import annotations

from collections.abc import Sequence

from ignition.cli.flags import Flag, UsageError, value_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class GnuFlag(Flag):
    """`short`: its letter. `bare`: its value where only the name is given. `hidden`: the help does not name it."""

    def __init__(
        self, name: str, default: object, doc: str, *, value: str = "", short: str = "", bare: str = "", hidden: bool = False
    ) -> None:
        super().__init__(name, default, doc, value=value)
        self.short, self.bare, self.hidden = short, "true" if self.is_boolean else bare, hidden


def read(table: Sequence[GnuFlag], arguments: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Values by flag name, defaults included, and the other words. Raises UsageError."""
    values: dict[str, Any] = {flag.name: flag.default for flag in table}
    words: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return values, words + rest
        if word.startswith("--"):
            _take_name(table, word[2:], rest, values)
        elif word.startswith("-") and word != "-":
            _take_letters(table, word[1:], rest, values)
        else:
            words.append(word)
    return values, words


def help_text(usage: str, table: Sequence[GnuFlag]) -> str:
    """The usage line and one line per flag."""
    rows = [(shown(flag), flag) for flag in table if not flag.hidden]
    width = max(len(name) for name, _ in rows)
    lines = [f"{name:{width}}   {flag.doc}{f' (default {flag.default})' if flag.default else ''}" for name, flag in rows]
    return "\n".join([usage, "Options:", *lines])


def shown(flag: GnuFlag) -> str:
    """`  -d, --files-dir DIRECTORY`"""
    value = f"[={flag.value}]" if flag.value and flag.bare else f" {flag.value}" if flag.value else ""
    return f"  {f'-{flag.short}, ' if flag.short else '    '}--{flag.name}{value}"


def _take_name(table: Sequence[GnuFlag], word: str, rest: list[str], values: dict[str, Any]) -> None:
    name, equals, value = word.partition("=")
    flag = next((flag for flag in table if flag.name == name), None)
    if flag is None:
        raise UsageError(f"unknown flag: --{name}")
    _set(flag, value if equals else None, rest, values)


def _take_letters(table: Sequence[GnuFlag], letters: str, rest: list[str], values: dict[str, Any]) -> None:
    for index, letter in enumerate(letters, start=1):
        flag = next((flag for flag in table if flag.short == letter), None)
        if flag is None:
            raise UsageError(f"unknown shorthand flag: {letter!r} in -{letters}")
        after = letters[index:]
        if after.startswith("=") or (after and not flag.bare):
            _set(flag, after.removeprefix("="), rest, values)
            return
        _set(flag, None, rest, values)


def _set(flag: GnuFlag, value: str | None, rest: list[str], values: dict[str, Any]) -> None:
    if value is None:
        if not flag.bare and not rest:
            raise UsageError(f"flag needs an argument: --{flag.name}")
        value = flag.bare or rest.pop(0)
    values[flag.name] = value_of(flag, value)
