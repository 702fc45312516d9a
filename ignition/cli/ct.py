"""`ct`: Container Linux Config → Ignition config, with the flags, reports and exit statuses of the original.

Source: docs/reference/config-transpiler.md §A1, §A2 and §A8. docs/transpiling.md is its manual. Ours are the source line, its
mark and the remedy below each finding.
"""

from __future__ import annotations

import posixpath
import sys

from ignition.cli.flags import DIRECTORIES, FILES, Flag, wants_colour
from ignition.cli.program import FAILED, SUCCESS, USAGE, Program
from ignition.errors import Failure
from ignition.transpile.ct import dynamic
from ignition.transpile.ct.run import Result, Source, unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.program import Values
    from ignition.config.report import Entry, Report

FLAGS = (
    Flag("in-file", "", "Container Linux Config; standard input by default", value="PATH", offers=FILES),
    Flag("out-file", "", "Ignition config; standard output by default", value="PATH", offers=FILES),
    Flag("pretty", False, "indent the Ignition config, and end it with a line feed"),
    Flag("strict", False, "fail on any warning or remark"),
    Flag(
        "platform",
        "",
        f"platform of the machines, for dynamic data: {', '.join(dynamic.PLATFORMS)}",
        value="NAME",
        offers=tuple(dynamic.PLATFORMS),
    ),
    Flag("files-dir", "", "directory of local files", value="PATH", offers=DIRECTORIES),
)
PROGRAM = Program(
    "ct",
    "translate a Container Linux Config into an Ignition config",
    FLAGS,
    manual="ct(1)",
    usage=("[options] < config.yaml > config.ign",),
    original="ct 0.9.0",
    help_to=lambda: sys.stderr,
    names_itself=False,
    statuses={
        SUCCESS: "the document is valid, perhaps with warnings",
        FAILED: "the document is invalid, or a file cannot be read or written; with -strict also if there is any finding",
        USAGE: "invalid usage",
    },
)


@PROGRAM
def main(values: Values, words: list[str]) -> None:
    """One document; other words are ignored, as in the original."""
    content = _content(values["in-file"])
    _write(values["out-file"], _transpiled(values["in-file"] or "standard input", content, values))


def _transpiled(name: str, content: bytes, values: Values) -> str:
    """The output. Raises Failure once the reports are printed."""
    strict, directory = bool(values["strict"]), str(values["files-dir"])
    source = Source(name, content)
    _show(source.report, content)
    if source.config is None or (strict and source.report.entries):
        raise Failure("Failed to parse config")
    platform = str(values["platform"])
    result = Result(unsupported(platform))
    if not result.report.fatal:
        result = source.translated(dynamic.named(platform), lambda local: read_local(directory, local))
    _show(result.report, content)
    pretty = bool(values["pretty"])
    text = result.text(pretty=pretty)
    if text is None or (strict and result.report.entries):
        raise Failure("Generated Ignition config was invalid.")
    return text + ("\n" if pretty else "")


def read_local(directory: str, name: str) -> bytes:
    """The content of a local file: a name may leave the directory, as in the original. Raises Failure."""
    if not directory:
        raise Failure(
            "local files require setting the --files-dir flag to the directory that contains the file",
            fix="add --files-dir, or write the content inline",
        )
    path = posixpath.normpath(f"{directory}/{name}")
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise Failure(f"open {path}: {error.strerror}", fix="correct the name; it is relative to --files-dir") from None


def _content(path: str) -> bytes:
    try:
        if not path:
            return sys.stdin.buffer.read()
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise Failure(f"Failed to open: {path or 'standard input'}: {error.strerror}") from None


def _write(path: str, text: str) -> None:
    """Only now is the file made or cut off."""
    if not path:
        sys.stdout.buffer.write(text.encode("utf-8"))
        return
    try:
        with open(path, "wb") as file:
            file.write(text.encode("utf-8"))
    except OSError as error:
        raise Failure(f"Failed to write: {path}: {error.strerror}") from None


def _show(report: Report, text: bytes) -> None:
    """On stderr: each finding as the original reports it, then its place and the remedy."""
    if not report.entries:
        return
    from ignition.config.text.display import context
    from ignition.config.text.positions import Lines

    lines = Lines(text)
    colour = wants_colour(sys.stderr)
    for entry in report.entries:
        _say(in_original_words(entry), *context(entry, text, lines, colour=colour))


def in_original_words(entry: Entry) -> str:
    """As `ct` printed it."""
    if not entry.line:
        return f"{entry.level}: {entry.message}"
    return f"{entry.level} at line {entry.line}, column {entry.column}\n{entry.message}"


def _say(*lines: str) -> None:
    print(*lines, sep="\n", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
