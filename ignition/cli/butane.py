"""`butane [FILE]`: a Butane document → the Ignition config that it stands for. docs/transpiling.md is its manual.

Flags, messages and exit statuses are the original's (docs/reference/config-transpiler.md §B1, §B14): 0 done, 1 failed, 2 usage.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from ignition import __version__
from ignition.cli.flags import UsageError
from ignition.cli.gnu_flags import GnuFlag, help_text, read
from ignition.host import frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.report import Entry
    from ignition.transpile.butane import Translation

PROGRAM = "butane"
SUCCESS, FAILED, USAGE = 0, 1, 2
USAGE_TEXT = f"Usage: {PROGRAM} [options] [input-file]"
_COLOUR = "colour of the report: auto, always or never; auto is on a terminal, unless NO_COLOR is set"
FLAGS = (
    GnuFlag("check", False, "check config without producing output", short="c"),
    GnuFlag("color", "auto", _COLOUR, value="WHEN", bare="always"),
    GnuFlag("colour", "", _COLOUR, value="WHEN", bare="always", hidden=True),
    GnuFlag("debug", False, "log translations", short="D", hidden=True),
    GnuFlag("files-dir", "", "allow embedding local files from this directory", value="DIRECTORY", short="d"),
    GnuFlag("help", False, "show usage and exit", short="h"),
    GnuFlag("input", "", "read from input file instead of stdin", value="FILE", hidden=True),
    GnuFlag("no-advice", False, "leave out advice: warnings about what the original takes without a word"),
    GnuFlag("output", "", "write to output file instead of stdout", value="FILE", short="o"),
    GnuFlag("pretty", False, "output formatted json", short="p"),
    GnuFlag("raw", False, "never wrap in a MachineConfig: without effect, as no variant here does", short="r"),
    GnuFlag("raw-errors", False, "show raw errors, one in a line, rather than excerpts"),
    GnuFlag("strict", False, "fail on any warning", short="s"),
    GnuFlag("version", False, "print the version and exit", short="V"),
)
STDIN = "<stdin>"


class _Stop(Exception):
    """The program ends with status 1 and this line."""


@frame.program(PROGRAM)
def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    try:
        values, words = read(FLAGS, sys.argv[1:] if arguments is None else arguments)
        if len(words) > 1 or (words and values["input"]):
            raise UsageError("more than one input file")
    except UsageError as error:
        print(f"{help_text(USAGE_TEXT, FLAGS)}\n{PROGRAM}: {error}", file=sys.stderr)
        return USAGE
    if values["help"]:
        print(help_text(USAGE_TEXT, FLAGS))
        return SUCCESS
    if values["version"]:
        print(f"Butane {__version__}")
        return SUCCESS
    if values["input"]:
        print("Flag --input has been deprecated, specify filename directly on command line", file=sys.stderr)
    try:
        _run(values, words[0] if words else values["input"])
    except _Stop as stop:
        print(stop, file=sys.stderr)
        return FAILED
    return SUCCESS


def _run(values: dict[str, Any], file: str) -> None:
    from ignition.transpile.butane import translate

    name = file or STDIN
    text = _input(file, name)
    done = translate(text, name=name, files_dir=values["files-dir"] or None, pretty=values["pretty"])
    advice: tuple[Entry, ...] = ()
    if done.text is not None and not values["no-advice"]:
        from ignition.cli.validation.examine import advice_about

        advice = advice_about(text, done)
    _report(done, text, values, advice)
    if done.text is None:
        raise _Stop(f"Error translating config: {done.failure}")
    if values["strict"] and done.report.entries:  # not advice: what is strict enough for the original is so here
        raise _Stop("Config produced warnings and --strict was specified")
    if not values["check"]:
        _write(f"{done.text}\n".encode(), values["output"])


def _input(file: str, name: str) -> bytes:
    try:
        if not file:
            return sys.stdin.buffer.read()
        with open(file, "rb") as source:
            return source.read()
    except OSError as error:
        raise _Stop(f"failed to read {name}: {error.strerror}") from None


def _report(done: Translation, text: bytes, values: dict[str, Any], advice: tuple[Entry, ...]) -> None:
    from ignition.config.report import dotted
    from ignition.transpile.butane import result

    for made, source in done.origins.items() if values["debug"] else ():
        print(f"{dotted(made)} ← {dotted(source)}", file=sys.stderr)
    coloured = _is_coloured(values["colour"] or values["color"])
    report = done.report.evolve(entries=done.report.entries + advice)
    form = result.raw(report) if values["raw-errors"] else result.pretty(report, text, colour=coloured)
    sys.stderr.write(form)


def _is_coloured(when: str) -> bool:
    if when == "auto":
        return sys.stderr.isatty() and "NO_COLOR" not in os.environ
    return when in ("always", "yes")


def _write(text: bytes, file: str) -> None:
    if not file:
        sys.stdout.buffer.write(text)
        return
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    except OSError as error:
        raise _Stop(f"failed to open {file}: {error.strerror}") from None
    try:
        with open(descriptor, "wb") as target:
            target.write(text)
    except OSError as error:
        raise _Stop(f"Failed to write config to {file}: {error.strerror}") from None


if __name__ == "__main__":
    sys.exit(main())
