"""`butane [FILE]`: a Butane document → the Ignition config that it stands for. docs/transpiling.md is its manual.

Flags, messages and exit statuses are the original's (docs/reference/config-transpiler.md §B1, §B14): 0 done, 1 failed, 2 usage.
"""

from __future__ import annotations

import os
import sys

from ignition.cli.flags import DIRECTORIES, FILES, PFLAG, Flag, UsageError, wants_colour
from ignition.cli.program import FAILED, SUCCESS, USAGE, Program
from ignition.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.program import Values
    from ignition.config.report import Entry
    from ignition.transpile.butane import Translation

_COLOUR = "colour of the report: auto, always or never; auto is on a terminal, unless NO_COLOR is set"
_WHEN = ("auto", "always", "never")
FLAGS = (
    Flag("check", False, "check config without producing output", short="c"),
    Flag("color", "auto", _COLOUR, value="WHEN", bare="always", offers=_WHEN),
    Flag("colour", "", _COLOUR, value="WHEN", bare="always", hidden=True),
    Flag("debug", False, "log translations", short="D", hidden=True),
    Flag("files-dir", "", "allow embedding local files from this directory", value="DIRECTORY", short="d", offers=DIRECTORIES),
    Flag("help", False, "show usage and exit", short="h"),
    Flag("input", "", "read from input file instead of stdin", value="FILE", hidden=True),
    Flag("no-advice", False, "omit advice: warnings about what the original accepts without comment"),
    Flag("output", "", "write to output file instead of stdout", value="FILE", short="o", offers=FILES),
    Flag("pretty", False, "output formatted json", short="p"),
    Flag("raw", False, "never wrap in a MachineConfig; ignored, as no variant here does", short="r"),
    Flag("raw-errors", False, "show raw errors, one in a line, rather than excerpts"),
    Flag("strict", False, "fail on any warning", short="s"),
    Flag("version", False, "print the version and exit", short="V"),
)
PROGRAM = Program(
    "butane",
    "translate a Butane document into an Ignition config",
    FLAGS,
    manual="butane(1)",
    usage=("[options] [input-file]",),
    dialect=PFLAG,
    operands=FILES,
    original="Butane 0.29.0",
    full_usage=True,
    names_itself=False,
    statuses={
        SUCCESS: "the document is valid, perhaps with warnings",
        FAILED: "the document is invalid, or a file cannot be read or written; with --strict also if there is a warning that"
        " is not advice",
        USAGE: "invalid usage",
    },
)
STDIN = "<stdin>"


@PROGRAM
def main(values: Values, words: list[str]) -> None:
    """One document, from a file or standard input."""
    if len(words) > 1 or (words and values["input"]):
        raise UsageError("more than one input file")
    if values["input"]:
        print("Flag --input has been deprecated, specify filename directly on command line", file=sys.stderr)
    _run(values, words[0] if words else values["input"])


def _run(values: Values, file: str) -> None:
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
        raise Failure(f"Error translating config: {done.failure}")
    if (
        values["strict"] and done.report.entries
    ):  # advice is not part of it: a document that passes --strict of the original passes here
        raise Failure("Config produced warnings and --strict was specified")
    if not values["check"]:
        _write(f"{done.text}\n".encode(), values["output"])


def _input(file: str, name: str) -> bytes:
    try:
        if not file:
            return sys.stdin.buffer.read()
        with open(file, "rb") as source:
            return source.read()
    except OSError as error:
        raise Failure(f"failed to read {name}: {error.strerror}") from None


def _report(done: Translation, text: bytes, values: Values, advice: tuple[Entry, ...]) -> None:
    from ignition.config.report import dotted
    from ignition.transpile.butane import result

    for made, source in done.origins.items() if values["debug"] else ():
        print(f"{dotted(made)} ← {dotted(source)}", file=sys.stderr)
    coloured = _is_coloured(values["colour"] or values["color"])
    report = done.report.evolve(entries=done.report.entries + advice)
    form = result.raw(report) if values["raw-errors"] else result.pretty(report, text, colour=coloured)
    sys.stderr.write(form)


def _is_coloured(when: str) -> bool:
    # The original asks only whether NO_COLOR is set; an empty one counts.
    return wants_colour(sys.stderr, when) and not (when == "auto" and "NO_COLOR" in os.environ)


def _write(text: bytes, file: str) -> None:
    if not file:
        sys.stdout.buffer.write(text)
        return
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    except OSError as error:
        raise Failure(f"failed to open {file}: {error.strerror}") from None
    try:
        with open(descriptor, "wb") as target:
            target.write(text)
    except OSError as error:
        raise Failure(f"Failed to write config to {file}: {error.strerror}") from None


if __name__ == "__main__":
    sys.exit(main())
