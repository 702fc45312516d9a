"""The command `exp rd-network-kargs`: kernel arguments for the initramfs' network. docs/reference/platforms.md §4.1, §7.5."""

from __future__ import annotations

from coreos_metadata.transport import SETTINGS
from coreos_metadata.usage import command, provider
from ignition import platforms
from ignition.cli.flags import Flag, UsageError
from ignition.errors import Failure, NotHere
from ignition.fetch.engine import Fetcher
from ignition.host import cmdline, log
from ignition.host.root import put
from ignition.metadata.table import opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.program import Values


FLAGS = (Flag("default-value", None, "written if the platform has none; may be empty (required)", value="TEXT"),)
PROGRAM = command(
    "exp rd-network-kargs",
    "write kernel arguments for the network of the initramfs",
    FLAGS,
    usage=("--provider ID|--cmdline --default-value TEXT",),
)


def run(values: Values) -> None:
    """Write the platform's arguments or the default. Only platforms that have some are asked."""
    if values["default-value"] is None:
        raise UsageError("--default-value is required")
    name = provider(values)
    if is_given(cmdline.read()):
        log.info("the kernel command line configures the network; nothing is written")
        return
    write_arguments(_found(name) or values["default-value"])


def _found(name: str) -> str | None:
    """The platform's arguments; None if it has none, or the machine lacks metadata. Raises Failure if they cannot be read."""
    try:
        tables = tuple(table for table in platforms.metadata(name) if table.kernel_arguments)
    except Failure as failure:
        log.info(f"{failure.what}; the default is used")
        return None
    if not tables:
        return None
    with Fetcher(SETTINGS, offline=False) as fetcher:
        try:
            with opened(tables, fetcher) as (table, reader):
                return table.kernel_arguments(reader) if table.kernel_arguments else None
        except NotHere as reason:
            log.warning(f"this machine has no metadata; the default is used: {reason}")
            return None


# Kernel arguments for the initramfs' network, as dracut reads them.
#
# Source: docs/reference/platforms.md §4.1, §7.5; dracut.cmdline(7).
#
# A network on the kernel command line takes precedence: then nothing is written.

PATH = "/etc/cmdline.d/50-afterburn-network-kargs.conf"
MODE = 0o644


def is_given(text: str) -> bool:
    """Whether the kernel command line has a network of its own."""
    return any(option == "ip" for option, _ in cmdline.options(text))


def write_arguments(arguments: str, *, path: str = "") -> None:
    """Replace the file with these arguments; the directory is created."""
    path = path or PATH
    put(path, f"{arguments}\n".encode(), mode=MODE)
    log.info(f"network of the initramfs: {arguments or 'nothing'} ({path})")
