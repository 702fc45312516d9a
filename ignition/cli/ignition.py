"""`ignition`: one stage per run, as the units of the initramfs call it; and commands that people type.

Flags, environment, files and exit statuses are those of Ignition 2.26 (docs/reference/ignition-config.md §6.2): 0 success, 1 the
stage failed, 2 usage, 3 the state between the stages could not be set up.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import import_module

from ignition import __version__
from ignition.cli.flags import DIRECTORIES, FILES, Flag, UsageError, duration, duration_s, platforms_with_config
from ignition.cli.program import IGNITION, Program
from ignition.errors import Failure, is_foreign, trace, unforeseen
from ignition.host import log, paths, progress
from ignition.host.printable import message as clean
from ignition.operation import Context, Runner
from ignition.stages.arguments import Arguments, Paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from ignition.cli.program import Values

STAGES = ("fetch-offline", "fetch", "kargs", "disks", "mount", "files", "umount")  # in the order of a boot
GROW = "grow"
FETCHING = ("fetch-offline", "fetch")
SUCCESS, FAILED, USAGE, NO_STATE = 0, 1, 2, 3


def _plan() -> Program:
    from ignition.cli import plan

    return plan.PROGRAM


def _retry() -> Program:
    from ignition.cli import retry

    return retry.PROGRAM


def _report() -> Program:
    from ignition.cli import report

    return report.PROGRAM


def _render() -> Program:
    from ignition.cli import render

    return render.PROGRAM


def _command(name: str, load: Callable[[], ModuleType], program_name: str = "PROGRAM") -> Program:
    """The program of a command in a module of its own; where that is not installed, one that fails."""
    try:
        program: Program = getattr(load(), program_name)
    except ImportError as error:  # see ABSENT in dracut's closure.py
        if is_foreign(error):
            raise
        program = Program(f"ignition {name}", "", (), manual=f"ignition-{name}(1)", usage=("",), statuses={})
        program(lambda _values, _words: _absent(name))
    return program


_ON_THIS_MACHINE = "run it when this machine has booted"
_INSTEAD = {
    "arm": _ON_THIS_MACHINE,
    "disarm": _ON_THIS_MACHINE,
    "doctor": f"{_ON_THIS_MACHINE}, or on a workstation for an image of its disk (-image)",
    "facts": _ON_THIS_MACHINE,
    "from-cloud-config": "run it on a workstation",
    "reset": _ON_THIS_MACHINE,
    "schema": "run it on a workstation",
    "seal": "run it on a workstation",
    "simulate": "run it on a workstation",
    "status": f"read {paths.RUN}/{paths.FAILURE} here, or {_ON_THIS_MACHINE}",
    "verify": _ON_THIS_MACHINE,
}


def _absent(name: str) -> None:
    raise Failure(f"an initramfs does not contain ignition {name}", fix=_INSTEAD[name])


_ROOT = Flag("root", "/", "root directory of the machine that is set up", value="DIRECTORY", offers=DIRECTORIES)
_STATE_FILE = Flag("state-file", paths.STATE, "state shared between stages", value="FILE", offers=FILES)
_LOG = Flag("log-to-stdout", False, "log to standard output instead of the journal")
FLAGS = (
    Flag("config-cache", paths.CONFIG_CACHE, "rendered config, shared between stages", value="FILE", offers=FILES),
    Flag("fetch-timeout", "2m0s", "limit for fetching the config, all attempts included", value="DURATION", parse=duration),
    _LOG,
    Flag("neednet", paths.NEEDNET, "flag file that says that the config needs a network", value="FILE", offers=FILES),
    Flag("platform", "", "platform that provides the config (required)", value="ID", offers=platforms_with_config),
    _ROOT,
    Flag("stage", "", f"stage to run (required): {', '.join(STAGES)}", value="NAME", offers=STAGES),
    _STATE_FILE,
)
OF_GROW = ("log-to-stdout", "root", "state-file")
_STATUSES = {FAILED: "the stage failed", USAGE: "invalid usage", NO_STATE: "the directory of the state file could not be made"}

GROWING = Program(
    "ignition grow",
    "grow ROOT to the end of its disk",
    tuple(flag if flag.name in OF_GROW else flag.concealed() for flag in FLAGS),
    manual="ignition-grow(8)",
    usage=("[options]",),
    original=IGNITION,
    statuses={**_STATUSES, FAILED: "ROOT could not be grown"},
)
PROGRAM = Program(
    "ignition",
    "run one stage of a machine's first boot",
    FLAGS,
    manual="ignition(8)",
    usage=(
        "-stage NAME -platform ID [options]",
        "plan [URL|FILE|-]... [-image FILE | -facts FILE] [options]",
        "facts [URL|FILE|-]... [options]",
        "simulate URL|FILE|-... -into DIRECTORY [options]",
        "render [URL|FILE|-]... [options]",
        "from-cloud-config [FILE|-] [options]",
        "seal -pin PIN CONFIG [FILE|-] [-as KIND]",
        "schema NAME",
        "report [FILE] [options]",
        "outcome [-send] [-url URL] [-format FORMAT]",
        "retry [-stage STAGE] [-config FILE|URL]",
        "status [-wait[=SECONDS]] [-json] [-root DIRECTORY]",
        "reset [-keep WHAT]... [-yes] [-dry-run] [-json]",
        "doctor [-root DIRECTORY | -image FILE] [-json]",
        "arm [-grow] [-dry-run]",
        "disarm [-dry-run]",
        "grow [-root DIRECTORY] [options]",
    ),
    original=IGNITION,
    statuses=_STATUSES,
    # Only the module of the called command is loaded: a stage does not pay for the others.
    commands={
        # Whole names: from the beginning of one, dracut's closure.py would take all modules that begin with it.
        "plan": _plan,
        "facts": lambda: _command("facts", lambda: import_module("ignition.cli.facts")),
        "simulate": lambda: _command("simulate", lambda: import_module("ignition.cli.simulate")),
        "render": _render,
        "from-cloud-config": lambda: _command("from-cloud-config", lambda: import_module("ignition.cli.from_cloud_config")),
        "seal": lambda: _command("seal", lambda: import_module("ignition.cli.seal")),
        "schema": lambda: _command("schema", lambda: import_module("ignition.cli.schema")),
        "report": _report,
        "outcome": lambda: _command("outcome", lambda: import_module("ignition.cli.outcome")),
        "retry": _retry,
        "status": lambda: _command("status", lambda: import_module("ignition.cli.status")),
        "verify": lambda: _command("verify", lambda: import_module("ignition.cli.verify")),
        "reset": lambda: _command("reset", lambda: import_module("ignition.cli.reset")),
        "doctor": lambda: _command("doctor", lambda: import_module("ignition.cli.doctor")),
        "arm": lambda: _command("arm", lambda: import_module("ignition.cli.arm")),
        "disarm": lambda: _command("disarm", lambda: import_module("ignition.cli.arm"), "DISARM"),
        GROW: lambda: GROWING,
    },
)


@PROGRAM
def main(values: Values, words: list[str]) -> int:
    """One stage; other words are ignored, as in the original."""
    if not values["stage"]:
        raise UsageError(f"-stage is required: one of {', '.join(STAGES)}" + (f" (not {words[0]!r})" if words else ""))
    if values["stage"] not in STAGES:
        raise UsageError(f"unknown stage {values['stage']!r}: one of {', '.join(STAGES)}")
    if not values["platform"]:
        raise UsageError(
            "-platform is required: the kernel argument ignition.platform.id names it for the units of the initramfs"
        )
    unknown = _unknown_platform(values)
    return _refused(values, unknown) if unknown else _visibly(values)


@GROWING
def grow(values: Values, words: list[str]) -> int:
    """As a stage, without a config."""
    return _visibly({**values, "stage": GROW})


def _unknown_platform(values: Values) -> Failure | None:
    from ignition.platforms import config_source

    try:
        config_source(values["platform"])
    except Failure as failure:
        failure.where = "kernel argument ignition.platform.id"
        return failure
    return None


def _refused(values: Values, failure: Failure) -> int:
    """Usage of who gave the kernel its arguments: they look at a screen, and the flags of a program do not help them."""
    log.configure(stage=values["stage"], to_stdout=values["log-to-stdout"])
    print(f"ignition: {clean(str(failure))}", file=sys.stderr)
    return _failed({**values, "platform": ""}, failure, USAGE)


def _visibly(values: Values) -> int:
    """Run the stage; in a boot, whatever takes long is reported on the consoles beside the journal."""
    if not values["log-to-stdout"]:
        progress.in_boot("ignition", f"stage {values['stage']}")
    try:
        return _run_stage(values)
    finally:
        progress.to(None)


def _run_stage(values: Values) -> int:
    stage, state_file = values["stage"], values["state-file"]
    log.configure(stage=stage, to_stdout=values["log-to-stdout"])
    log.info(f"Ignition {__version__}, stage {stage}")
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
                    fetch_timeout_s=float(int(duration_s(values["fetch-timeout"]))),
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
        from ignition.trust.policy import of_this_boot

        arguments.config = load_for_stage(arguments.config_cache, arguments.platform)
        settings, platform = Settings.from_config(arguments.config), current_id(arguments.platform)
        policy = of_this_boot()
        fetcher = Fetcher(settings, offline=False, root=arguments.root, platform=platform, opens=True, policy=policy)
        arguments.context = Context(Root(arguments.root), fetcher)
        with fetcher:
            _run_module(arguments)
    else:
        _run_module(arguments)


def _run_module(arguments: Arguments) -> None:
    # Only the module of this stage: each stage is a process of its own, and imports take time.
    import_module(f"ignition.stages.{arguments.stage.replace('-', '_')}").run(arguments)


def _failed(values: Values, failure: Failure, status: int) -> int:
    from ignition.cli.failure_screen import show_failure

    stage = values["stage"]
    _locate(values, failure)
    log.critical(f"stage {stage} failed: {failure}")
    show_failure(stage, values["state-file"], failure)
    with log.never_fatal("the failure was not recorded"):
        from ignition.outcome.failure import keep

        keep(stage, failure, values["state-file"])
    _tell_platform(values, clean(str(failure)))
    return status


def _locate(values: Values, failure: Failure) -> None:
    """Name the places of the sources; before there is a cache, and of a ROOT that grows, there are none."""
    if values["stage"] not in (*FETCHING, GROW) and "$." in f"{failure.where}{failure.what}{failure.fix}":
        from ignition.rendering.sources import locate

        locate(failure, values["state-file"])


def _show_notice() -> None:
    """Print the notice for the login prompt at once: the unit writes standard output to the console as well."""
    with log.never_fatal("the notice was not shown"), suppress(FileNotFoundError):
        with open(os.path.join(paths.issue_directory(), paths.ISSUE), encoding="utf-8") as file:
            print(file.read().replace("\\\\", "\\").rstrip())


def _tell_platform(values: Values, problem: str) -> None:
    """How the stage ended, where the platform wants to know. The screen and the log come first: this may take seconds."""
    if values["stage"] == GROW:
        return
    with log.never_fatal("the platform was not told how the stage ended"):
        from ignition import platforms

        report = platforms.report(values["platform"])
        if report:
            from ignition.stages import status_report

            status_report.send(report, values["stage"], problem, neednet=values["neednet"], state_file=values["state-file"])


if __name__ == "__main__":
    sys.exit(main())
