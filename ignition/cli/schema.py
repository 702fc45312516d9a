"""`ignition schema VERSION`: the JSON Schema of a spec version on standard output, for editors.

Exit statuses: 0 printed, 2 usage, a version that no config has included.
"""

import sys

from ignition.cli.flags import Flag, UsageError, help_text, read_anywhere
from ignition.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

PRINTED, USAGE = 0, 2
USAGE_TEXT = "usage: ignition schema VERSION   print the JSON Schema of a spec version, such as 3.5.0"
FLAGS = (
    Flag("help", False, "print this help and exit"),
    Flag("h", False, "the same"),
)


def main(arguments: "Sequence[str]") -> int:
    """Entry point; returns the exit status."""
    from ignition.config import schema

    try:
        values, versions = read_anywhere(FLAGS, list(arguments))
    except UsageError as error:
        return _usage(str(error))
    known = f"one of {', '.join(schema.VERSIONS)}"
    if values["help"] or values["h"]:
        print(f"{help_text(USAGE_TEXT, FLAGS)}\n\nVERSION is {known}.")
        return PRINTED
    if len(versions) != 1:
        return _usage(f"name one version: {known}")
    try:
        sys.stdout.write(schema.text(versions[0]))
    except Failure as failure:
        return _usage(str(failure))
    return PRINTED


def _usage(message: str) -> int:
    print(f"ignition schema: {message}\n\n{USAGE_TEXT}", file=sys.stderr)
    return USAGE
