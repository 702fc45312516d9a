"""`ignition plan` compared with a stage: the plan is made from the images of a lab's disks before the stage runs."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from harness import foreseen
from harness.lab_result import Result

# Not known from images: volumes, arrays, mounts and swap areas that are open in the guest, a line each.
OPEN = "lsblk --raw --noheadings --output TYPE,MOUNTPOINT {} | grep -vx 'disk *' | grep -vx 'part *'"
SECTOR = 512  # bytes; an image does not tell that a blank disk has others
DECIDING = ("inspect",)  # operations that plan others
SEVERAL = "several signatures"
WRONG_KEY = "does not open it"
LINKS = ("/dev/disk/by-id/", "/dev/disk/by-path/")  # an image does not know them


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
    return foreseen.plan(scratch, *images, "--kernel-arguments", arguments)


def from_facts(config: Mapping[str, Any], facts: str, scratch: Path) -> dict[str, Any]:
    """The same for the output of `ignition facts` in the guest. The stage finds the same devices in use, as in an initramfs."""
    scratch.write_text(json.dumps(config), encoding="utf-8")
    document = scratch.with_suffix(".facts")
    document.write_text(json.dumps(json.loads(facts or "{}") | {"initramfs": True}), encoding="utf-8")
    return foreseen.plan(scratch, "--facts", str(document))


def differences(found: Mapping[str, Any], result: Result, stage: str = "disks") -> list[str]:
    """The differences of a plan from the stage, a line each: operations in order, existing effects, and the failure.

    File systems are made side by side, so that their order does not matter. A program that fails (mkfs on a device that is too
    small) is not foreseen, nor are several signatures on one device, of which only the boot learns the first, nor a key that does
    not open a volume: docs/plan.md.
    """
    if SEVERAL in json.dumps(found):
        return []
    planned = [(one["what"], one["already"]) for one in found["operations"] if _counts(one, stage)]
    done = [(row["what"], row["result"] == "already") for row in result.records if _counts(row, stage)]
    failure = found["failure"]
    if result.status:
        where, what, _ = result.refusal
        failed = [row for row in result.records if row["result"] == "failed"]
        if failure and failure["stage"] == result.stage.removesuffix("-offline") == "fetch":
            return []  # the findings about a config have their own tests
        if failed and failed[-1]["operation"] not in DECIDING:
            return (
                []
                if {row["what"] for row in failed} <= {one["what"] for one in found["operations"]}
                else [f"not planned: {failed}"]
            )
        if failure is None and what.endswith(WRONG_KEY):
            return []
        if failure is None:
            return [f"planned: success; failed: {where}: {what}"]
        wanted = " ".join(failure["what"].split())
        return [] if what == wanted else [f"planned failure: {failure['where']}: {wanted}\nfailed:          {where}: {what}"]
    if failure is not None and failure["stage"] == stage:
        return [f"planned failure: {failure['where']}: {failure['what']}; it succeeded"]
    same = sorted(planned) == sorted(done) and _in_order(found["operations"], stage) == _in_order(result.records, stage)
    return [] if same else [f"planned: {planned}\ndone:    {done}"]


def _counts(one: Mapping[str, Any], stage: str) -> bool:
    return bool(one["stage"] == stage and one["operation"] not in DECIDING and one.get("result") != "failed")


def _in_order(operations: Sequence[Mapping[str, Any]], stage: str) -> list[str]:
    return [one["what"] for one in operations if _counts(one, stage) and one["operation"] != "format"]
