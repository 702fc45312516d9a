"""The critical path of a first boot: systemd's jobs from its journal, and the operations of the agent's report below them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from boots import svg
from boots.measure import BEGIN, END, OWN

WIDTH, LEFT, TOP, ROW = 1100, 270, 24, 18
UNIT, OTHER, OPERATION = "#4878b0", "#b8c9de", "#1f3f66"
LEAST_S = 0.02  # other units that took less are left out


@dataclass(frozen=True)
class Span:
    """Seconds since the kernel started."""

    name: str
    begin: float
    end: float


def spans(lines: Iterable[str]) -> tuple[list[Span], float]:
    """The time of each job of a unit, in order, and the clock at the start of the kernel in seconds since 1970."""
    begun: dict[str, float] = {}
    found, offset = [], 0.0
    for line in lines:
        entry = json.loads(line)
        at, unit, message = int(entry["__MONOTONIC_TIMESTAMP"]) / 1e6, entry.get("UNIT", ""), entry.get("MESSAGE_ID", "")
        offset = int(entry["__REALTIME_TIMESTAMP"]) / 1e6 - at
        if message in BEGIN:
            begun[unit] = at
        elif message in END and unit in begun:
            found.append(Span(unit, begun.pop(unit), at))
    return sorted(found, key=lambda one: one.begin), offset


def operations(report: str, offset: float) -> list[Span]:
    """Those of the stages, with the stage's name in front."""
    stages = json.loads(report)["stages"]
    return [
        Span(f"{stage['stage']}: {one['what']}", one["at"] - offset, one["at"] - offset + one["seconds"])
        for stage in stages
        for one in stage["operations"]
    ]


def draw(folder: Path) -> str:
    """From the files of a boot: from the first unit of the initramfs to the last of the agent's jobs in it."""
    jobs, offset = spans((folder / "journal.jsonl").read_text(encoding="utf-8").splitlines())
    steps = operations((folder / "report.json").read_text(encoding="utf-8"), offset)
    own = [job for job in jobs if job.name.startswith(OWN)]
    last = max(job.end for job in own if job.begin < steps[-1].end + 1)
    shown = [job for job in jobs if job.begin < last and (job in own or job.end - job.begin >= LEAST_S)]
    first = min(job.begin for job in shown)
    across, bottom = (WIDTH - LEFT - 30) / (last - first), TOP + ROW * len(shown)
    parts = svg.seconds(LEFT, TOP - 8, bottom, first, last, across, 0.5)
    for number, job in enumerate(shown):
        y, is_own = TOP + number * ROW, job in own
        parts.append(svg.text(LEFT - 6, y + 12, job.name, end=True, small=True))
        title = f"{job.name}: {job.end - job.begin:.3f} s"
        parts.append(
            svg.bar(
                LEFT + (job.begin - first) * across, y, (job.end - job.begin) * across, ROW - 4, UNIT if is_own else OTHER, title
            )
        )
        if is_own:
            for step in steps:
                if job.begin <= step.begin <= job.end:
                    title = f"{step.name}: {step.end - step.begin:.3f} s"
                    parts.append(
                        svg.bar(
                            LEFT + (step.begin - first) * across,
                            y + 5,
                            (step.end - step.begin) * across,
                            ROW - 12,
                            OPERATION,
                            title,
                        )
                    )
    return svg.page(
        WIDTH, bottom + 30, "The critical path of a first boot: jobs of systemd, and the operations of the agent in them", parts
    )
