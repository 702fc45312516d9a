"""verifies: whatever ends a first boot, its console shows one page that says what failed, where, why and what to do, and the
machine as it is: 23 ways to fail, a machine each, compared with the texts in the folder screens.
"""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

from harness import disks, screens
from harness.case import Case
from harness.disks import MIB
from harness.errors import Failed
from harness.machine import DirectBoot
from soak.screens.ways import WAYS, Way

TIMEOUT_S = 2 * 3600
EXPECTED_S = 900
SCREEN_S = 240.0
CONFIG = "opt/com.coreos/config"


def run(case: Case) -> None:
    """All of them, or those that SCREENS names."""
    wanted = os.environ.get("SCREENS", "").split()
    failures = []
    for way in WAYS:
        if not wanted or way.name in wanted:
            try:
                fails(case, way)
            except Failed as failure:
                failures.append(str(failure))
    if failures:
        raise Failed("\n\n".join(failures))


def fails(case: Case, way: Way) -> None:
    """One boot, up to the page."""
    system = disks.overlay(case.image.disk, case.work / f"{way.name}.qcow2", disks.virtual_size(case.image.disk))
    other = disks.blank(case.work / f"{way.name}-other.raw", 64 * MIB)
    direct = case.image.direct("coreos.first_boot=detected", "ignition.failure=shell", *way.arguments)
    fw_cfg = {}
    if way.config:
        config = case.work / f"{way.name}.ign"
        config.write_text(way.config, encoding="utf-8")
        fw_cfg = {CONFIG: config}
    direct = with_files(direct, way, case.work)
    with case.machine(way.name.replace("_", "-"), [system, other], direct=direct, fw_cfg=fw_cfg) as machine:
        text = machine.wait_for_console("ignition: first boot failed, giving a shell", SCREEN_S)
        machine.kill()
    for disk in (system, other):
        disk.path.unlink()
    checks = case.checks(way.name, machine)
    screens.compare(checks, text, case.folder / "screens" / f"{way.name}.txt")
    checks.done()


def with_files(direct: DirectBoot, way: Way, work: Path) -> DirectBoot:
    """The boot with a second archive behind the initramfs, whose files replace those of the first."""
    if not way.files:
        return direct
    top = work / f"{way.name}.files"
    for name, text in way.files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
    names = "\n".join(str(path.relative_to(top)) for path in sorted(top.rglob("*")))
    archive = subprocess.run(
        ["cpio", "--quiet", "--create", "--format=newc", "--owner=0:0"],
        cwd=top,
        input=names.encode(),
        capture_output=True,
        check=True,
    ).stdout
    initrd = work / f"{way.name}.initrd"
    first = direct.initrd.read_bytes()
    initrd.write_bytes(first + b"\0" * (-len(first) % 4) + archive)
    return replace(direct, initrd=initrd)
