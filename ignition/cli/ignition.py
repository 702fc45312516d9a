"""`ignition`: one stage per run, as the units of the initramfs call it; and commands that people type.

Flags, environment, files and exit statuses are those of Ignition 2.26 (docs/reference/ignition-config.md §6.2): 0 success, 1 the
stage failed, 2 usage, 3 the state between the stages could not be set up.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

from ignition import __version__
from ignition.cli.failure_screen import show_failure
from ignition.cli.flags import Flag, UsageError, duration_s, help_text, read
from ignition.errors import Failure, trace, unforeseen
from ignition.host import frame, log, paths, progress
from ignition.host.printable import MOST_OF_A_LINE, printable
from ignition.host.printable import message as clean
from ignition.operation import Context, Runner
from ignition.stages.arguments import Arguments, Paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STAGES = ("fetch-offline", "fetch", "kargs", "disks", "mount", "files", "umount")  # in the order of a boot
GROW = "grow"
COMMANDS = ("render", "schema")  # each a module of its own beside this one
FETCHING = ("fetch-offline", "fetch")
SUCCESS, FAILED, USAGE, NO_STATE = 0, 1, 2, 3

FLAGS = (
    Flag("config-cache", paths.CONFIG_CACHE, "where the rendered config is kept between the stages", value="FILE"),
    Flag("fetch-timeout", "2m0s", "limit for fetching the config, all attempts included", value="DURATION"),
    Flag("log-to-stdout", False, "log to standard output instead of the journal"),
    Flag("neednet", paths.NEEDNET, "flag file that says the config needs a network", value="FILE"),
    Flag("platform", "", "the platform that the config comes from (required)", value="ID"),
    Flag("root", "/", "the root of the machine that is being set up", value="DIRECTORY"),
    Flag("stage", "", f"the stage to run (required): {', '.join(STAGES)}", value="NAME"),
    Flag("state-file", paths.STATE, "what the stages tell each other", value="FILE"),
    Flag("version", False, "print the version and exit"),
    Flag("help", False, "print this help and exit"),
    Flag("h", False, "the same"),
)
USAGE_TEXT = """usage: ignition -stage NAME -platform ID [flag …]   run one stage of a first boot
       ignition grow [-root DIRECTORY] [flag …]    grow ROOT to the end of its disk
       ignition report [-root DIRECTORY]           what the first boot of this machine did, and how long it took
       ignition render [URL|FILE] [flag …]         print the config that a machine would get; render -help says more
       ignition schema NAME                        print a JSON Schema for editors; schema -help says which there are"""


@frame.program("ignition")
def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] in COMMANDS:
        status: int = import_module(f"ignition.cli.{words[0]}").main(words[1:])
        return status
    command = words.pop(0) if words and words[0] in (GROW, "report") else "stage"
    try:
        values, rest = read(FLAGS, words)
        duration = duration_s(values["fetch-timeout"])
    except (UsageError, ValueError) as error:
        return _usage(str(error))
    if values["help"] or values["h"]:
        return _print(help_text(USAGE_TEXT, FLAGS))
    if values["version"]:
        return _print(f"Ignition {__version__}")
    if command == "report":
        return _report(values["root"])
    if command == GROW:
        values["stage"] = GROW
    wrong = _wrong_stage(command, values, rest)
    if wrong:
        return _usage(wrong)
    unknown = _unknown_platform(values) if command == "stage" else None
    return _refused(values, unknown) if unknown else _run_stage(values, float(int(duration)))


def _wrong_stage(command: str, values: dict[str, Any], rest: list[str]) -> str:
    """What is wrong with a well-formed command line; "" if nothing."""
    if command == GROW:
        return ""
    if not values["stage"]:
        return f"-stage is required: one of {', '.join(STAGES)}" + (f" (not {rest[0]!r})" if rest else "")
    if values["stage"] not in STAGES:
        return f"unknown stage {values['stage']!r}: one of {', '.join(STAGES)}"
    if not values["platform"]:
        return "-platform is required: the kernel argument ignition.platform.id names it for the units of the initramfs"
    return ""


def _unknown_platform(values: dict[str, Any]) -> Failure | None:
    from ignition.platforms import config_source

    try:
        config_source(values["platform"])
    except Failure as failure:
        failure.where = "kernel argument ignition.platform.id"
        return failure
    return None


def _refused(values: dict[str, Any], failure: Failure) -> int:
    """Usage of who gave the kernel its arguments: they look at a screen, and the flags of a program do not help them."""
    log.configure(stage=values["stage"], to_stdout=values["log-to-stdout"])
    print(f"ignition: {clean(str(failure))}", file=sys.stderr)
    return _failed({**values, "platform": ""}, failure, USAGE)


def _run_stage(values: dict[str, Any], fetch_timeout_s: float) -> int:
    stage, state_file = values["stage"], values["state-file"]
    log.configure(stage=stage, to_stdout=values["log-to-stdout"])
    log.info(f"Ignition {__version__}, stage {stage}")
    if not values["log-to-stdout"]:  # in a boot, standard output goes to the console beside the journal
        progress.to(lambda text: print(f"ignition: {text}", flush=True))
    try:
        os.makedirs(os.path.dirname(os.path.abspath(state_file)), mode=0o755, exist_ok=True)
    except OSError as error:
        return _failed(values, Failure(f"cannot make the directory of the state file: {error}"), NO_STATE)
    try:
        with Runner(stage, paths.mark(state_file, paths.OPERATIONS), lambda failure: _locate(values, failure)) as runner:
            _execute(
                Arguments(
                    stage=stage,
                    platform=values["platform"],
                    root=values["root"],
                    runner=runner,
                    paths=Paths(config_cache=values["config-cache"], neednet=values["neednet"], state_file=state_file),
                    fetch_timeout_s=fetch_timeout_s,
                )
            )
    except Failure as failure:
        return _failed(values, failure, FAILED)
    except Exception as error:  # noqa: BLE001  the last line of defence: the machine's owner must get a screen, not a trace alone
        log.critical(trace(error))
        bug = unforeseen(error, "ignition")
        bug.lasting = not isinstance(error, (OSError, MemoryError))  # those are the machine's, and may pass
        return _failed(values, bug, FAILED)
    log.info(f"stage {stage} finished")
    if stage == "files":
        _show_notice()
    _tell_platform(values, "")
    return SUCCESS


def _execute(arguments: Arguments) -> None:
    if arguments.stage not in (*FETCHING, GROW):
        from ignition.fetch.engine import Fetcher, Settings
        from ignition.host.root import Root
        from ignition.platforms import current_id
        from ignition.rendering.render import load_for_stage

        arguments.config = load_for_stage(arguments)
        settings, platform = Settings.from_config(arguments.config), current_id(arguments.platform)
        fetcher = Fetcher(settings, offline=False, root=arguments.root, platform=platform)
        arguments.context = Context(Root(arguments.root), fetcher)
        with fetcher:
            _run_module(arguments)
    else:
        _run_module(arguments)


def _run_module(arguments: Arguments) -> None:
    # Only the module of this stage: each stage is a process of its own and pays for what it imports.
    import_module(f"ignition.stages.{arguments.stage.replace('-', '_')}").run(arguments)


def _failed(values: dict[str, Any], failure: Failure, status: int) -> int:
    stage = values["stage"]
    _locate(values, failure)
    log.critical(f"stage {stage} failed: {failure}")
    show_failure(stage, values["state-file"], failure)
    _tell_platform(values, clean(str(failure)))
    return status


def _locate(values: dict[str, Any], failure: Failure) -> None:
    """Name the places of the sources; before there is a cache, and of a ROOT that grows, there are none."""
    if values["stage"] not in (*FETCHING, GROW) and "$." in f"{failure.where}{failure.what}{failure.fix}":
        from ignition.rendering.sources import locate

        locate(failure, values["state-file"])


def _show_notice() -> None:
    """What the stage has left for the login prompt, now: its unit writes standard output to the console as well."""
    with log.never_fatal("the notice was not shown"), suppress(FileNotFoundError):
        with open(os.path.join(paths.issue_directory(), paths.ISSUE), encoding="utf-8") as file:
            _print(file.read().replace("\\\\", "\\").rstrip())


def _tell_platform(values: dict[str, Any], problem: str) -> None:
    """How the stage ended, where the platform wants to know. The screen and the log come first: this may take seconds."""
    if values["stage"] == GROW:
        return
    with log.never_fatal("the platform was not told how the stage ended"):
        from ignition import platforms

        report = platforms.report(values["platform"])
        if report:
            from ignition.stages import status_report

            status_report.send(report, values["stage"], problem, neednet=values["neednet"], state_file=values["state-file"])


def _report(root: str) -> int:
    from ignition.stages.result import report_text

    try:
        lines = report_text(root.rstrip("/") + paths.REPORT).split("\n")
        return _print("\n".join(printable(line, MOST_OF_A_LINE) for line in lines))
    except Failure as failure:
        print(f"ignition report: {clean(str(failure))}", file=sys.stderr)
        return FAILED


def _print(text: str) -> int:
    print(text)
    return SUCCESS


def _usage(message: str) -> int:
    print(f"ignition: {clean(message)}\n\n{USAGE_TEXT}\n\nTry ignition -help.", file=sys.stderr)
    return USAGE


if __name__ == "__main__":
    sys.exit(main())
