"""The frame of every program: one record, from which its help, usage errors, manual page and completion are derived, and one run.

    PROGRAM = Program("ignition-rmcfg", "remove the user config from its platform", FLAGS, usage=("-platform ID",), ...)

    @PROGRAM
    def main(values, words):
        ...

The frame reads the flags, prints help and version, and says what went wrong: a UsageError with the usage (status 2), a Failure in
one line (status 1). How it ends without a reader, without a disk or by a person's Ctrl-C is ignition.host.frame's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps

from ignition import __version__
from ignition.cli.flags import GO, NOTHING, Flag, UsageError, read
from ignition.errors import Failure
from ignition.host import frame
from ignition.host.printable import message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol, TextIO

    from ignition.cli.flags import Dialect, Offers

    Values = dict[str, Any]  # by flag name

    class Main(Protocol):
        """Entry point; returns the exit status."""

        def __call__(self, arguments: Sequence[str] | None = None, **named: Any) -> int:
            """Without arguments they are the process's. `named` is for tests."""


SUCCESS, FAILED, USAGE = 0, 1, 2
IGNITION = "Ignition 2.26.0"  # docs/reference/ignition-config.md: the original of all that is called `ignition`
HELP = Flag("help", False, "print this help and exit", short="h")
VERSION = Flag("version", False, "print the version and exit")
_WIDTH = 79
_MOST_OF_A_NAME = 30  # columns; a longer one has a line of its own


class Program:
    """`name` is how it is called: of a command of another program all its words. `usage`: what may follow it, a line each.

    `manual` is its page, such as "butane(1)". `statuses`: exit statuses of its own and what they mean, beside those of the frame.
    `commands`: by the words that choose them; the function loads the one that is chosen, and one without a summary is not listed.
    `operands`: what completion offers for words that are not flags; None if there are none to give, and then they are refused.
    `original`: the program and the version whose behaviour is followed, for -version. Without `prints_version`, the program
    prints the version by itself.
    `output_is_words` and `closed_pipe` are those of ignition.host.frame.

    The originals differ in these: `help_to` is the stream of the help. With `full_usage` a usage error is the last line below
    the whole help. Messages begin with `speaker`, the name by default; without `names_itself`, those about failures do not.
    """

    def __init__(
        self,
        name: str,
        summary: str,
        flags: tuple[Flag, ...],
        *,
        manual: str,
        usage: tuple[str, ...],
        statuses: Mapping[int, str],
        dialect: Dialect = GO,
        commands: Mapping[str, Callable[[], Program]] | None = None,
        operands: Offers | None = NOTHING,
        original: str = "",
        prints_version: bool = True,
        usage_status: int = USAGE,
        help_to: Callable[[], TextIO] = lambda: sys.stdout,
        more_help: Callable[[], Iterable[str]] = tuple,
        full_usage: bool = False,
        names_itself: bool = True,
        speaker: str = "",
        output_is_words: bool = False,
        closed_pipe: int = frame.CLOSED_PIPE,
    ) -> None:
        self.name, self.summary, self.manual, self.usage, self.statuses = name, summary, manual, usage, statuses
        given = {flag.name for flag in flags}
        self.flags = (*flags, *(flag for flag in (VERSION, HELP) if flag.name not in given))
        self.dialect, self.operands, self.usage_status = dialect, operands, usage_status
        self.commands: Mapping[str, Callable[[], Program]] = commands or {}
        self.original, self.prints_version = original, prints_version
        self._help_to, self._more_help, self._full_usage, self._names_itself = help_to, more_help, full_usage, names_itself
        self.output_is_words, self.closed_pipe, self.speaker = output_is_words, closed_pipe, speaker or name
        self.work: Callable[..., int | None] = lambda *_: None

    def __call__(self, work: Callable[..., int | None]) -> Main:
        """Decorates `work(values, words)`, which does what the program is for, and makes it the main() of its module.

        It returns the exit status, None for success, and raises UsageError for flags and words that do not go together, Failure
        for any other error.
        """
        self.work = work

        @wraps(work)
        def main(arguments: Sequence[str] | None = None, **named: Any) -> int:
            if arguments is None:
                frame.collect_rarely()
            words = list(sys.argv[1:] if arguments is None else arguments)
            framed = frame.program(self.name, output_is_words=self.output_is_words, closed_pipe=self.closed_pipe)(_run)
            return framed(self, words, named)

        return main

    def chosen(self, words: list[str]) -> tuple[Program, list[str]]:
        """The command that these words begin with, or this program; and the words that are left."""
        for name, load in self.commands.items():
            chosen = name.split()
            if words[: len(chosen)] == chosen:
                return load(), words[len(chosen) :]
        return self, words

    def run(self, words: Sequence[str], named: Mapping[str, Any]) -> int:
        """Read the flags and do what they ask for. Returns the exit status; raises UsageError, Failure."""
        values, rest = read(self.flags, words, self.dialect)
        if values["help"]:
            print(self.help_text(), file=self._help_to())
            return SUCCESS
        if values["version"] and self.prints_version:
            print(self.version_text())
            return SUCCESS
        if rest and self.operands is None:
            raise UsageError(f"unexpected argument {rest[0]!r}")
        return self.work(values, rest, **named) or SUCCESS

    def version_text(self) -> str:
        """Begins with all that the original prints, so that a script which looks for `Butane 0.29` finds it."""
        own = f"coreos-ignition {__version__}"
        return f"{self.original} (implemented by {own})" if self.original else f"{self.name} ({own})"

    def usage_text(self) -> str:
        """The lines that a usage error shows, too."""
        lines = (f"{self.name} {line}".rstrip() for line in self.usage)
        return "Usage: " + "\n       ".join(lines)

    def help_text(self) -> str:
        """Usage, a line for each flag and each command, and what else the program wants to say."""
        lines = [self.usage_text(), "Options:", *_rows((self.shown(flag), _described(flag)) for flag in self.shown_flags())]
        if self.commands:
            lines += ["Commands:", *_rows((f"  {name}", command.summary) for name, command in self.listed().items())]
        return "\n".join([*lines, *self._more_help(), "", f"See {self.manual} for details."])

    def listed(self) -> dict[str, Program]:
        """The commands that are documented."""
        loaded = {name: load() for name, load in self.commands.items()}
        return {name: command for name, command in loaded.items() if command.summary}

    def shown_flags(self) -> list[Flag]:
        """Those that are documented."""
        return [flag for flag in self.flags if not flag.hidden]

    def shown(self, flag: Flag) -> str:
        """`  -d, --files-dir DIRECTORY`"""
        value = f"[={flag.value}]" if flag.value and flag.bare else f" {flag.value}" if flag.value else ""
        has_letters = any(other.short for other in self.flags if other.name != HELP.name)
        letter = f"-{flag.short}, " if flag.short else "    " if has_letters else ""
        return f"  {letter}{self.dialect.dash}{flag.name}{value}"

    def usage_error(self, text: str) -> int:
        """Say it on standard error; returns the status."""
        line = f"{self.speaker}: {message(text)}"
        if self._full_usage:
            print(f"{self.help_text()}\n{line}", file=sys.stderr)
        else:
            hint = f"Try '{self.name} {self.dialect.dash}help' for more information."
            print(f"{line}\n\n{self.usage_text()}\n\n{hint}", file=sys.stderr)
        return self.usage_status

    def failed(self, failure: Failure) -> int:
        """Say it on standard error; returns the status."""
        text = message(str(failure))
        print(f"{self.speaker}: {text}" if self._names_itself else text, file=sys.stderr)
        return FAILED


def _run(called: Program, words: list[str], named: Mapping[str, Any]) -> int:
    program, words = called.chosen(words)
    try:
        return program.run(words, named)
    except UsageError as error:
        return program.usage_error(str(error))
    except Failure as failure:
        return program.failed(failure)


def _described(flag: Flag) -> str:
    default = "" if flag.default in ("", False, None, ()) else f" (default {flag.default})"
    return f"{flag.doc}{default}"


def _rows(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """A table of two columns, the second one wrapped."""
    from textwrap import wrap

    table = list(rows)
    column = 3 + max(len(name) for name, _ in table if len(name) <= _MOST_OF_A_NAME)
    for name, text in table:
        first, *more = wrap(text, _WIDTH - column, break_long_words=False, break_on_hyphens=False)
        if len(name) > column - 3:
            yield name
            name = ""
        yield f"{name:{column}}{first}"
        yield from (f"{'':{column}}{line}" for line in more)
