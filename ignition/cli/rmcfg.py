"""`ignition-rmcfg`: takes the user config away from where the platform keeps it, when the machine has been provisioned.

Source: docs/reference/platforms.md §2.5. A config may hold secrets, and every program of a guest can read its hypervisor's
properties.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ignition import platforms
from ignition.cli import plain_program
from ignition.cli.flags import Flag, UsageError
from ignition.errors import Failure
from ignition.host import frame, log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FLAGS = (
    Flag("platform", "", "whose config is to go", value="ID"),
    Flag("log-to-stdout", False, "log to standard output as well as to the journal"),
)
PROGRAM = "ignition-rmcfg"
USAGE_TEXT = f"usage: {PROGRAM} -platform ID [flag ...]"


@frame.program(PROGRAM, output_is_words=True)
def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return plain_program.run(PROGRAM, USAGE_TEXT, FLAGS, arguments, _work)


def _work(values: dict[str, Any]) -> None:
    if not values["platform"]:
        raise UsageError("-platform is required")
    log.configure(stage="rmcfg", to_stdout=values["log-to-stdout"])
    try:
        _remove(values["platform"])
    except Failure as failure:
        log.error(str(failure))
        raise


def _remove(name: str) -> None:
    source = platforms.config_source(name)
    if source.remove is None:
        able = [one for one in platforms.ids() if (config := platforms.module(one).config) and config.remove]
        raise Failure(f"the config of the platform {name} cannot be removed", fix=f"it can be with: {', '.join(able)}")
    source.remove()
    log.info(f"removed the user config of platform {name}: {source.says}")


if __name__ == "__main__":
    sys.exit(main())
