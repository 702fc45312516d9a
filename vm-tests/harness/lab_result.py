"""The results of stages that ran in a lab, and their comparison with the expected ones."""

import re
from dataclasses import dataclass
from typing import Any

from harness.checks import Checks

# A place in the config of a lab, behind its source, line and column.
EXCERPT = re.compile(r"^ *\d* \| .*\n", re.MULTILINE)  # the line of the config, and the caret below it
CUT = re.compile(r"(.*) and \d+ more lines: journalctl -t ignition")  # a message that a page has no room for
LOCATED = re.compile(r"platform file:\d+:\d+ \((\$[^)]*)\)")


@dataclass(frozen=True)
class Result:
    """The results of stages: status of the last one that ran, all records of operations.jsonl, all logs, the failure screen.

    links has the targets of /dev/disk/by-partlabel and /dev/md at the moment the last stage ended.
    """

    status: int
    stage: str
    records: list[dict[str, Any]]
    log: str
    failure: str
    seconds: float
    links: dict[str, str]

    def of(self, operation: str) -> list[dict[str, Any]]:
        """The records of one kind of operation."""
        return [record for record in self.records if record["operation"] == operation]

    def outcomes(self, *stages: str) -> list[str]:
        """ "kind path: result" of every operation of these stages (default: disks) except inspections, which only read."""
        wanted = stages or ("disks",)
        rows = [row for row in self.records if row["stage"] in wanted and row["operation"] != "inspect"]
        return [f"{row['operation']} {row['path']}: {row['result']}" for row in rows]

    def changed(self, *stages: str) -> list[str]:
        """The outcomes() that are not "already"."""
        return [outcome for outcome in self.outcomes(*stages) if not outcome.endswith(": already")]

    @property
    def message(self) -> str:
        """The failure screen on one line, without the excerpt of the config; "" when nothing failed."""
        return " ".join(EXCERPT.sub("", self.failure).split())

    @property
    def refusal(self) -> tuple[str, str, str]:
        """The location in the config, the problem and the remedy, as shown on the failure screen."""
        found = re.search(r"(?:where: (.*?) )?what: (.*?) do: (.*?) (?:Nothing is lost|Leave the machine on)", self.message)
        where, what, fix = (LOCATED.sub(r"\1", part or "") for part in found.groups()) if found else ("", "", "")
        return where, what, fix


def done(checks: Checks, what: str, result: Result, changed: list[str] | None = None) -> None:
    """All stages succeeded, and changed exactly this (Result.changed()); None accepts any change."""
    checks.equal(f"{what}: status", (0, ""), (result.status, result.message or result.log[-800:] if result.status else ""))
    if changed is not None:
        checks.equal(f"{what}: what was done", changed, result.changed())


def refused(checks: Checks, what: str, result: Result, where: str, message: str, *, stage: str = "disks") -> None:
    """A stage failed with exactly this message for this location in the config, before any change."""
    if where.startswith("$"):
        checks.true(f"{what}: line and column", LOCATED.search(result.message) is not None, result.message)
    place, problem, _ = result.refusal
    if cut := CUT.fullmatch(problem):
        problem, message = cut[1], message[: len(cut[1])]
    checks.equal(f"{what}: refused", (stage, where, message), (result.stage, place, problem))
    checks.true(f"{what}: status", result.status == 1, f"status {result.status}\n{result.log[-800:]}")
    checks.equal(f"{what}: what was done", [], [row for row in result.changed() if not row.endswith(": failed")])
