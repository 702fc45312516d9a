"""`ignition simulate CONFIG... -into DIRECTORY [-assert FILE]`: the files stage on an empty directory, without root, for CI.

Exit statuses: 0 fine, 1 the config is invalid, the stage would fail, or an assertion file is invalid, 2 usage, 3 assertions
failed.
"""

from __future__ import annotations

import json
import os
import sys

from ignition.cli.flags import DIRECTORIES, FILES, GO_ANYWHERE, Flag, UsageError, duration_s
from ignition.cli.merged_config import (
    BASE_DIR,
    FETCH_TIMEOUT,
    PATIENCE,
    PLATFORM,
    complain,
    merged,
    without_garbage_collection,
)
from ignition.cli.program import IGNITION, Program
from ignition.errors import Failure
from ignition.host import log, progress
from ignition.host.printable import message, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.cli.program import Values
    from ignition.simulation.assertions import Assertions, Failed
    from ignition.simulation.run import Simulation

FINE, WRONG, USAGE, FAILED = 0, 1, 2, 3
_FIELD = 200  # characters of a value in a line
FLAGS = (
    Flag("assert", "", "check the result against the assertions of this file (YAML or JSON)", value="FILE", offers=FILES),
    Flag(
        "base",
        "",
        "root whose accounts, units, presets and files in /etc are copied first (default: the accounts of Debian's base-passwd)",
        value="DIRECTORY",
        offers=DIRECTORIES,
    ),
    BASE_DIR,
    FETCH_TIMEOUT,
    Flag("into", "", "empty or new directory for the result (required)", value="DIRECTORY", offers=DIRECTORIES),
    Flag("json", False, "print the result as JSON"),
    Flag("offline", False, "send no requests: remote contents of files stay empty, remote configs are errors"),
    PLATFORM,
    Flag("show-contents", False, "show differences of contents, which may be secret"),
)
PROGRAM = Program(
    "ignition simulate",
    "write what a config writes into a directory, without privileges, and check it",
    FLAGS,
    manual="ignition-simulate(1)",
    usage=("URL|FILE|-... -into DIRECTORY [-assert FILE] [options]",),
    dialect=GO_ANYWHERE,
    operands=FILES,
    original=IGNITION,
    statuses={
        FINE: "the config can be applied, and all assertions hold",
        WRONG: "a config or the assertion file is invalid or cannot be read, or the files stage would fail",
        USAGE: "invalid usage",
        FAILED: "assertions failed",
    },
)


@PROGRAM
def main(values: Values, words: list[str]) -> int:
    """Simulate the configs."""
    if not words:
        raise UsageError("expected a URL or FILE")
    if not values["into"]:
        raise UsageError("-into is required: an empty or new directory")
    log.divert(_tell)
    if not values["json"]:
        progress.for_people(PROGRAM.name)
    timeout_s = float(int(duration_s(values["fetch-timeout"] or PATIENCE)))
    assertions = _read_assertions(values["assert"]) if values["assert"] else None
    if values["assert"] and assertions is None:
        return WRONG
    with without_garbage_collection():
        from ignition.simulation.run import Simulation

        config = merged(
            words,
            values["base-dir"],
            values["platform"],
            timeout_s,
            is_limit=bool(values["fetch-timeout"]),
            offline=values["offline"],
        )
        simulation = Simulation(
            config,
            _empty(values["into"]),
            image=values["base"],
            platform=values["platform"],
            offline=values["offline"],
            timeout_s=timeout_s,
        )
        try:
            simulation.run()
        except Failure:
            _tell(log.WARNING, f"{values['into']} holds what was written before the failure")
            if values["json"]:
                _print_json(simulation, values, 0, [])
            raise
    count, failed = assertions.check(simulation.root) if assertions else (0, [])
    if values["json"]:
        _print_json(simulation, values, count, failed)
    else:
        _print(simulation, values, count, failed)
    return FAILED if failed else FINE


def _empty(path: str) -> str:
    """The directory, absolute and without symlinks; created if it does not exist. Raises Failure if something is in it."""
    try:
        os.makedirs(path, exist_ok=True)
        if os.listdir(path):
            raise Failure("the directory is not empty", where=path, fix="name another one, or empty it")
    except FileExistsError:
        raise Failure("not a directory", where=path) from None
    except OSError as error:
        raise Failure(f"cannot be used: {error.strerror}", where=path) from error
    return os.path.realpath(path)


def _read_assertions(path: str) -> Assertions | None:
    """None if errors were shown. Raises Failure."""
    from ignition.simulation import assertions

    try:
        with open(path, "rb") as file:
            return assertions.read(path, file.read())
    except OSError as error:
        raise Failure(f"the assertions cannot be read: {error.strerror}", where=path) from error
    except assertions.Invalid as invalid:
        complain(invalid.report, invalid.text)
        return None


def _print(simulation: Simulation, values: Values, count: int, failed: list[Failed]) -> None:
    for one in simulation.left_out:
        print(f"not simulated: {message(one.what)}")
    for warning in simulation.warnings:
        print(f"warning: {message(str(warning['cause']))}")
    for assertion in failed:
        place = f"{values['assert']}:{assertion.line}:{assertion.column}"
        print(message(f"{place}: {assertion}{_cause(simulation, assertion)}"))
        for line in assertion.diff if values["show-contents"] else ():
            print(f"  {printable(line, _FIELD)}")
    from ignition.simulation.manifest import NAME

    print(f"{values['into']}/root has the files; their owners and modes are in {values['into']}/{NAME}")
    if values["assert"]:
        print(f"{len(failed)} of {count} assertions failed" if failed else f"all {count} assertions hold")


def _cause(simulation: Simulation, failed: Failed) -> str:
    """The place in the config that wrote the node."""
    from ignition.simulation.manifest import place_of

    where = place_of(simulation, failed.node) if failed.node else {}
    return f" (written by {where['source']}:{where['line']}:{where['column']})" if "source" in where else ""


def _print_json(simulation: Simulation, values: Values, count: int, failed: list[Failed]) -> None:
    from ignition.simulation.manifest import COMPLETE, NAME, about

    found: dict[str, Any] = {
        **about(simulation),
        "manifest": os.path.join(simulation.into, NAME),
        "root": simulation.root.path,
    }
    if values["assert"] and found["result"] == COMPLETE:
        found["assertions"] = {
            "file": values["assert"],
            "count": count,
            "failed": [_plain_failed(one, show_contents=values["show-contents"]) for one in failed],
        }
    text = json.dumps(found, ensure_ascii=False, indent=1)
    sys.stdout.buffer.write(f"{text}\n".encode("utf-8", "backslashreplace"))


def _plain_failed(failed: Failed, *, show_contents: bool) -> dict[str, Any]:
    found = {
        "line": failed.line,
        "column": failed.column,
        "of": failed.of,
        "what": failed.what,
        "expected": failed.expected,
        "actual": failed.actual,
    }
    return {**found, "diff": failed.diff} if show_contents and failed.diff else found


def _tell(priority: int, text: str) -> None:
    """In place of the journal: warnings. Those of operations are in the summary."""
    if priority <= log.WARNING and not text.startswith("op("):
        print(f"{PROGRAM.name}: {text}", file=sys.stderr)
