"""Turns the state of a guest and its disks into readable lines."""

import json
import re
from collections.abc import Iterator

from harness.gpt import SECTOR, Table
from harness.guest import Journal

MIB = 1 << 20
STAGE_LINE = re.compile(r"(Finished|Failed to start|Starting) [^\n]*?(Ignition \([^)]*\))")
MESSAGES = {"Finished": "done", "Failed to start": "FAILED", "Starting": "begins"}


def stages(journal: Journal) -> Iterator[str]:
    """One line per stage: seconds from its first to its last message, operations, and the slowest of them."""
    yield f"  {'stage':<14} {'begins':>9} {'takes':>9}  operations"
    times = [_seconds(entry) for entry in journal.entries if "IGNITION_STAGE" in entry]
    for stage in journal.stages():
        entries = [entry for entry in journal.entries if entry.get("IGNITION_STAGE") == stage]
        begin, end = _seconds(entries[0]), _seconds(entries[-1])
        done = [entry for entry in entries if "IGNITION_DURATION_S" in entry]
        slowest = max(done, key=lambda entry: float(str(entry["IGNITION_DURATION_S"])), default=None)
        note = ""
        if slowest is not None:
            note = f", slowest: {slowest.get('IGNITION_OPERATION')} {slowest.get('IGNITION_PATH') or ''}".rstrip()
            note += f" ({float(str(slowest['IGNITION_DURATION_S'])):.2f} s)"
        yield f"  {stage:<14} {begin:>7.2f} s {end - begin:>7.2f} s  {len(done)}{note}"
    if times:
        yield f"  all together: {max(times) - min(times):.1f} s, in software emulation"


def table(name: str, content: Table | None) -> Iterator[str]:
    """A partition table for people."""
    if content is None:
        yield f"  {name}: no partition table"
        return
    yield f"  {name}: {content.disk_sectors * SECTOR // MIB} MiB, GPT"
    for entry in sorted(content.partitions.values(), key=lambda partition: partition.first):
        yield f"    {entry.number:>2}  {entry.label:<11} {entry.offset / MIB:>7.0f} MiB  {entry.size / MIB:>7.0f} MiB"


def mounts(text: str) -> Iterator[str]:
    """The data mounts out of `df` as the guest printed it."""
    for line in text.splitlines():
        yield f"    {line}"


def result(text: str) -> str:
    """The result file in one line."""
    found = json.loads(text or "{}")
    return f"provisioned at {found.get('provisioningDate')}, user config: {found.get('userConfigProvided')}"


def new_console_lines(text: str, told: set[str]) -> Iterator[str]:
    """The lines of the console about stages that were not told yet."""
    for match in STAGE_LINE.finditer(text):
        verb, what = match[1], match[2]
        line = f"{what}: {MESSAGES[verb]}"
        if line not in told:
            told.add(line)
            yield line


def _seconds(entry: dict[str, object]) -> float:
    """When an entry was written, in seconds since the kernel's start."""
    return int(str(entry["__MONOTONIC_TIMESTAMP"])) / 1e6
