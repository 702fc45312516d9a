"""`coreos-metadata`: writes what the platform's metadata says about this machine.

Commands and flags of Afterburn and of Container Linux' coreos-metadata (docs/reference/platforms.md §4.1), flags with one dash or
two: `multi` (the default), `exp rd-network-kargs`, `render-ignition`. Exit status 0, or 1 for every error, usage included.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from coreos_metadata import multi, network_arguments, render_ignition
from coreos_metadata.usage import Parser, UsageError
from ignition import __version__
from ignition.errors import Failure, trace, unforeseen
from ignition.host import frame, log, progress
from ignition.host.printable import message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

PROGRAM = "coreos-metadata"
SUCCESS, FAILED = 0, 1
# Words that choose a command → its parser, and what it does.
COMMANDS: dict[tuple[str, ...], tuple[Callable[[], Parser], Callable[[Namespace], None]]] = {
    ("multi",): (multi.parser, multi.run),
    ("exp", "rd-network-kargs"): (network_arguments.parser, network_arguments.run),
    ("render-ignition",): (render_ignition.parser, render_ignition.run),
}
EXPERIMENTAL, HELP = "exp", {"--help", "-help", "-h"}


@frame.program(PROGRAM, output_is_words=True)
def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    command, words = chosen(list(sys.argv[1:] if arguments is None else arguments))
    make_parser, run = COMMANDS[command]
    parser = make_parser()
    try:
        options = parser.parse_args(words)
        if options.help or options.version:
            return _print(_help(command, parser) if options.help else f"{PROGRAM} {__version__}\n")
        parser.check(options)
    except UsageError as error:
        return _complain(f"{error}\n{parser.format_usage()}")
    log.configure(stage="", to_stdout=False, identifier=PROGRAM)
    # A service that does not answer is asked again for most of a minute: people at a terminal, or at a console, see why.
    if sys.stderr.isatty():
        log.echo(_to_terminal)
    else:
        log.echo(None)
        progress.for_people(PROGRAM)
    try:
        run(options)
    except Failure as failure:
        return _complain(str(failure))
    except Exception as error:  # noqa: BLE001  the last line of defence: one line for people, the trace for the log
        log.debug(trace(error))
        return _complain(str(unforeseen(error, PROGRAM)))
    return SUCCESS


def _help(command: tuple[str, ...], parser: Parser) -> str:
    """Of the default command it names the others, too."""
    if command != ("multi",):
        return parser.format_help()
    others = {" ".join(name): make() for name, (make, _) in COMMANDS.items()}
    lines = [f"  {name:22}{one.description}" for name, one in others.items()]
    more = f"{PROGRAM} COMMAND --help says more. Without a command it is multi."
    return "\n".join([parser.format_help(), "commands:", *lines, "", more, ""])


def _to_terminal(priority: int, text: str) -> None:
    if priority < log.DEBUG:
        with suppress(BrokenPipeError):
            print(f"{PROGRAM}: {text}", file=sys.stderr, flush=True)


def chosen(words: list[str]) -> tuple[tuple[str, ...], list[str]]:
    """(command, the rest of the words as its parser knows them: long flags with two dashes)."""
    command = next((name for name in COMMANDS if tuple(words[: len(name)]) == name), None)
    if words[:1] == [EXPERIMENTAL] and set(words[1:]) & HELP:  # of the one command that it has
        command, words = (EXPERIMENTAL, "rd-network-kargs"), [EXPERIMENTAL, "rd-network-kargs", "--help"]
    rest = words[len(command) :] if command else words
    return command or ("multi",), [f"-{word}" if _has_one_dash(word) else word for word in rest]


def _has_one_dash(word: str) -> bool:
    return len(word) > 2 and word[0] == "-" and word[1] != "-"


def _print(text: str) -> int:
    print(text, end="")
    return SUCCESS


def _complain(text: str) -> int:
    print(f"{PROGRAM}: {message(text)}", file=sys.stderr)
    return FAILED


if __name__ == "__main__":
    sys.exit(main())
