"""`ignition report [FILE]`: what the first boot of a machine did, and how long it took.

As text, as JSON, or as one page that needs no network. Exit statuses: 0 printed, 1 there is no report or it cannot be read,
2 usage.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress

from ignition.cli.flags import DIRECTORIES, FILES, GO_ANYWHERE, Flag, UsageError, wants_colour
from ignition.cli.program import FAILED, IGNITION, USAGE, Program
from ignition.errors import Failure, is_foreign
from ignition.host import paths
from ignition.host.printable import MOST_OF_A_LINE, printable
from ignition.host.reading import lines, regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.program import Values
    from ignition.reporting.report import Report

METADATA = ("/run/metadata/coreos", "/run/metadata/flatcar")  # units of coreos-metadata write them
_STDOUT = "-"
FLAGS = (
    Flag("blame", False, "print only the operations, the slowest first"),
    Flag("html", "", "write a page to this file, or to standard output if it is -", value="FILE", offers=FILES),
    Flag("json", False, "print the report as JSON, with totals, disks and warnings; ignition schema report has its members"),
    Flag("root", "/", "root directory of the machine that was provisioned", value="DIRECTORY", offers=DIRECTORIES),
)
PROGRAM = Program(
    "ignition report",
    "print what the first boot of this machine did, and how long it took",
    FLAGS,
    manual="ignition-report(1)",
    usage=("[FILE] [-root DIRECTORY] [-blame | -json | -html FILE]",),
    dialect=GO_ANYWHERE,
    operands=FILES,
    original=IGNITION,
    statuses={FAILED: "there is no report, or it cannot be read", USAGE: "invalid usage"},
)


@PROGRAM
def main(values: Values, words: list[str]) -> None:
    """Print the report in the root, or in a file."""
    if len(words) > 1:
        raise UsageError(f"expected one report, not {len(words)}")
    if sum((values["blame"], values["json"], bool(values["html"]))) > 1:
        raise UsageError("-blame, -json and -html exclude each other")
    from ignition.reporting import text
    from ignition.reporting.report import read

    root = values["root"].rstrip("/")
    report = _of_this_boot() if not (words or root) and os.path.exists(paths.INITRD_RELEASE) else None
    report = report or read(words[0] if words else root + paths.REPORT)
    # Metadata of this boot, which is not in the report, belong to the machine in the root only.
    metadata = {} if words else metadata_of(root)
    if values["html"]:
        _write(values["html"], _page(report, metadata))
    elif values["json"]:
        print(text.as_json(report, metadata))
    elif values["blame"]:
        print(text.blame(report))
    else:
        width = shutil.get_terminal_size((79, 24)).columns
        print(text.text(report, width=min(width, 120), colour=wants_colour(sys.stdout)))


def _of_this_boot() -> Report | None:
    """In an initramfs, where a report has not been written: what the stages have recorded so far. None without records."""
    from ignition.reporting.report import Report
    from ignition.stages import result

    with suppress(OSError):
        if result.recorded_operations(paths.STATE):
            return Report(result.gathered(paths.STATE, platform=_platform()))
    return None


def _platform() -> str:
    with suppress(OSError), open(paths.ENVIRONMENT, encoding="utf-8", errors="replace", newline="\n") as file:
        return file.read().strip().removeprefix("PLATFORM_ID=")
    return ""


def metadata_of(root: str) -> dict[str, str]:
    """The attributes that coreos-metadata wrote: `KEY=VALUE` lines (docs/coreos-metadata.md)."""
    found: dict[str, str] = {}
    for path in METADATA:
        with suppress(OSError, ValueError):
            for line in lines(regular(root + path).decode("utf-8", "replace")):
                name, equals, value = line.partition("=")
                if equals:
                    found[printable(name)] = printable(value.strip('"'), MOST_OF_A_LINE)
    return found


def _page(report: Report, metadata: dict[str, str]) -> str:
    try:
        from ignition.reporting import page
    except ImportError as error:  # see ABSENT in dracut's closure.py
        if is_foreign(error):
            raise
        raise Failure(
            "an initramfs does not contain pages", fix="leave out -html here, or run the command when this machine has booted"
        ) from error
    return page.html(report, metadata)


def _write(path: str, text: str) -> None:
    """The page: for its owner only, as the report is, which names files and users."""
    if path == _STDOUT:
        sys.stdout.write(text)
        return
    try:
        # Not replaced in one step: FILE may be a device.
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise Failure(f"cannot be written: {error.strerror}", where=path) from error
    print(path)
