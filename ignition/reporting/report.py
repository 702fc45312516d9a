"""A report in memory: the operations of the stages with their durations, totals, the slowest, disks before and after.

Members that older versions did not write have empty values. Source of the members: schema.py.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

from ignition.display.changes import KEPT, LOST, DiskView, PartView
from ignition.errors import Failure
from ignition.host.devices import partition_node
from ignition.host.printable import MOST_OF_A_LINE, printable
from ignition.host.reading import regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DONE, ALREADY, WARNING, FAILED = "done", "already", "warning", "failed"
NEWEST = 2
_LATEST = 1e12  # seconds since 1970; larger values are not times
_FATES = (KEPT, LOST, "made", "grown", "shrunk")
_CHECK = "check that this machine was provisioned by ignition"
# Names of the types that images use (Discoverable Partitions Specification; docs/reference/boot.md §7.1).
_TYPES = {
    "c12a7328-f81f-11d2-ba4b-00a0c93ec93b": "EFI system partition",
    "21686148-6449-6e6f-744e-656564454649": "boot loader of BIOS machines",
    "3884dd41-8582-4404-b9a8-e9b84f2df50e": "root file system, grows",
    "be9067b9-ea49-4f15-b4f6-f36f8c9e1818": "array of the root file system",
    "5dfbf5f4-2848-4bac-aa5e-0d9a20b745a6": "/usr of CoreOS",
    "4f68bce3-e8cd-4db1-96e7-fbcaf984b709": "root file system, x86-64",
    "b921b045-1df0-41c3-af44-4c6f280d3fae": "root file system, arm64",
    "a19d880f-05fc-4d3b-a006-743f0f84911e": "RAID",
    "e6d6d379-f507-44c2-a23c-238f2a3df928": "LVM",
    "ca7d7ccb-63ed-4c53-861c-1742536059cc": "LUKS",
    "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f": "swap",
}


class Operation:
    """One operation of a stage. `place` is its place in the merged config, `origin` that in the author's text."""

    def __init__(self, stage: str, record: dict[str, Any]) -> None:
        self.stage, self.plain = stage, record
        self.what, self.result = _text(record, "what", needed=True), _text(record, "result", needed=True)
        self.seconds, self.at = _number(record["seconds"]), _number(record["at"])
        self.kind, self.path, self.cause = (_text(record, name) for name in ("operation", "path", "cause"))
        self.place, self.origin = (_text(record, name) for name in ("place", "origin"))

    @property
    def said(self) -> str:
        """Its description, without the place in the merged config if that in the author's text is known."""
        return self.what.removesuffix(f" ({self.place})") if self.origin else self.what


class Stage:
    """One stage: `begin` and `end` in seconds since 1970."""

    def __init__(self, record: dict[str, Any]) -> None:
        self.name, self.plain = _text(record, "stage", needed=True), record
        self.begin, self.end, self.seconds = (_number(record[name]) for name in ("begin", "end", "seconds"))
        self.operations = [Operation(self.name, operation) for operation in record["operations"]]


class Warned:
    """A warning: of an operation, or one that was logged beside them."""

    def __init__(self, stage: str, what: str, where: str = "") -> None:
        self.stage, self.what, self.where = stage, what, where


class Report:
    """A whole report. `sources`: (kind, source, whether another config refers to it) of each config, in the order of fetching."""

    def __init__(self, plain: dict[str, Any]) -> None:
        """Raises KeyError, TypeError, ValueError or AttributeError for anything else than a report."""
        self.plain = plain
        self.version = plain.get("version", 1)
        self.boot_id, self.written, self.runs = str(plain["bootId"]), str(plain["written"]), int(plain["runs"])
        self.ignition, self.platform = _text(plain, "ignition"), _text(plain, "platform")
        config = plain["config"]
        self.sha512 = str(config["sha512"] or "")
        self.sources = [
            (_text(source, "kind"), _text(source, "source"), source.get("referenced") is True) for source in config["sources"]
        ]
        self.stages = [Stage(stage) for stage in plain["stages"]]
        earlier = plain.get("earlier") or {}
        self.earlier_steps = [str(step) for step in earlier.get("steps") or ()]
        self.earlier_failures = int(earlier.get("failures") or 0)
        self.failed_attempts = [_failed_attempt(one) for one in earlier.get("attempts") or () if isinstance(one, dict)]
        self.files_interrupted = earlier.get("filesInterrupted") is True
        self._logged = [Warned(_text(one, "stage"), _text(one, "what")) for one in plain.get("warnings") or ()]

    def operations(self) -> Iterator[Operation]:
        """Those of all stages, in order."""
        for stage in self.stages:
            yield from stage.operations

    @property
    def busy_s(self) -> float:
        """Seconds that the stages took together."""
        return sum(stage.seconds for stage in self.stages)

    @property
    def elapsed_s(self) -> float:
        """Seconds from the begin of the first operation to the end of the last one, other units in between included."""
        if not self.stages:
            return 0.0
        return max(stage.end for stage in self.stages) - min(stage.begin for stage in self.stages)

    def counts(self) -> dict[str, int]:
        """Operations by their result; only results that occur."""
        found: dict[str, int] = {}
        for operation in self.operations():
            found[operation.result] = found.get(operation.result, 0) + 1
        return found

    def slowest(self) -> list[Operation]:
        """All operations, the slowest first; of equal ones the earlier."""
        return sorted(self.operations(), key=lambda operation: -operation.seconds)

    def warnings(self) -> list[Warned]:
        """Operations with a warning or a failure, and the other warnings that the stages logged."""
        of_operations = [
            Warned(one.stage, f"{one.said}: {one.cause}" if one.cause else one.said, one.origin or one.place)
            for one in self.operations()
            if one.result in (WARNING, FAILED)
        ]
        return [*of_operations, *self._logged]

    def earlier_attempts(self) -> list[str]:
        """The attempts before this first boot succeeded, in sentences."""
        said = {
            "begun": "An earlier first boot with this config was interrupted or failed.",
            "another-config": "An earlier first boot, with another config, was interrupted or failed.",
            "disks-done": "It had finished the disks, so this boot did not wipe them again.",
            "root-in-memory": "It kept the contents of ROOT in memory meanwhile.",
            "kargs-rebooted": "The machine rebooted once for its kernel arguments.",
        }
        found = [text for step, text in said.items() if step in self.earlier_steps]
        if self.files_interrupted:
            found.append("The files stage was interrupted before, and finished what it had begun.")
        found += self.failed_attempts
        if self.earlier_failures:
            times = "once" if self.earlier_failures == 1 else f"{self.earlier_failures} times"
            found.append(f"The first boot failed {times} because of its config.")
        if self.runs > 1:
            found.append(f"The machine was provisioned before: this is run {self.runs}.")
        return found

    def disks(self) -> list[DiskView]:
        """The disks before the first operation on their tables, and after the last one, with their present contents."""
        before: dict[str, list[PartView]] = {}
        after: dict[str, list[PartView]] = {}
        sizes: dict[str, int] = {}
        holds: dict[str, str] = {}
        for operation in self.operations():
            if isinstance(disk := operation.plain.get("disk"), dict):
                device = str(disk["device"])
                sizes[device] = int(disk["size"])
                later = [_part(part) for part in disk["after"]]
                _carry_fates(after.get(device), later)
                before.setdefault(device, [_part(part) for part in disk["before"]])
                after[device] = later
            for held in operation.plain.get("holds") or ():
                holds[str(held["node"])] = str(held["content"])
        for device, parts in after.items():
            for part in parts:
                part.content = holds.get(partition_node(device, part.number), "") or _TYPES.get(part.type_guid, "")
            kept = {part.number: part.content for part in parts if part.fate != "made"}
            for part in before[device]:
                part.content = kept.get(part.number, "") or _TYPES.get(part.type_guid, "")
        return [DiskView(device, sizes[device], before[device], after[device]) for device in sorted(before)]


def _failed_attempt(one: dict[str, object]) -> str:
    lines = [line.strip() for line in str(one.get("screen") or "").split("\n")]
    cause = next(
        (line.removeprefix("what:").strip() for line in lines if line.startswith("what:")), "see the screen in report.json"
    )
    place = f"in the stage {one['stage']}" if one.get("stage") else "outside the stages"
    return printable(f"Attempt {one.get('attempt')} failed at {one.get('at')} {place}: {cause}", MOST_OF_A_LINE)


def _carry_fates(earlier: list[PartView] | None, later: list[PartView]) -> None:
    """A partition that one operation made or grew, and a later one kept, was made or grown in this boot."""
    fates = {part.number: part.fate for part in earlier or ()}
    for part in later:
        if part.fate == KEPT or (part.fate == "grown" and fates.get(part.number) == "made"):
            part.fate = fates.get(part.number, part.fate)


def _part(record: dict[str, Any]) -> PartView:
    fate = str(record["fate"])
    return PartView(
        int(record["number"]),
        int(record["start"]),
        int(record["size"]),
        label=_text(record, "label"),
        type_guid=_text(record, "typeGuid"),
        fate=fate if fate in _FATES else KEPT,
    )


def _text(record: dict[str, Any], name: str, *, needed: bool = False) -> str:
    """A member that is a text; "" if it is absent. Raises TypeError for another value, KeyError for a missing one."""
    value = record[name] if needed else record.get(name) or ""
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: object) -> float:
    if type(value) not in (int, float) or not math.isfinite(value) or abs(value) > _LATEST:  # type: ignore[arg-type]
        raise ValueError
    return float(value)  # type: ignore[arg-type]


def read(path: str) -> Report:
    """The report in a file. Raises Failure if it is missing, unreadable, of a newer version, or not a report."""
    try:
        plain = json.loads(regular(path))
        if type(version := plain.get("version", 1)) is int and version > NEWEST:
            raise Failure(
                f"a report of version {version}; this program reads up to version {NEWEST}",
                where=path,
                fix="use the ignition of the machine, or a newer one",
            )
        report = Report(plain)
        report.disks()  # so that a report is checked as a whole
    except FileNotFoundError as error:
        raise Failure("report not found", where=path, fix=_CHECK) from error
    except OSError as error:
        raise Failure(f"cannot be read: {error.strerror}", where=path, fix="read it as root") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise Failure("not a report of ignition", where=path) from error
    return report
