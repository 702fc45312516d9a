"""The result file of Ignition and our own report, for people and tools.

The result file: docs/reference/ignition-config.md §6.5. The report is built from the record of operations: each stage with its
begin, end and operations, the sources and the digest of the config, and how often the machine was provisioned. Both are 0600.
Neither contains a config or a secret: the descriptions of operations do not.
"""

from __future__ import annotations

import time
from contextlib import suppress

from ignition import __version__, json_codec
from ignition.errors import Failure
from ignition.host import first_boot_mark, log, paths
from ignition.host.printable import message
from ignition.host.reading import read_text, regular
from ignition.host.root import Root
from ignition.operation import Context, Operation
from ignition.stages import state as states

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ignition.config.model import Config

_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_MODE = 0o600
_VERSION = 2  # of the report; the first one had neither platform nor warnings, earlier attempts, places and disks
_MOST_RUNS = 1_000_000
_LATEST = 1e12  # seconds since 1970; larger values are not times, nor is JSON's 1e999


class WriteResult(Operation):
    """Writes /etc/.ignition-result.json; the result of an earlier boot becomes its `previousReport`."""

    kind = "write-result"
    path = paths.RESULT

    def __init__(self, boot_id: str, *, user_config_provided: bool) -> None:
        self._boot_id, self._user_config_provided = boot_id, user_config_provided

    def describe(self) -> str:
        return f"write the result to {self.path}"

    def already_there(self, context: Context) -> bool:
        previous = _stored(context.root, self.path)
        return previous.get("provisioningBootID") == self._boot_id

    def execute(self, context: Context) -> None:
        result: dict[str, Any] = {
            "provisioningBootID": self._boot_id,
            "provisioningDate": now_rfc3339(),
            "userConfigProvided": self._user_config_provided,
        }
        previous = _stored(context.root, self.path)
        if previous:
            log.warning(
                "this machine was provisioned before; the earlier result is kept in previousReport", IGNITION_PATH=self.path
            )
        with log.never_fatal(f"{self.path} was not written"):
            _store(context.root, self.path, _with_previous(result, previous))


def _with_previous(result: dict[str, Any], previous: dict[str, Any]) -> str:
    """The text of a result, without an earlier one that JSON cannot express."""
    if previous:
        import json  # indentation is more than json_codec does

        try:
            return json.dumps({**result, "previousReport": previous}, indent=2, allow_nan=False)
        except (ValueError, RecursionError) as error:
            log.warning(f"the earlier result is damaged and not kept: {error}", IGNITION_PATH=paths.RESULT)
    return json_codec.indented(result)


def boot_id() -> str:
    """The kernel's id of this boot; `""` without one in /proc."""
    try:
        with open(_BOOT_ID, encoding="ascii") as file:
            return file.read().strip()
    except (OSError, ValueError):
        return ""


def now_rfc3339() -> str:
    """Date and time with the local offset (RFC 3339), in Go's format: Z for UTC."""
    now = time.time()
    offset = time.strftime("%z", time.localtime(now))
    zone = "Z" if offset == "+0000" else f"{offset[:3]}:{offset[3:]}"
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(now)) + f".{int(now % 1 * 1e9):09d}{zone}"


def recorded_operations(state_file: str) -> list[dict[str, Any]]:
    """The records of operations beside the state file. Raises OSError."""
    return _records(paths.mark(state_file, paths.OPERATIONS), ("at", "seconds"), ("stage", "result", "what"))


def write_report(
    root: Root,
    state_file: str,
    *,
    platform: str = "",
    interrupted: bool = False,
    operations: list[dict[str, Any]] | None = None,
    config: Config | None = None,
) -> None:
    """Write the report from the records beside the state file. Never raises. Its members: ignition/reporting/schema.py.

    `interrupted`: an earlier attempt of the files stage was. `operations`: the records of operations, from who has them.
    `config`: the one that the stages worked on.
    """
    with log.never_fatal(f"{paths.REPORT} was not written"):
        before = _stored(root, paths.REPORT)
        report = gathered(state_file, before, platform=platform, interrupted=interrupted, operations=operations, config=config)
        # On one line: indentation makes json's encoder many times slower, and a report may have thousands of operations.
        _store(root, paths.REPORT, json_codec.dumps(report, allow_nan=False))


def gathered(
    state_file: str,
    before: dict[str, Any] | None = None,
    *,
    platform: str = "",
    interrupted: bool = False,
    operations: list[dict[str, Any]] | None = None,
    config: Config | None = None,
) -> dict[str, Any]:
    """The report of the stages so far; `before`: the one of an earlier boot. Raises OSError, Failure."""
    if operations is None:
        operations = recorded_operations(state_file)
    _add_origins(operations, state_file, config)
    boot, before = boot_id(), before or {}
    runs = before.get("runs")
    if type(runs) is not int or not 0 <= runs < _MOST_RUNS:
        runs = 0
    return {
        "version": _VERSION,
        "ignition": __version__,
        "bootId": boot,
        "written": now_rfc3339(),
        "runs": runs if before.get("bootId") == boot else runs + 1,
        "platform": platform,
        "config": {"sha512": config_digest(state_file), "sources": states.load(state_file).fetched_configs},
        "earlier": {
            "steps": sorted(first_boot_mark.earlier()),
            "failures": first_boot_mark.earlier_failures(),
            "filesInterrupted": interrupted,
            "attempts": first_boot_mark.failed_attempts(),
        },
        "warnings": recorded_warnings(state_file),
        "stages": _stages(operations),
    }


def recorded_warnings(state_file: str) -> list[dict[str, Any]]:
    """The warnings beside the state file that are not about operations. Raises OSError."""
    return _records(paths.mark(state_file, paths.WARNINGS), ("at",), ("stage", "what"))


def warning_count(state_file: str, unwritten: list[dict[str, Any]]) -> int:
    """How many warnings a report would have now; `unwritten`: the records of the running stage. Raises OSError."""
    operations = [*recorded_operations(state_file), *unwritten]
    ended = sum(one["result"] in ("warning", "failed") for one in operations)
    return ended + len(recorded_warnings(state_file)) + log.warnings_so_far()


def _add_origins(operations: list[dict[str, Any]], state_file: str, config: Config | None) -> None:
    """Give each operation with a place in the merged config its place in the author's text, `SOURCE:LINE:COLUMN`."""
    wanted = {place for operation in operations if (place := operation.get("place"))}
    if not wanted:
        return
    # A config whose texts are too large to be kept has no places.
    with log.never_fatal("the report will not name places in the config"):
        from ignition.rendering.sources import of_operations

        found = of_operations(wanted, state_file, config)
        names = {name: message(name) for name in {place[0] for place in found.values()}}  # URLs without their secrets
        for operation in operations:
            if place := found.get(operation.get("place", "")):
                name, line, column = place
                operation["origin"] = f"{names[name]}:{line}:{column}"


def _stages(operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Operations grouped by stage, in order; begin and end in seconds since 1970."""
    stages: dict[str, dict[str, Any]] = {}
    for operation in operations:
        begin = operation["at"]
        end = begin + operation["seconds"]
        stage = stages.setdefault(operation["stage"], {"stage": operation["stage"], "begin": begin, "end": end, "operations": []})
        stage["begin"], stage["end"] = min(stage["begin"], begin), max(stage["end"], end)
        stage["operations"].append({name: value for name, value in operation.items() if name != "stage"})
    for stage in stages.values():
        stage["seconds"] = round(stage["end"] - stage["begin"], 6)
    return list(stages.values())


def _records(path: str, numbers: Sequence[str], texts: Sequence[str]) -> list[dict[str, Any]]:
    """The records of all stages that a Runner could have written, with these members; a truncated last line is ignored."""
    found = []
    try:
        lines = regular(path).split(b"\n")
    except FileNotFoundError:
        return []
    for line in filter(None, lines):
        with suppress(ValueError, RecursionError):
            record = json_codec.loads(line)
            if isinstance(record, dict) and all(isinstance(record.get(name), str) for name in texts):
                if all(type(record.get(name)) in (int, float) and abs(record[name]) < _LATEST for name in numbers):
                    found.append(record)
    return found


def config_digest(state_file: str) -> str:
    """SHA-512 of the rendered config in hexadecimal digits; "" if it is not known."""
    try:
        with open(paths.mark(state_file, paths.CONFIG_DIGEST), encoding="ascii") as file:
            return file.read().split()[0]
    except (OSError, IndexError, ValueError):
        return ""


def _stored(root: Root, inside: str) -> dict[str, Any]:
    """An earlier result or report; empty if it is missing or damaged."""
    try:
        found = json_codec.loads(read_text(root, inside) or "{}")
    except (Failure, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _store(root: Root, inside: str, text: str) -> None:
    uid, gid = root.creator
    root.write(inside, f"{text}\n".encode(), mode=_MODE, uid=uid, gid=gid)
