"""A report as a page. Only for a running system or a workstation: an initramfs has neither this module nor jinja2."""

from __future__ import annotations

import time

from ignition.display.page import (
    BAD,
    GOOD,
    NOTE,
    PLAIN,
    Column,
    Disks,
    Facts,
    Folded,
    Lane,
    Messages,
    Section,
    Span,
    Table,
    Tile,
    Timeline,
    page,
    seconds_text,
)
from ignition.reporting.report import ALREADY, DONE, FAILED, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ignition.reporting.report import Operation, Report

_TONES = {DONE: GOOD, ALREADY: PLAIN, WARNING: NOTE, FAILED: BAD}
_WORDS = {DONE: "done", ALREADY: "already", WARNING: "warning", FAILED: "failed"}
_SLOWEST = 12


def html(report: Report, metadata: Mapping[str, str]) -> str:
    """The page. `metadata`: the attributes that coreos-metadata wrote."""
    name = next((value for key, value in metadata.items() if key.endswith("_HOSTNAME")), "")
    warnings = report.warnings()
    number = sum(report.counts().values())
    return page(
        f"First boot of {name}" if name else "First boot",
        _sections(report, metadata),
        kind="Ignition report",
        lead=_lead(report),
        tiles=[
            Tile(seconds_text(report.busy_s), "in the stages"),
            Tile(str(number), "operation" if number == 1 else "operations"),
            Tile(str(len(warnings)), "warning" if len(warnings) == 1 else "warnings", NOTE if warnings else GOOD),
            Tile(str(report.runs), "times provisioned" if report.runs != 1 else "time provisioned"),
        ],
    )


def _lead(report: Report) -> str:
    on = f" on platform {report.platform}" if report.platform else ""
    by = f" by Ignition {report.ignition}" if report.ignition else ""
    return f"Provisioned{on}{by}; the report was written {_date(report.written)}."


def _sections(report: Report, metadata: Mapping[str, str]) -> Iterator[Section]:
    yield Messages("Warnings", [(f"{one.stage}: {one.what}", one.where) for one in report.warnings()])
    yield Messages("Earlier attempts", [(line, "") for line in report.earlier_attempts()])
    yield Timeline(
        "Timeline",
        [
            Lane(
                Span(stage.name, stage.begin, stage.end),
                [Span(one.said, one.at, one.at + one.seconds, _TONES.get(one.result, PLAIN)) for one in stage.operations],
            )
            for stage in report.stages
        ],
        lead=f"The stages ran within {seconds_text(report.elapsed_s)}; other units of the boot ran in between.",
    )
    yield Disks("Disks", report.disks(), "Before the first change of their tables, and after the last one.")
    yield _operations(
        "Entries of the config",
        [one for one in report.operations() if one.place],
        "Each with its place in the author's text and its result.",
    )
    yield Table(
        "Slowest operations",
        [Column("Operation"), Column("Stage"), Column("Time", is_number=True)],
        [(one.said, one.stage, seconds_text(one.seconds)) for one in report.slowest()[:_SLOWEST]],
    )
    yield Folded(
        "All operations",
        [_operations(f"Stage {stage.name}", stage.operations, _span(stage.begin, stage.end)) for stage in report.stages],
    )
    yield Table(
        "Configs",
        [Column("Source", is_code=True), Column("Kind"), Column("Referenced", optional=True)],
        [(source, kind, "by another config" if referenced else "no") for kind, source, referenced in report.sources],
    )
    yield Facts("Metadata used", metadata.items(), "Written by coreos-metadata for the units of this machine.")
    yield Facts(
        "This report",
        [
            ("Platform", report.platform),
            ("Boot", report.boot_id),
            ("Written", _date(report.written)),
            ("Ignition", report.ignition),
            ("Digest of the config", report.sha512 and f"sha512 {report.sha512}"),
        ],
    )


def _operations(title: str, operations: list[Operation], lead: str) -> Table:
    return Table(
        title,
        [
            Column("Operation"),
            Column("Origin", is_code=True, optional=True),
            Column("Time", is_number=True),
            Column("Result"),
        ],
        [
            (
                one.said,
                one.origin or one.place,
                seconds_text(one.seconds),
                _WORDS.get(one.result, one.result),
            )
            for one in operations
        ],
        lead,
        tones=[_TONES.get(one.result, PLAIN) for one in operations],
    )


def _span(begin: float, end: float) -> str:
    return f"{_clock(begin)} to {_clock(end)}, {seconds_text(end - begin)}"


def _date(written: str) -> str:
    """`2026-11-30 07:00:00 UTC`: RFC 3339 without what only programs read."""
    day, _, rest = written.partition("T")
    time_of_day, zone = rest[:8], rest[8:].lstrip(".0123456789")
    return f"{day} {time_of_day} {'UTC' if zone == 'Z' else zone}".strip()


def _clock(seconds: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(seconds))
