"""Shared by all commands: the flags that name the platform, and the description of a command."""

from __future__ import annotations

from ignition.cli.flags import CLAP, Flag, UsageError, platforms_with_metadata
from ignition.cli.program import Program
from ignition.errors import Failure
from ignition.host import cmdline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ignition.cli.program import Values

NAME = "coreos-metadata"
FAILED = 1
PLATFORM_OPTION = "ignition.platform.id"  # the first counts
OLD_PLATFORM_OPTIONS = ("flatcar.oem.id", "coreos.oem.id")  # the last counts


FLAGS = (
    Flag("provider", "", "platform of this machine, such as aws", value="ID", offers=platforms_with_metadata),
    Flag("cmdline", False, "take the platform from the kernel command line"),
)


def command(
    name: str,
    summary: str,
    flags: tuple[Flag, ...],
    *,
    usage: tuple[str, ...],
    commands: Mapping[str, Callable[[], Program]] | None = None,
) -> Program:
    """A command, or the program itself. As in the originals, status 1 is also that of invalid usage."""
    return Program(
        f"{NAME} {name}".rstrip(),
        summary,
        (*FLAGS, *flags),
        manual=f"{NAME}(8)",
        usage=usage,
        dialect=CLAP,
        commands=commands,
        operands=None,
        original="Afterburn 5.10.0",
        usage_status=FAILED,
        speaker=NAME,
        output_is_words=True,
        statuses={FAILED: "any failure, including invalid usage"},
    )


def check(values: Values) -> None:
    """Raises UsageError unless one flag names the platform."""
    if values["provider"] and values["cmdline"]:
        raise UsageError("--provider and --cmdline are mutually exclusive")
    if not (values["provider"] or values["cmdline"]):
        raise UsageError("either --provider or --cmdline is required")


def provider(values: Values) -> str:
    """The platform id that the flags ask for. Raises Failure if it was to be found and is not."""
    return str(values["provider"] or provider_of(cmdline.read()))


def provider_of(text: str) -> str:
    """The platform id on the kernel command line. Raises Failure if there is none."""
    name = cmdline.first(text, PLATFORM_OPTION) or next(
        (found for option in OLD_PLATFORM_OPTIONS if (found := cmdline.last(text, option))), ""
    )
    if not name:
        raise Failure(
            "the kernel command line does not name a platform",
            fix=f"add {PLATFORM_OPTION}=, or use --provider instead of --cmdline",
        )
    return name
