"""All programs: their manual pages, completion and tests come from these records. No program imports this."""

from __future__ import annotations

from collections.abc import Iterator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.program import Program


def programs() -> tuple[Program, ...]:
    """Those that a person or a unit can call."""
    from coreos_metadata import main as coreos_metadata
    from ignition.cli import butane, cloudinit, ct, ignition, install, kargs_helper, rmcfg, validate

    modules = (ignition, validate, kargs_helper, rmcfg, coreos_metadata, cloudinit, install, butane, ct)
    return tuple(module.PROGRAM for module in modules)


def with_commands() -> Iterator[Program]:
    """All programs and their documented commands."""
    for program in programs():
        yield program
        yield from (command for command in program.listed().values() if command is not program)
