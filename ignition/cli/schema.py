"""`ignition schema NAME`: the JSON Schema of a kind of document on standard output, for editors and for readers of our output.

    ignition schema 3.5.0                  an Ignition config of that spec version
    ignition schema butane fcos 1.6.0      a Butane document of that variant and version
    ignition schema ct                     a Container Linux Config
    ignition schema cloud-config           a cloud-config
    ignition schema assertions             an assertion file of ignition simulate
    ignition schema applied                the record of a first boot
    ignition schema manifest               manifest.json of ignition simulate
    ignition schema outcome                the outcome of one attempt of a first boot, as it is sent
    ignition schema report                 report.json, and the output of `ignition report --json`
    ignition schema COMMAND                the JSON that a command prints: facts, plan, simulate, status, verify, reset, doctor …

Exit statuses: 0 printed, 2 usage, a name that no schema has included.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from importlib import import_module

from ignition.cli.flags import GO_ANYWHERE, UsageError
from ignition.cli.program import IGNITION, Program
from ignition.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.program import Values
    from ignition.config.schema import Schema

USAGE = 2
BUTANE, CT, CLOUD_CONFIG = "butane", "ct", "cloud-config"
# Documents that have one version each, and the module with the function that makes the schema.
_ALONE = {
    CT: ("ignition.transpile.schema", "container_linux_config"),
    CLOUD_CONFIG: ("ignition.cloudinit.schema", "cloud_config"),
    "assertions": ("ignition.simulation.assertions", "schema"),
}
# Those that our programs write; docs/NAME.schema.json has each.
WRITTEN = {
    "applied": ("ignition.applied.schema", "applied"),
    "doctor": ("ignition.arming.schema", "doctor"),
    "facts": ("ignition.facts.schema", "schema"),
    "outcome": ("ignition.outcome.schema", "outcome"),
    "manifest": ("ignition.simulation.schema", "manifest"),
    "plan": ("ignition.planning.schema", "plan"),
    "report": ("ignition.reporting.schema", "report"),
    "reset": ("ignition.provisioned.schema", "reset"),
    "simulate": ("ignition.simulation.schema", "simulate"),
    "status": ("ignition.provisioned.schema", "status"),
    "validate": ("ignition.cli.validation.schema", "validate"),
    "verify": ("ignition.applied.schema", "verify"),
}
_ALONE |= WRITTEN
_DIGITS = tuple("0123456789")


def words() -> Iterator[str]:
    """Words that may follow the command, one or several at a time."""
    from ignition.config.schema import VERSIONS
    from ignition.transpile.butane import variants

    yield from VERSIONS
    for name in (variants.FCOS, variants.FLATCAR):
        yield from (f"{BUTANE} {name} {version}" for version in variants.versions_of(name))
    yield from _ALONE


PROGRAM = Program(
    "ignition schema",
    "print a JSON Schema",
    (),
    manual="ignition-schema(1)",
    usage=(
        "VERSION",
        f"{BUTANE} VARIANT VERSION",
        " | ".join(name for name in _ALONE if name not in WRITTEN),
        " | ".join(WRITTEN),
    ),
    dialect=GO_ANYWHERE,
    operands=words,
    original=IGNITION,
    more_help=lambda: ("Schemas:", *(f"  {line}" for line in known())),
    statuses={USAGE: "invalid usage, or there is no such schema"},
)


@PROGRAM
def main(values: Values, words: list[str]) -> None:
    """Print the schema that the words name."""
    try:
        sys.stdout.write(text(words))
    except Failure as failure:
        raise UsageError(str(failure)) from failure


def known() -> list[str]:
    """The available schemas, one kind per line."""
    from ignition.config.schema import VERSIONS
    from ignition.transpile.butane import variants

    names = (variants.FCOS, variants.FLATCAR)
    documents = [f"{BUTANE} {name} {' | '.join(variants.versions_of(name))}" for name in names]
    return [" | ".join(VERSIONS), *documents, *_ALONE]


def text(words: Sequence[str]) -> str:
    """The schema that these words name, as JSON with a final newline. Raises Failure."""
    from ignition.config import schema

    match words:
        case [name, *rest] if name == BUTANE:
            return schema.pretty(_butane(rest))
        case [name] if name in _ALONE:
            module, function = _ALONE[name]
            return schema.pretty(getattr(import_module(module), function)())
        case [version] if version.startswith(_DIGITS):
            return schema.text(version)
        case [name, *_] if name not in _ALONE and not name.startswith(_DIGITS):
            raise Failure(f"unknown schema {name}", fix=_meant(list(words)))
        case _:
            raise Failure("expected one schema", fix=_one_of())


def _butane(words: Sequence[str]) -> Schema:
    from ignition.transpile.schema import butane

    if len(words) in (1, 2):
        return butane(words[0], words[1] if len(words) == 2 else "")
    raise Failure("expected a variant of Butane and its version", fix=f"as in: ignition schema {BUTANE} fcos 1.6.0")


def _meant(words: list[str]) -> str:
    from ignition.config.suggest import closest
    from ignition.transpile.butane import variants

    if variants.versions_of(words[0]):
        return f"did you mean {' '.join([BUTANE, *words])}?"
    near = closest(words[0], (BUTANE, *_ALONE))
    return f"{f'did you mean {near}? ' if near else ''}{_one_of()}"


def _one_of() -> str:
    from ignition.config.schema import VERSIONS

    return f"one of {', '.join(VERSIONS)}, {BUTANE} VARIANT VERSION, {', '.join(_ALONE)}"
