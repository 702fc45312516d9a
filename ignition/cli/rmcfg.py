"""`ignition-rmcfg`: takes the user config away from where the platform keeps it, when the machine has been provisioned.

Source: platforms reference 2.5. A config may hold secrets, and every program of a guest can read its hypervisor's properties.
"""

from __future__ import annotations

import sys

from ignition import __version__, platforms
from ignition.cli.flags import Flag, UsageError, help_text, read
from ignition.errors import Failure
from ignition.host import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

FLAGS = (
    Flag("platform", "", "whose config is to go", value="ID"),
    Flag("log-to-stdout", False, "log to standard output as well as to the journal"),
    Flag("version", False, "print the version and exit"),
    Flag("help", False, "print this help and exit"),
    Flag("h", False, "the same"),
)
PROGRAM = "ignition-rmcfg"
USAGE_TEXT = f"usage: {PROGRAM} -platform ID [flag ...]"
SUCCESS, FAILED, USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    try:
        values, rest = read(FLAGS, sys.argv[1:] if arguments is None else arguments)
    except UsageError as error:
        return _usage(str(error))
    if values["help"] or values["h"]:
        return _print(help_text(USAGE_TEXT, FLAGS))
    if values["version"]:
        return _print(f"{PROGRAM} {__version__}")
    if rest or not values["platform"]:
        return _usage(f"{rest[0]!r} belongs to no flag" if rest else "-platform is required")
    log.configure(stage="rmcfg", to_stdout=values["log-to-stdout"])
    try:
        _remove(values["platform"])
    except Failure as failure:
        log.error(str(failure))
        print(f"{PROGRAM}: {failure}", file=sys.stderr)
        return FAILED
    return SUCCESS


def _remove(name: str) -> None:
    source = platforms.config_source(name)
    if source.remove is None:
        able = [one for one in platforms.ids() if (config := platforms.module(one).config) and config.remove]
        raise Failure(f"the config of the platform {name} cannot be removed", fix=f"it can be with: {', '.join(able)}")
    source.remove()
    log.info(f"removed the user config of platform {name}: {source.says}")


def _print(text: str) -> int:
    print(text)
    return SUCCESS


def _usage(text: str) -> int:
    print(f"{PROGRAM}: {text}\n{USAGE_TEXT}", file=sys.stderr)
    return USAGE


if __name__ == "__main__":
    sys.exit(main())
