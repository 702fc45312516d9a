"""The kargs stage: passes the wanted kernel arguments to the distribution's helper, which edits its boot loader and reboots.

Contract of the helper (docs/reference/ignition-config.md §7.9): it appends missing arguments, tolerates absent ones, and reboots
if it changed something.
"""

from __future__ import annotations

from ignition.config.model import Config, KernelArguments
from ignition.errors import CommandFailed, Failure
from ignition.host import command
from ignition.operation import Context, Operation
from ignition.stages.arguments import Arguments

HELPER = "ignition-kargs-helper"
_MOST_LINES = 5  # of the helper's last words
_TIMEOUT_S = 300  # for mounting, writing and syncing a slow boot partition


def plan(config: Config, helper: str = HELPER) -> list[Operation]:
    """One operation, or none without kernel arguments in the config."""
    wanted = config.kernel_arguments
    return [SetKernelArguments(wanted, helper)] if wanted.should_exist or wanted.should_not_exist else []


def operations(arguments: Arguments) -> list[Operation]:
    """The plan for this machine."""
    return plan(arguments.config)


def run(arguments: Arguments) -> None:
    """Execute the plan. Raises Failure."""
    arguments.runner.run(operations(arguments), arguments.context)


class SetKernelArguments(Operation):
    """All `shouldExist` first, then all `shouldNotExist`; each element is one argument of the helper."""

    kind = "set-kernel-arguments"

    def __init__(self, wanted: KernelArguments, helper: str) -> None:
        self.wanted, self._helper = wanted, helper

    def describe(self) -> str:
        return f"set kernel arguments with {HELPER}"

    def execute(self, context: Context) -> None:
        argv = [self._helper]
        for argument in self.wanted.should_exist:
            argv += ["--should-exist", argument]
        for argument in self.wanted.should_not_exist:
            argv += ["--should-not-exist", argument]
        try:
            command.run(argv, why="set the kernel arguments", timeout_s=_TIMEOUT_S)
        except CommandFailed as failure:
            fix = f"the image must bring {HELPER} for its boot loader" if failure.status is None else ""
            # Not with the arguments, which are in the config: the reason needs the room of the screen.
            said = " | ".join(line.strip() for line in failure.stderr.split("\n")[-_MOST_LINES:] if line.strip())
            what = f"the kernel arguments cannot be set: {said}" if said else failure.what
            raise Failure(what, where="$.kernelArguments", fix=fix) from failure
