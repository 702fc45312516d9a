"""A report for people at a terminal, and for their tools. Every line is printable."""

from __future__ import annotations

import json
import time

from ignition.display.terminal import BOLD, FAINT, GREEN, RED, YELLOW, disk_lines, painted
from ignition.host.printable import MOST_OF_A_LINE, printable
from ignition.reporting.report import ALREADY, DONE, FAILED, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ignition.reporting.report import Operation, Report

_SAID = {DONE: "done", ALREADY: "already done", WARNING: "with a warning", FAILED: "failed"}
_STYLES = {DONE: GREEN, ALREADY: FAINT, WARNING: YELLOW, FAILED: f"{BOLD};{RED}"}
_BLAMED = 100_000  # seconds of the widest column


def text(report: Report, *, width: int = 79, colour: bool = False) -> str:
    """Totals, configs, earlier attempts, warnings, disks, and every stage with its operations; without a final newline."""
    lines = [*_head(report, colour)]
    if attempts := report.earlier_attempts():
        lines += ["", painted("Earlier attempts", BOLD, colour), *(f"  {line}" for line in attempts)]
    if warnings := report.warnings():
        lines += ["", painted("Warnings", BOLD, colour)]
        for one in warnings:
            where = f"  ({one.where})" if one.where else ""
            lines.append(_line(f"  {one.stage}: {one.what}{where}", YELLOW, colour))
    for disk in report.disks():
        lines += ["", *disk_lines(disk, width, colour)]
    for stage in report.stages:
        span = f"{stage.seconds:.3f} s, {_time_of_day(stage.begin)} to {_time_of_day(stage.end)}"
        lines += ["", f"{painted(printable(stage.name), BOLD, colour)}: {span}"]
        lines += [_operation(one, colour) for one in stage.operations]
    return "\n".join(lines)


def _head(report: Report, colour: bool) -> list[str]:
    """The boot, its configs, and totals."""
    by = f" by Ignition {report.ignition}" if report.ignition else ""
    on = f" on platform {report.platform}" if report.platform else ""
    lines = [
        painted(printable(f"provisioned{on}{by} in boot {report.boot_id}"), BOLD, colour),
        printable(f"report of {report.written}, run {report.runs}"),
    ]
    for kind, source, referenced in report.sources:
        lines.append(_line(f"config: {kind} from {source}{', referenced' if referenced else ''}", "", colour))
    if report.sha512:
        lines.append(_line(f"config: sha512 {report.sha512}", "", colour))
    counts = report.counts()
    results = ", ".join(f"{number} {_SAID.get(result, printable(result))}" for result, number in counts.items())
    number = sum(counts.values())
    lines.append(
        f"total: {report.busy_s:.3f} s in {_counted(len(report.stages), 'stage')}, within {report.elapsed_s:.3f} s; "
        f"{_counted(number, 'operation')}{f': {results}' if results else ''}"
    )
    return lines


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _operation(one: Operation, colour: bool) -> str:
    cause = f": {one.cause}" if one.cause else ""
    origin = f"  ({one.origin})" if one.origin else ""
    result = painted(f"{printable(one.result):<8}", _STYLES.get(one.result, ""), colour)
    return f"  {result}{one.seconds:>9.3f} s  {printable(f'{one.said}{cause}{origin}', MOST_OF_A_LINE)}"


def _line(words: str, style: str, colour: bool) -> str:
    return painted(printable(words, MOST_OF_A_LINE), style, colour)


def blame(report: Report) -> str:
    """Operations with their stages, the slowest first, one per line; without a final newline."""
    slowest = report.slowest()
    names = max((len(printable(one.stage)) for one in slowest), default=0)
    return "\n".join(
        f"{min(one.seconds, _BLAMED):>9.3f} s  {printable(one.stage):<{names}}  {printable(one.said, MOST_OF_A_LINE)}"
        for one in slowest
    )


def as_json(report: Report, metadata: Mapping[str, str]) -> str:
    """The report with its derived members; without a final newline. Source of the members: schema.py."""
    derived = {
        "totals": {
            "busySeconds": round(report.busy_s, 6),
            "elapsedSeconds": round(report.elapsed_s, 6),
            "operations": sum(report.counts().values()),
            "results": report.counts(),
        },
        "slowest": [
            {"stage": one.stage, "operation": one.kind, "what": one.what, "seconds": one.seconds} for one in report.slowest()
        ],
        "disks": [disk.plain() for disk in report.disks()],
        "allWarnings": [{"stage": one.stage, "what": one.what, "where": one.where} for one in report.warnings()],
        "earlierAttempts": report.earlier_attempts(),
        "metadata": dict(metadata),
    }
    return json.dumps({**report.plain, "derived": derived}, indent=2, allow_nan=False)


def _time_of_day(seconds: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(seconds)) + f".{int(seconds % 1 * 1000):03d}"
