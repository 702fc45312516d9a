"""`ignition-rmcfg`: takes the user config away from where the platform keeps it, when the machine has been provisioned.

Source: docs/reference/platforms.md §2.5. A config may hold secrets, and every program of a guest can read its hypervisor's
properties.
"""

from __future__ import annotations

import sys

from ignition import platforms
from ignition.cli.flags import Flag, UsageError
from ignition.cli.program import FAILED, IGNITION, SUCCESS, USAGE, Program
from ignition.errors import Failure
from ignition.host import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.program import Values


def _removable() -> list[str]:
    return [name for name in platforms.ids() if (config := platforms.module(name).config) and config.remove]


FLAGS = (
    Flag("platform", "", "platform whose user config is removed (required)", value="ID", offers=_removable),
    Flag("log-to-stdout", False, "log to standard output as well as to the journal"),
)
PROGRAM = Program(
    "ignition-rmcfg",
    "remove the user config from where the platform keeps it",
    FLAGS,
    manual="ignition-rmcfg(8)",
    usage=("-platform ID [options]",),
    operands=None,
    original=IGNITION,
    output_is_words=True,
    statuses={
        SUCCESS: "the config was removed",
        FAILED: "the config could not be removed, or the platform does not support it",
        USAGE: "invalid usage",
    },
)


@PROGRAM
def main(values: Values, words: list[str]) -> None:
    """Remove it; a failure is logged, too."""
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
        raise Failure(f"the config of platform {name} cannot be removed", fix=f"supported: {', '.join(_removable())}")
    source.remove()
    log.info(f"removed the user config of platform {name}: {source.says}")


if __name__ == "__main__":
    sys.exit(main())
