"""LVM volumes: facts, and the operations that grow them. Source: lvs(8).

A tag of the volume marks a growth in progress. The free extents of the volume group are noted first, so that only newly gained
ones are used.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ignition.errors import Failure
from ignition.host.command import run
from ignition.operation import Context
from ignition.storage.grow.facts import Logical, Physical
from ignition.storage.grow.operations import GROW_TIMEOUT_S, Growth

UUID_LENGTH = len("LVM-") + 64  # dm/uuid of a visible volume; those of its internal parts have a suffix
LINEAR = ("linear",)  # other types do not lie directly on physical volumes, or are not the sum of them
TAG = "ignition.free="  # free extents of the volume group before the growth
_FORM = ["--reportformat", "json", "--units", "b", "--nosuffix"]


def name(mapped: str) -> str:
    """`vg-lv` of the device mapper → `vg/lv`; a dash in a name is written twice there (lvm(8))."""
    found, index = "", 0
    while index < len(mapped):
        if mapped.startswith("--", index):
            found, index = found + "-", index + 2
        else:
            found, index = found + ("/" if mapped[index] == "-" else mapped[index]), index + 1
    return found


def describe(volume: Logical, nodes: Sequence[str]) -> None:
    """Ask LVM about a volume, whose physical volumes are on `nodes`. Raises Failure."""
    group = volume.name.partition("/")[0]
    why = f"looking at {volume.name}"
    fields = "segtype,vg_extent_size,vg_free_count,lv_tags"
    volumes = run(["lvm", "lvs", *_FORM, "--segments", "-o", fields, "--", volume.name], why=why)
    read_volume(volume, volumes)
    if volume.segments == LINEAR:
        physical = run(["lvm", "pvs", *_FORM, "-o", "pv_name,pv_size,pe_start", "-S", f"vg_name={group}"], why=why)
        read_physical(volume, physical, nodes)


def read_volume(volume: Logical, text: str) -> None:
    """From the output of lvs, which has one row per segment."""
    rows = _rows(text, "lv")
    volume.segments = tuple(sorted({row["segtype"] for row in rows}))
    volume.extent, volume.free = int(rows[0]["vg_extent_size"]), int(rows[0]["vg_free_count"])
    notes = [tag.removeprefix(TAG) for tag in rows[0]["lv_tags"].split(",") if tag.startswith(TAG)]
    volume.noted = int(notes[0]) if notes and re.fullmatch(r"[0-9]{1,18}", notes[0]) else None


def read_physical(volume: Logical, text: str, nodes: Sequence[str]) -> None:
    """From the output of pvs. LVM may name a device by another link than the kernel."""
    from os.path import realpath

    found = {realpath(row["pv_name"]): Physical(int(row["pe_start"]), int(row["pv_size"])) for row in _rows(text, "pv")}
    missing = [node for node in nodes if node not in found]
    if missing:
        raise Failure(f"LVM does not know {', '.join(missing)} as part of {volume.name}", fix="inspect it with `pvs -a`")
    volume.physical = tuple(found[node] for node in nodes)


def _rows(text: str, kind: str) -> list[dict[str, str]]:
    import json

    rows = json.loads(text)["report"][0]
    found: list[dict[str, str]] = rows.get(kind) or rows.get("seg") or []
    if not found:
        raise Failure(f"LVM did not report {kind}", fix="inspect it with `lvs` and `pvs`")
    return found


def free(name: str) -> int:
    """The free extents of a volume's group now."""
    row = _rows(run(["lvm", "lvs", *_FORM, "-o", "vg_free_count", "--", name], why=f"looking at {name}"), "lv")[0]
    return int(row["vg_free_count"])


class NoteFree(Growth):
    """Note the free extents in a tag of the volume: somebody left them free, and they stay free."""

    kind, lengthens = "grow-lvm-note", False

    def __init__(self, volume: Logical) -> None:
        self.path, self._volume = volume.name, volume

    def describe(self) -> str:
        return f"note the {self._volume.free} free extents of the volume group of {self.path}"

    def execute(self, context: Context) -> None:
        tag = f"{TAG}{self._volume.free}"
        run(["lvm", "lvchange", "--addtag", tag, "--", self.path], why=f"noting the free extents of {self.path}")


class GrowPhysical(Growth):
    """Let LVM use all of a device."""

    kind = "grow-lvm-physical"

    def __init__(self, node: str) -> None:
        self.path = node

    def describe(self) -> str:
        return f"grow the LVM physical volume {self.path}"

    def execute(self, context: Context) -> None:
        run(["lvm", "pvresize", "--", self.path], why=f"growing {self.path}", timeout_s=GROW_TIMEOUT_S)


class GrowLogical(Growth):
    """Extend a logical volume by the extents that its volume group has gained."""

    kind = "grow-lvm-logical"

    def __init__(self, volume: Logical, noted: int) -> None:
        self.path, self._volume, self._noted = volume.name, volume, noted

    def describe(self) -> str:
        return f"grow the logical volume {self.path} by the extents that its volume group has gained"

    def execute(self, context: Context) -> None:
        won = free(self.path) - self._noted
        if won > 0:
            run(["lvm", "lvextend", "-l", f"+{won}", "--", self.path], why=f"growing {self.path}", timeout_s=GROW_TIMEOUT_S)
        run(["lvm", "lvchange", "--deltag", f"{TAG}{self._noted}", "--", self.path], why=f"growing {self.path}")
