"""`ignition schema NAME`: the JSON Schema of a kind of document on standard output, for editors.

    ignition schema 3.5.0                  an Ignition config of that spec version
    ignition schema butane fcos 1.6.0      a Butane document of that variant and version
    ignition schema ct                     a Container Linux Config
    ignition schema cloud-config           a cloud-config

Exit statuses: 0 printed, 2 usage, a name that no schema has included.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ignition.cli.flags import Flag, UsageError, help_text, read_anywhere
from ignition.errors import Failure
from ignition.host.printable import message as clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.schema import Schema

PRINTED, USAGE = 0, 2
BUTANE, CT, CLOUD_CONFIG = "butane", "ct", "cloud-config"
_DIGITS = tuple("0123456789")
USAGE_TEXT = """usage: ignition schema VERSION                  print the JSON Schema of an Ignition config of that spec version
       ignition schema butane VARIANT VERSION   of a Butane document, as in: butane fcos 1.6.0
       ignition schema ct                       of a Container Linux Config
       ignition schema cloud-config             of a cloud-config"""
FLAGS = (
    Flag("help", False, "print this help and exit"),
    Flag("h", False, "the same"),
)


def main(arguments: Sequence[str]) -> int:
    """Entry point; returns the exit status."""
    try:
        values, words = read_anywhere(FLAGS, list(arguments))
    except UsageError as error:
        return _usage(str(error))
    if values["help"] or values["h"]:
        print("\n".join([help_text(USAGE_TEXT, FLAGS), "", "There are these schemas:", *(f"  {line}" for line in known())]))
        return PRINTED
    try:
        sys.stdout.write(text(words))
    except Failure as failure:
        return _usage(str(failure))
    return PRINTED


def known() -> list[str]:
    """What there is, a kind in a line."""
    from ignition.config.schema import VERSIONS
    from ignition.transpile.butane import variants

    names = (variants.FCOS, variants.FLATCAR)
    documents = [f"{BUTANE} {name} {' | '.join(variants.versions_of(name))}" for name in names]
    return [" | ".join(VERSIONS), *documents, CT, CLOUD_CONFIG]


def text(words: Sequence[str]) -> str:
    """The schema that these words name, as JSON with a final newline. Raises Failure."""
    from ignition.config import schema

    match words:
        case [name, *rest] if name == BUTANE:
            return schema.pretty(_butane(rest))
        case [name] if name == CT:
            from ignition.transpile.schema import container_linux_config

            return schema.pretty(container_linux_config())
        case [name] if name == CLOUD_CONFIG:
            from ignition.cloudinit.schema import cloud_config

            return schema.pretty(cloud_config())
        case [version] if version.startswith(_DIGITS):
            return schema.text(version)
        case [name, *_] if name not in (CT, CLOUD_CONFIG) and not name.startswith(_DIGITS):
            raise Failure(f"no schema is called {name}", fix=_meant(list(words)))
        case _:
            raise Failure("name one schema", fix=_one_of())


def _butane(words: Sequence[str]) -> Schema:
    from ignition.transpile.schema import butane

    if len(words) in (1, 2):
        return butane(words[0], words[1] if len(words) == 2 else "")
    raise Failure("name a variant of Butane and its version", fix=f"as in: ignition schema {BUTANE} fcos 1.6.0")


def _meant(words: list[str]) -> str:
    from ignition.config.suggest import closest
    from ignition.transpile.butane import variants

    if variants.versions_of(words[0]):
        return f"did you mean {' '.join([BUTANE, *words])}?"
    near = closest(words[0], (BUTANE, CT, CLOUD_CONFIG))
    return f"{f'did you mean {near}? ' if near else ''}{_one_of()}"


def _one_of() -> str:
    from ignition.config.schema import VERSIONS

    return f"one of {', '.join(VERSIONS)}, {BUTANE} VARIANT VERSION, {CT}, {CLOUD_CONFIG}"


def _usage(message: str) -> int:
    print(f"ignition schema: {clean(message)}\n\n{USAGE_TEXT}", file=sys.stderr)
    return USAGE
