"""`ignition seal -pin PIN CONFIG [FILE|-]`: a secret → the fragment of a config with its JWE, which only the machine opens.

On a workstation or on the machine itself: `clevis encrypt` makes the JWE (docs/sealing.md). Exit statuses: 0 sealed, 1 it could
not be, 2 usage. No message shows the secret.
"""

from __future__ import annotations

import json
import sys

from ignition.cli.flags import FILES, GO_ANYWHERE, Flag, UsageError, one_of
from ignition.cli.program import IGNITION, Program
from ignition.errors import CommandFailed, Failure
from ignition.host.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.cli.program import Values

SEALED, FAILED, USAGE = 0, 1, 2
STDIN = "-"
CONTENT, PASSWORD, HEADER = "content", "password", "header"
_MEMBERS = {PASSWORD: "sealedPasswordHash", HEADER: "sealedValue"}  # noqa: S105  names of members
_PINS = ("sss", "tang", "tpm2")
LIMIT_S = 120.0

FLAGS = (
    Flag(
        "as",
        CONTENT,
        "member of the config that it is for: content (of files, keys and configs), password (a hash of crypt(5)), or header",
        value="KIND",
        parse=one_of(CONTENT, PASSWORD, HEADER),
        offers=(CONTENT, PASSWORD, HEADER),
    ),
    Flag("pin", "", "what opens it: a pin of clevis, such as tang, tpm2 or sss (required)", value="PIN", offers=_PINS),
)
PROGRAM = Program(
    "ignition seal",
    "seal a secret to a machine, for a config that others may read",
    FLAGS,
    manual="ignition-seal(1)",
    usage=("-pin PIN CONFIG [FILE|-] [-as KIND]",),
    dialect=GO_ANYWHERE,
    operands=FILES,
    original=IGNITION,
    statuses={SEALED: "the secret is sealed", FAILED: "the secret could not be read or sealed", USAGE: "invalid usage"},
)


@PROGRAM
def main(values: Values, words: list[str]) -> int:
    """Seal one secret."""
    from ignition.cli.merged_config import tell_people
    from ignition.config import sealed
    from ignition.fetch.sealed import line
    from ignition.host import progress

    tell_people(PROGRAM.name)
    progress.for_people(PROGRAM.name)
    pin = values["pin"]
    if not sealed.is_name(pin):
        raise UsageError("-pin is required, such as -pin tang" if not pin else f"not the name of a pin: {printable(pin)}")
    if len(words) not in (1, 2):
        raise UsageError('expected the config of the pin, such as \'{"url": "http://tang.example"}\', and at most one file')
    config = _config(pin, words[0])
    plain = _read(words[1] if len(words) == 2 else STDIN)
    kind = values["as"]
    if kind != CONTENT:
        plain = line(plain, "the secret").encode()
    print(json.dumps(fragment(kind, encrypted(pin, config, plain)), indent=2))
    return SEALED


def _config(pin: str, text: str) -> dict[str, Any]:
    from ignition.config.clevis_pins import problem

    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise UsageError("the config of the pin is not a JSON object")
    if wrong := problem(pin, config):
        raise Failure(wrong[0], where=f"pin {pin}", fix=wrong[1])
    return config


def _read(name: str) -> bytes:
    try:
        if name == STDIN:
            return sys.stdin.buffer.read()
        with open(name, "rb") as file:
            return file.read()
    except OSError as error:
        raise Failure(f"the secret cannot be read: {error.strerror}", where=name) from None


def encrypted(pin: str, config: dict[str, Any], plain: bytes) -> str:
    """The JWE that `clevis encrypt` makes. The secret is its standard input. Raises Failure."""
    from ignition.config import sealed
    from ignition.host import command

    argv = ["clevis", "encrypt", pin, json.dumps(config)]
    try:
        made = command.output(argv, why="sealing", stdin=plain, timeout_s=LIMIT_S, hidden=(argv[-1],))
    except CommandFailed as failure:
        if failure.status is None and "missing" in failure.what:
            failure.what, failure.fix = "clevis is not installed", "apt install clevis, and clevis-tpm2 for pin tpm2"
        raise
    text = made.decode("ascii", "replace").strip()
    sealed.pins(text)  # its size, and that it is what a machine would take
    return text


def fragment(kind: str, text: str) -> dict[str, Any]:
    """The members of a config: a resource with a data URL, or those of a user or a header."""
    from ignition.config import dataurl
    from ignition.config.model.extensions import MEMBER

    if kind == CONTENT:
        return {"source": dataurl.encode(text.encode()), MEMBER: {"sealed": True}}
    return {MEMBER: {_MEMBERS[kind]: text}}
