"""`coreos-cloudinit`: cloud-config by hand on a running machine. Reads its flags; applying user data is not in this release."""

import sys

from ignition import __version__
from ignition.cli.flags import Flag, UsageError, help_text, read

FLAGS = (
    Flag("from-file", "", "read user data from a file", value="FILE"),
    Flag("version", False, "print the version and exit"),
    Flag("help", False, "print this help and exit"),
    Flag("h", False, "the same"),
)
SUCCESS, FAILED, USAGE = 0, 1, 2
USAGE_TEXT = "usage: coreos-cloudinit -from-file FILE"


def main() -> int:
    """Entry point; returns the exit status."""
    try:
        values, _ = read(FLAGS, sys.argv[1:])
    except UsageError as error:
        print(f"coreos-cloudinit: {error}\n\n{USAGE_TEXT}", file=sys.stderr)
        return USAGE
    if values["help"] or values["h"]:
        print(help_text(USAGE_TEXT, FLAGS))
        return SUCCESS
    if values["version"]:
        print(f"coreos-cloudinit {__version__}")
        return SUCCESS
    print(
        f"coreos-cloudinit {__version__} cannot apply user data yet: nothing was changed. A first boot takes an Ignition config.",
        file=sys.stderr,
    )
    return FAILED


if __name__ == "__main__":
    sys.exit(main())
