"""`coreos-metadata`: writes what the platform's metadata says about this machine.

Commands and flags of Afterburn and of Container Linux' coreos-metadata (docs/reference/platforms.md §4.1), flags with one dash or
two: `multi` (the default), `exp rd-network-kargs`, `render-ignition`; and `deny`, which is ours. Exit status 0, or 1 for every
error, usage included.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from functools import wraps

from coreos_metadata import multi, usage
from ignition.cli.flags import UsageError
from ignition.errors import Failure, trace
from ignition.host import log, progress
from ignition.host.frame import OutputLost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.program import Program, Values


# Only the module of the called command is loaded: `multi`, which runs at boot, does not pay for the others.
def _experimental() -> Program:
    """`exp` alone, without its command."""
    from coreos_metadata import network_arguments

    program = usage.command("exp", "", network_arguments.FLAGS, usage=("rd-network-kargs [options]",))

    @program
    def work(values: Values, words: list[str]) -> None:
        raise UsageError("expected a command: rd-network-kargs")

    return program


def _network_arguments() -> Program:
    from coreos_metadata import network_arguments

    network_arguments.PROGRAM(_logging(network_arguments.run))
    return network_arguments.PROGRAM


def _render_ignition() -> Program:
    from coreos_metadata import render_ignition

    render_ignition.PROGRAM(_logging(render_ignition.run))
    return render_ignition.PROGRAM


def _deny() -> Program:
    from coreos_metadata import deny

    deny.PROGRAM(_logging(deny.run))
    return deny.PROGRAM


PROGRAM: Program = usage.command(
    "",
    "write what the platform says about this machine",
    multi.FLAGS,
    usage=(
        "[multi] --provider ID|--cmdline [options]",
        "exp rd-network-kargs --provider ID|--cmdline --default-value TEXT",
        "render-ignition --provider ID|--cmdline --render-ignition-dir DIR [options]",
        "deny --provider ID|--cmdline [--allow NAMES] [--remove]",
    ),
    commands={
        "multi": lambda: PROGRAM,
        "exp rd-network-kargs": _network_arguments,
        "exp": _experimental,
        "render-ignition": _render_ignition,
        "deny": _deny,
    },
)


def _logging(run: Callable[[Values], None]) -> Callable[[Values, list[str]], None]:
    """Add a log to a command, and progress for a person who waits."""

    @wraps(run)
    def work(values: Values, words: list[str]) -> None:
        usage.check(values)
        log.configure(stage="", to_stdout=False, identifier=usage.NAME)
        # A service that does not answer is asked again for most of a minute: people at a terminal, or at a console, see why.
        if sys.stderr.isatty():
            log.echo(_to_terminal)
        else:
            log.echo(None)
            progress.for_people(usage.NAME)
        try:
            run(values)
        except (Failure, UsageError, OutputLost):
            raise
        except Exception as error:
            log.debug(trace(error))
            raise

    return work


def _to_terminal(priority: int, text: str) -> None:
    if priority < log.DEBUG:
        with suppress(BrokenPipeError):
            print(f"{usage.NAME}: {text}", file=sys.stderr, flush=True)


main = PROGRAM(_logging(multi.run))

if __name__ == "__main__":
    sys.exit(main())
