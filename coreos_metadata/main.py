"""`coreos-metadata`: writes what the platform's metadata says about this machine.

Commands and flags of Afterburn and of Container Linux' coreos-metadata (platforms reference 4.1), flags with one dash or two:
`multi` (the default), `exp rd-network-kargs`, `render-ignition`. Exit status 0, or 1 for every error, usage included.
"""

from __future__ import annotations

import sys

from coreos_metadata import multi, network_arguments, render_ignition
from coreos_metadata.usage import Parser, UsageError
from ignition import __version__
from ignition.errors import Failure, trace, unforeseen
from ignition.host import frame, log
from ignition.host.printable import message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence

PROGRAM = "coreos-metadata"
SUCCESS, FAILED = 0, 1
# Words that choose a command → its parser, and what it does.
COMMANDS: dict[tuple[str, ...], tuple[Callable[[], Parser], Callable[[Namespace], None]]] = {
    ("multi",): (multi.parser, multi.run),
    ("exp", "rd-network-kargs"): (network_arguments.parser, network_arguments.run),
    ("render-ignition",): (render_ignition.parser, render_ignition.run),
}


@frame.program(PROGRAM, output_is_words=True)
def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    command, words = chosen(list(sys.argv[1:] if arguments is None else arguments))
    make_parser, run = COMMANDS[command]
    parser = make_parser()
    try:
        options = parser.parse_args(words)
        if options.help or options.version:
            return _print(parser.format_help() if options.help else f"{PROGRAM} {__version__}\n")
        parser.check(options)
    except UsageError as error:
        return _complain(f"{error}\n{parser.format_usage()}")
    log.configure(stage="", to_stdout=False, identifier=PROGRAM)
    try:
        run(options)
    except Failure as failure:
        return _complain(str(failure))
    except Exception as error:  # noqa: BLE001  the last line of defence: one line for people, the trace for the log
        log.debug(trace(error))
        return _complain(str(unforeseen(error, PROGRAM)))
    return SUCCESS


def chosen(words: list[str]) -> tuple[tuple[str, ...], list[str]]:
    """(command, the rest of the words as its parser knows them: long flags with two dashes)."""
    command = next((name for name in COMMANDS if tuple(words[: len(name)]) == name), None)
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
