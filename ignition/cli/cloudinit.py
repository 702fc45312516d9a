"""`coreos-cloudinit`: user data and metadata applied to the running machine, at its boot or by hand.

Flags, presets, order of checks and exit statuses are the original's (docs/reference/coreos-cloudinit.md §1 to §3); `-plan` is
ours.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from ignition import __version__
from ignition.cli.flags import DIRECTORIES, FILES, Flag, UsageError, wants_colour
from ignition.cli.program import USAGE, Program
from ignition.cloudinit import network, select
from ignition.cloudinit.datasources import table
from ignition.cloudinit.plan import KEY_NAME, WORKSPACE, Options
from ignition.cloudinit.sequence import FAILED, SUCCESS, Run, Screen
from ignition.cloudinit.sequence import PROGRAM as NAME
from ignition.errors import Failure, trace, unforeseen
from ignition.host import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from ignition.cli.program import Values
    from ignition.cloudinit.datasources import Datasource
    from ignition.cloudinit.sequence import Preview
    from ignition.config.report import Report

_OFFERS = {"FILE": FILES, "DIRECTORY": DIRECTORIES}
FLAGS = (
    *(Flag(s.flag, "" if s.value else False, s.doc, value=s.value, offers=_OFFERS.get(s.value, "")) for s in table.SOURCES),
    Flag(
        "oem",
        "",
        f"use the datasources of a platform: {', '.join(table.PRESETS)}",
        value="NAME",
        offers=tuple(table.PRESETS),
    ),
    Flag(
        "convert-netconf",
        "",
        f"convert the datasource's network configuration to networkd units: {', '.join(network.FORMATS)}",
        value="FORMAT",
        offers=network.FORMATS,
    ),
    Flag("workspace", WORKSPACE, "directory of the scripts of user data", value="DIRECTORY", offers=DIRECTORIES),
    Flag("ssh-key-name", KEY_NAME, "name under which SSH keys are registered", value="NAME"),
    Flag("validate", False, "only report what is wrong with the user data"),
    Flag("plan", False, "only show what would change"),
    Flag("json", False, "with -plan: print the plan as JSON"),
    Flag("html", "", "with -plan: write the plan to a page, which contains all it needs", value="FILE", offers=FILES),
    Flag("show-contents", False, "with -plan: also show the contents of files that only some may read"),
    Flag("ignore-failure", False, "exit with status 0 even if the user data could not be fetched or read"),
)
_OF_PLAN = ("json", "html", "show-contents")
PROGRAM = Program(
    NAME,
    "apply user data to the running machine",
    FLAGS,
    manual="coreos-cloudinit(8)",
    usage=("-from-file FILE [options]", "-from-...|-oem NAME [options]"),
    original="coreos-cloudinit 1.11.0",
    prints_version=False,  # an unknown preset counts before it
    output_is_words=True,
    statuses={
        SUCCESS: "user data was applied; with -validate: it has no findings; with -plan: nothing would change",
        FAILED: "no datasource was available, user data could not be fetched or read, or something could not be applied; with"
        " -validate: it has findings; with -plan: the run would fail",
        USAGE: "invalid usage; with -plan also: something would change",
    },
)


@PROGRAM
def main(values: Values, words: list[str], *, root: str = "/") -> int:
    """Other words are ignored, as in the original. `root` is for tests."""
    if values["oem"]:
        if values["oem"] not in table.PRESETS:
            return _misused(f"Invalid option to -oem: {values['oem']!r}. Supported options: {', '.join(table.PRESETS)}")
        values |= table.PRESETS[values["oem"]]
    if values["version"]:
        print(PROGRAM.version_text())
        return SUCCESS
    if not values["plan"] and (given := [name for name in _OF_PLAN if values[name]]):
        raise UsageError(f"-{given[0]} needs -plan")
    convert = values["convert-netconf"]
    if convert and convert not in network.FORMATS:
        return _misused(f"Invalid option to -convert-netconf: {convert!r}. Supported options: {', '.join(network.FORMATS)}")
    if not any(values[source.flag] for source in table.SOURCES):
        return _misused(f"Provide at least one of {', '.join(f'-{source.flag}' for source in table.SOURCES)}")
    return _run(values, root)


def _misused(message: str) -> int:
    print(message)
    return USAGE


def _run(values: Values, root: str) -> int:
    log.configure(stage="", to_stdout=False, identifier=NAME)
    if not _is_service():
        log.echo(_to_standard_error)
    log.info(f"{NAME} {__version__}")
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
    except Failure as failure:
        log.critical(str(failure))
        return FAILED
    except Exception as error:  # noqa: BLE001  the last line of defence: one line for people, the trace for the log
        log.debug(trace(error))
        log.critical(str(unforeseen(error, NAME)))
        return FAILED


def _applied(source: Datasource, values: Values, root: str) -> int:
    if values["plan"] and not values["validate"]:
        return _planned(source, values, root)
    run = _made(source, values, root, Screen(print, _show, _sum_up))
    return run.validate() if values["validate"] else run.run()


def _made(source: Datasource, values: Values, root: str, screen: Screen, preview: Preview | None = None) -> Run:
    return Run(
        source,
        screen,
        options=Options(values["ssh-key-name"], values["workspace"]),
        root=root,
        convert=values["convert-netconf"],
        preview=preview,
        ignore_failure=values["ignore-failure"],
    )


def _planned(source: Datasource, values: Values, root: str) -> int:
    """Standard output has the plan alone."""
    from ignition.cli.plan import present
    from ignition.fetch.engine import Fetcher, Settings
    from ignition.planning import running

    notes: list[str] = []
    screen = Screen(notes.append, lambda report, text: _show(report, text, sys.stderr), notes.append)
    with Fetcher(Settings(), offline=True) as fetcher:
        preview = running.Preview(root, fetcher, shows_contents=values["show-contents"])
        run = _made(source, values, root, screen, preview)
        fails = run.run() == FAILED
    forgiven = [] if fails else [f"ignored: {failure}" for failure in run.failures]
    result = preview.result(run.failures if fails else [], [*notes, *forgiven])
    return present(result, values, source.called, kind="coreos-cloudinit, planned", fails=fails)


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
        with suppress(BrokenPipeError):  # without a reader the work continues
            print(f"{time.strftime('%Y/%m/%d %H:%M:%S')} {message}", file=sys.stderr, flush=True)


def _show(report: Report, text: bytes, stream: TextIO | None = None) -> None:
    """With source lines: these may hold secrets, so they do not go into the journal."""
    if not _is_service():
        from ignition.config.text.display import display

        stream = stream or sys.stdout
        print(display(report, text, colour=wants_colour(stream)), file=stream)


if __name__ == "__main__":
    sys.exit(main())
