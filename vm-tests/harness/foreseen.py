"""`ignition plan` on this host, and the comparison of a whole first boot with it: operation by operation, both ways."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from harness.disks import Disk
from harness.errors import Failed
from harness.hardware import Hardware

TOP = Path(__file__).resolve().parents[2]
ANSWERED = (0, 1, 2, 3)
OPERATIONS = "/run/ignition/operations.jsonl"
NOT_GROWN = "grow"
NOTICE = "leave-notice"
STAGES = ("kargs", "disks", "grow", "mount", "files", "umount")  # a plan begins when the config has been fetched
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Foreseen:
    """The plan for the first boot of a machine, for Plan.foreseen: the machine is compared with it when it ends.

    `here`: texts of the config → texts that stood for them while planning.
    """

    plan: dict[str, Any]
    here: Mapping[str, str] = field(default_factory=dict)

    def compare(self, text: str) -> None:
        """Failed with each operation of operations.jsonl that is not in its place in the plan, and the other way round."""
        records = [json.loads(line) for line in _here(text, self.here).splitlines()]
        wrong = [line for stage in STAGES for line in unlike(self.plan["operations"], records, stage)]
        if self.plan["failure"]:
            wrong.insert(0, f"planned failure: {self.plan['failure']}")
        if wrong:
            raise Failed("expected: the boot as `ignition plan` said\nseen:     " + "\n          ".join(wrong))


def foresee(
    folder: Path, drives: Sequence[Disk], config: Path, cmdline: str, hardware: Hardware, platform: str, here: Mapping[str, str]
) -> Foreseen:
    """The plan for a machine that is off. `here`: texts of the config → texts that stand for them on this host."""
    asked = folder / f"planned-{config.name}"
    asked.write_text(_here(config.read_text(encoding="utf-8"), here), encoding="utf-8")
    arguments = [word for drive in drives for word in ("--image", str(drive.path))]
    arguments += ["--kernel-arguments", cmdline, "--memory", str(hardware.memory_mib), "--platform", platform]
    return Foreseen(plan(asked, *arguments, *(["--uefi"] if hardware.uefi else [])), here)


def _here(text: str, here: Mapping[str, str]) -> str:
    for there, known in here.items():
        text = text.replace(there, known)
    return text


def plan(config: Path, *arguments: str) -> dict[str, Any]:
    """The plan, as `--json` prints it."""
    argv = [sys.executable, "-m", "ignition.cli.ignition", "plan", str(config), "--json", *arguments]
    done = subprocess.run(argv, cwd=TOP, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode not in ANSWERED or not done.stdout.startswith("{"):
        return {"failure": {"what": done.stderr.strip(), "where": "", "stage": "fetch"}, "operations": []}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def unlike(operations: Sequence[Row], records: Sequence[Row], stage: str) -> list[str]:
    """The differences in one stage, a line each. Operations that run side by side end in any order.

    A plan from facts cannot tell whether the effects of some exist already (null): both are right. So they are for the notice at
    the login prompt, which also counts the warnings of the boot. The reason why ROOT does not grow is in the plan, while the
    boot need not start the stage for it (root-can-grow).
    """
    planned = [row for row in operations if row["stage"] == stage]
    if {row["operation"] for row in planned} == {NOT_GROWN} and all(row["stage"] != stage for row in records):
        return []
    open_ones = {row["what"] for row in planned if row["already"] is None or row["operation"] == NOTICE}
    done = [(row["what"], None if row["what"] in open_ones else row["result"] == "already")
            for row in records if row["stage"] == stage]  # fmt: skip
    wanted, found, at = [], [], 0
    for concurrent, neighbours in groupby(planned, key=lambda row: bool(row["concurrent"])):
        batch = [(row["what"], None if row["what"] in open_ones else row["already"]) for row in neighbours]
        real = done[at : at + len(batch)]
        at += len(batch)
        wanted += sorted(batch, key=str) if concurrent else batch
        found += sorted(real, key=str) if concurrent else real
    found += done[at:]
    lines = [f"{stage}: planned, not done: {one}" for one in wanted if one not in found]
    lines += [f"{stage}: done, not planned: {one}" for one in found if one not in wanted]
    return lines or ([] if wanted == found else [f"{stage}: planned in the order {wanted}, done {found}"])
