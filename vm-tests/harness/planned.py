"""`ignition plan` compared with a stage: the plan is made from the images of a lab's disks before the stage runs."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from harness.lab_result import Result

TOP = Path(__file__).resolve().parents[2]
# Not known from images: volumes, arrays, mounts and swap areas that are open in the guest, a line each.
OPEN = "lsblk --raw --noheadings --output TYPE,MOUNTPOINT {} | grep -vx 'disk *' | grep -vx 'part *'"
SECTOR = 512  # bytes; an image does not tell that a blank disk has others
ANSWERED = (0, 1, 2, 3)


class Drive(Protocol):
    """A disk of a lab."""

    @property
    def node(self) -> str:
        """Its device in the guest."""

    @property
    def image(self) -> Path:
        """Its raw file."""


def plan(config: Mapping[str, Any], drives: Sequence[Drive], scratch: Path, arguments: str) -> dict[str, Any]:
    """The plan, as `--json` prints it."""
    scratch.write_text(json.dumps(config), encoding="utf-8")
    images = [word for drive in drives for word in ("--image", f"{drive.node}={drive.image}")]
    argv = [sys.executable, "-m", "ignition.cli.ignition", "plan", str(scratch), "--json", *images]
    argv += ["--kernel-arguments", arguments]
    done = subprocess.run(argv, cwd=TOP, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode not in ANSWERED or not done.stdout.startswith("{"):
        return {"failure": {"what": done.stderr.strip(), "where": "", "stage": "fetch"}, "operations": []}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def differences(found: Mapping[str, Any], result: Result, stage: str = "disks") -> list[str]:
    """The differences of a plan from the stage, a line each: operations in order, existing effects, and the failure."""
    planned = [
        (one["what"], one["already"]) for one in found["operations"] if one["stage"] == stage and one["operation"] != "inspect"
    ]
    done = [
        (row["what"], row["result"] == "already")
        for row in result.records
        if row["stage"] == stage and row["operation"] != "inspect" and row["result"] != "failed"
    ]
    where, what, _ = result.refusal
    failure = found["failure"]
    if result.status:
        if failure is None:
            return [f"planned: success; failed: {where}: {what}"]
        wanted = " ".join(f"{failure['what']}".split())
        return [] if what == wanted else [f"planned failure: {failure['where']}: {wanted}\nfailed:          {where}: {what}"]
    if failure is not None and failure["stage"] == stage:
        return [f"planned failure: {failure['where']}: {failure['what']}; it succeeded"]
    return [] if planned == done else [f"planned: {planned}\ndone:    {done}"]
