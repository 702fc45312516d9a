"""What all commands have in common: the flags that name the platform, and how wrong usage is reported."""

from __future__ import annotations

from argparse import ArgumentParser

from ignition.errors import Failure
from ignition.host import cmdline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import NoReturn

PLATFORM_OPTION = "ignition.platform.id"  # the first counts
OLD_PLATFORM_OPTIONS = ("flatcar.oem.id", "coreos.oem.id")  # the last counts


class UsageError(Exception):
    """The command line makes no sense."""


class Parser(ArgumentParser):
    """Raises UsageError instead of leaving the process, and knows the flags of every command."""

    def __init__(self, prog: str, description: str) -> None:
        super().__init__(prog=prog, description=description, add_help=False, allow_abbrev=False)
        self.add_argument("--provider", metavar="ID", default="", help="the platform, such as aws; an unknown one gets the list")
        self.add_argument("--cmdline", action="store_true", help="take the platform from the kernel command line")
        self.add_argument("--version", action="store_true", help="print the version and exit")
        self.add_argument("--help", "-h", action="store_true", help="print this help and exit")

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)

    def check(self, options: Namespace) -> None:
        """Raises UsageError for flags that exclude or miss each other."""
        if options.provider and options.cmdline:
            raise UsageError("--provider and --cmdline exclude each other")
        if not (options.provider or options.cmdline):
            raise UsageError("one of --provider and --cmdline is required")


def provider(options: Namespace) -> str:
    """The platform id that the flags ask for. Raises Failure if it was to be found and is not."""
    return options.provider or provider_of(cmdline.read())


def provider_of(text: str) -> str:
    """The platform id on the kernel command line. Raises Failure if there is none."""
    name = cmdline.first(text, PLATFORM_OPTION) or next(
        (found for option in OLD_PLATFORM_OPTIONS if (found := cmdline.last(text, option))), ""
    )
    if not name:
        raise Failure(
            "the kernel command line names no platform", fix=f"add {PLATFORM_OPTION}=, or use --provider instead of --cmdline"
        )
    return name
