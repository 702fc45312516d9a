"""What programs have in common that take flags only, do one thing and end: help, version, usage, exit statuses."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from ignition import __version__
from ignition.cli.flags import Flag, UsageError, help_text, read
from ignition.errors import Failure
from ignition.host.printable import message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SUCCESS, FAILED, USAGE = 0, 1, 2
COMMON_FLAGS = (
    Flag("version", False, "print the version and exit"),
    Flag("help", False, "print this help and exit"),
    Flag("h", False, "the same"),
)


def run(
    program: str, usage: str, flags: Sequence[Flag], arguments: Sequence[str] | None, work: Callable[[dict[str, Any]], None]
) -> int:
    """Read the flags (`flags` and COMMON_FLAGS), do the work with their values, and say on standard error why it failed.

    Returns the exit status. `work` raises UsageError for flags that do not go together, Failure for what went wrong.
    """
    table = (*flags, *COMMON_FLAGS)
    try:
        values, rest = read(table, sys.argv[1:] if arguments is None else arguments)
        if values["help"] or values["h"]:
            print(help_text(usage, table))
        elif values["version"]:
            print(f"{program} {__version__}")
        elif rest:
            raise UsageError(f"{rest[0]!r} belongs to no flag")
        else:
            work(values)
    except UsageError as error:
        print(f"{program}: {message(str(error))}\n\n{usage}\n\nTry {program} --help.", file=sys.stderr)
        return USAGE
    except Failure as failure:
        print(f"{program}: {message(str(failure))}", file=sys.stderr)
        return FAILED
    return SUCCESS
