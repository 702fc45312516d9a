"""The mount stage: mounts the file systems of the config that have a path, below the new root.

Source: docs/reference/ignition-config.md §7.5.
"""

from __future__ import annotations

from ignition.config.model import Config
from ignition.errors import refusing
from ignition.operation import Operation
from ignition.storage.mounting import Mount, MountFacts, probe, refuse_shadows, to_mount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.stages.arguments import Arguments


@refusing()
def plan(config: Config, facts: MountFacts, made: list[str]) -> list[Operation]:
    """Mounts, parents before children. Directories that they create are appended to `made` when they run.

    Raises Failure for a mount that would hide another one.
    """
    refuse_shadows(config.storage.filesystems, facts)
    pairs = to_mount(config.storage.filesystems)
    return [Mount(wanted, where, made) for where, wanted in pairs]


def operations(arguments: Arguments, made: list[str] | None = None) -> list[Operation]:
    """The plan for this machine. Changes nothing. Raises Failure."""
    facts = probe(arguments.config.storage.filesystems, arguments.context.root.path)
    return plan(arguments.config, facts, [] if made is None else made)


def run(arguments: Arguments) -> None:
    """Mount, and tell the files stage which directories were created for it."""
    from ignition.stages import state as states

    state = states.load(arguments.state_file)
    try:
        arguments.runner.run(operations(arguments, state.notated_directories), arguments.context)
    finally:
        states.save(state, arguments.state_file)
