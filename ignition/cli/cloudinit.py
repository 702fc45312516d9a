"""`coreos-cloudinit`: user data and metadata applied to the running machine, at its boot or by hand.

Flags, presets, order of checks and exit statuses are the original's (docs/reference/coreos-cloudinit.md §1 to §3); `-plan` is
ours.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from ignition import __version__
from ignition.cli.flags import Flag, UsageError, help_text, read
from ignition.cloudinit import network, select
from ignition.cloudinit.datasources import table
from ignition.cloudinit.plan import KEY_NAME, WORKSPACE, Options
from ignition.cloudinit.sequence import FAILED, PROGRAM, SUCCESS, Run, Screen
from ignition.errors import Failure, trace, unforeseen
from ignition.host import frame, log
from ignition.host.printable import message as clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.cloudinit.datasources import Datasource
    from ignition.config.report import Report

USAGE = 2
FLAGS = (
    *(Flag(one.flag, "" if one.value else False, one.doc, value=one.value) for one in table.SOURCES),
    Flag("oem", "", f"use the datasources of a platform: {', '.join(table.PRESETS)}", value="NAME"),
    Flag("convert-netconf", "", f"make networkd units of the datasource's network: {', '.join(network.FORMATS)}", value="FORMAT"),
    Flag("workspace", WORKSPACE, "where scripts of user data are kept", value="DIRECTORY"),
    Flag("ssh-key-name", KEY_NAME, "under which name SSH keys are registered", value="NAME"),
    Flag("validate", False, "only say what is wrong with the user data"),
    Flag("plan", False, "only say what would be done"),
    Flag("ignore-failure", False, "exit with status 0 although the user data could not be fetched or read"),
    Flag("version", False, "print the version and exit"),
    Flag("help", False, "print this help and exit"),
    Flag("h", False, "the same"),
)
USAGE_TEXT = f"usage: {PROGRAM} -from-file FILE [flag …]\n       {PROGRAM} -from-…|-oem NAME [flag …]"


@frame.program(PROGRAM, output_is_words=True)
def main(arguments: Sequence[str] | None = None, *, root: str = "/") -> int:
    """Entry point; returns the exit status. `root` is for tests."""
    try:
        values, _ = read(FLAGS, sys.argv[1:] if arguments is None else arguments)
    except UsageError as error:
        print(f"{PROGRAM}: {clean(str(error))}\n\n{USAGE_TEXT}\n\nTry {PROGRAM} -help.", file=sys.stderr)
        return USAGE
    if values["help"] or values["h"]:
        print(help_text(USAGE_TEXT, FLAGS))
        return SUCCESS
    if values["oem"]:
        if values["oem"] not in table.PRESETS:
            return _misused(f"Invalid option to -oem: {values['oem']!r}. Supported options: {', '.join(table.PRESETS)}")
        values |= table.PRESETS[values["oem"]]
    if values["version"]:
        print(f"{PROGRAM} {__version__}")
        return SUCCESS
    convert = values["convert-netconf"]
    if convert and convert not in network.FORMATS:
        return _misused(f"Invalid option to -convert-netconf: {convert!r}. Supported options: {', '.join(network.FORMATS)}")
    if not any(values[source.flag] for source in table.SOURCES):
        return _misused(f"Provide at least one of {', '.join(f'-{source.flag}' for source in table.SOURCES)}")
    return _run(values, root)


def _misused(message: str) -> int:
    print(message)
    return USAGE


def _run(values: dict[str, Any], root: str) -> int:
    log.configure(stage="", to_stdout=False, identifier=PROGRAM)
    if not _is_service():
        log.echo(_to_standard_error)
    log.info(f"{PROGRAM} {__version__}")
    if os.geteuid() != 0 and not (values["validate"] or values["plan"]):
        log.critical("only root can apply user data: use sudo, or -plan to see what would be done")
        return FAILED
    try:
        source = select.first_available(table.made(values))
    except Failure as failure:
        log.critical(str(failure))
        return FAILED
    if source is None:
        log.critical("no datasources available in time")
        return FAILED
    try:
        return _applied(source, values, root)
    except Exception as error:  # noqa: BLE001  the last line of defence: one line for people, the trace for the log
        log.debug(trace(error))
        log.critical(str(unforeseen(error, PROGRAM)))
        return FAILED


def _applied(source: Datasource, values: dict[str, Any], root: str) -> int:
    run = Run(
        source,
        Screen(print, _show, _sum_up),
        options=Options(values["ssh-key-name"], values["workspace"]),
        root=root,
        convert=values["convert-netconf"],
        only_plan=values["plan"],
        ignore_failure=values["ignore-failure"],
    )
    return run.validate() if values["validate"] else run.run()


def _is_service() -> bool:
    """systemd.exec(5): standard output and error are the journal itself."""
    return "JOURNAL_STREAM" in os.environ


def _sum_up(text: str) -> None:
    if not _is_service():
        print(text)


def _to_standard_error(priority: int, message: str) -> None:
    """As Go's log package writes."""
    import time

    if priority < log.DEBUG:
        with suppress(BrokenPipeError):  # nobody listens any more: what is being applied goes on
            print(f"{time.strftime('%Y/%m/%d %H:%M:%S')} {message}", file=sys.stderr, flush=True)


def _show(report: Report, text: bytes) -> None:
    """With source lines: these may hold secrets, so they do not go into the journal."""
    if not _is_service():
        print(report.rich(text, colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR")))


if __name__ == "__main__":
    sys.exit(main())
