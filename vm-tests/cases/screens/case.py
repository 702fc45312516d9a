"""verifies: whatever ends a first boot, its console shows one page that says what failed, where, why and what to do, and the
machine as it is: 23 ways to fail, a machine each, compared with the texts in the folder screens. At one of these screens a disk
is attached and the stage retried, one asks for root's password, and one gives no shell.
"""

import os
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cases.screens.ways import MISSING, WAYS, Way
from harness import disks, screens
from harness.case import Case
from harness.checks import Checks
from harness.disks import MIB
from harness.errors import Failed
from harness.hardware import Hardware
from harness.initramfs import with_files
from harness.lab import SYNC_VARIABLE
from harness.machine import Machine

TIMEOUT_S = 1800
EXPECTED_S = 300
SCREEN_S = 300.0
ANSWER_S = 5.0  # a shell's
_SCRIPT = Path(__file__).parents[3] / "dracut" / "35coreos-ignition" / "emergency"  # with --sync, on any image
CONFIG = "opt/com.coreos/config"
PASSWORD = "correct horse"
# openssl passwd -6 -salt abcdefgh 'correct horse'
_HASH = "$6$abcdefgh$yIZAF3gQPvtKZO/9qOJKffAKKbtS3ef3qmwyugk4uWVjX8YZf/GV3A8SkFxEPY0T56CcilGrHKLffBsp6dLMG."
PROMPT = r"\n# $"
_LINK = "/dev/disk/by-id/virtio-disk2"  # of a disk that is attached later, by its serial
# Runs after the screen: when systemd or a stage first reported an error, and when the script of the screen ended.
_TIMES = """#!/bin/sh
{
    journalctl --boot --priority=err --output=short-monotonic --no-pager _TRANSPORT=journal _TRANSPORT=stdout | head -n 20
    systemctl show --property=ExecMainStartTimestampMonotonic,ExecMainExitTimestampMonotonic ignition-emergency.service
} 2>/dev/null | while IFS= read -r line; do echo "times: $line"; done >/dev/console
echo "times: end" >/dev/console
"""
# The stages begin after udev has seen the devices that the texts name: a screen shows what is there when it is printed.
_DEVICES = "/dev/vda9 /dev/vdb /sys/class/net/eth0"
_AROUND = {
    "usr/lib/vm-test-times": _TIMES,
    "etc/systemd/system/ignition-emergency.service.d/50-times.conf": "[Service]\nExecStartPost=-/bin/sh /usr/lib/vm-test-times\n",
    "etc/systemd/system/systemd-udev-trigger.service.d/50-devices.conf": f"""[Service]
ExecStartPost=-/usr/bin/udevadm wait --settle --timeout=60 {_DEVICES}
""",
}


def run(case: Case) -> None:
    """All of them, or those that SCREENS names. Those that wait run beside the others, one at a time as well."""
    wanted = os.environ.get("SCREENS", "").split()
    chosen = [way for way in WAYS if not wanted or way.name in wanted]
    with ThreadPoolExecutor(max_workers=1) as beside:
        waiting = [beside.submit(failure_of, case, way) for way in chosen if way.waits]
        found = [failure_of(case, way) for way in chosen if not way.waits]
        found += [one.result() for one in waiting]
    if any(found):
        raise Failed("\n\n".join(filter(None, found)))


def failure_of(case: Case, way: Way) -> str:
    """What was wrong with one boot; empty if nothing was."""
    try:
        fails(case, way)
    except Failed as failure:
        return str(failure)
    return ""


def fails(case: Case, way: Way) -> None:
    """One boot, up to the page, and what follows it."""
    folder = case.work / way.name
    folder.mkdir()
    system = disks.overlay(case.image.disk, folder / "system.qcow2", disks.virtual_size(case.image.disk))
    other = disks.blank(folder / "other.raw", 64 * MIB)
    direct = case.image.direct("coreos.first_boot=detected", "ignition.failure=shell", *way.arguments)
    fw_cfg = {}
    if way.config:
        config = folder / "config.ign"
        config.write_text(way.config, encoding="utf-8")
        fw_cfg = {CONFIG: config}
    files = {**_AROUND, **way.files, **FILES.get(way.name, {})}
    if os.environ.get(SYNC_VARIABLE):
        files["usr/lib/coreos-ignition/emergency"] = _SCRIPT.read_text(encoding="utf-8")
    direct = with_files(direct, files, folder)
    hardware = Hardware(slots=2)  # for the disk that is attached later
    with case.machine(way.name.replace("_", "-"), [system, other], direct=direct, fw_cfg=fw_cfg, hardware=hardware) as machine:
        text = machine.wait_for_console("times: end", SCREEN_S)
        checks = case.checks(way.name, machine)
        if way.name in THEN:
            THEN[way.name](case, machine, checks)
        machine.kill()
    case.say(f"{way.name}: from the fault to the end of the screen's script {seconds(text)}")
    screens.compare(checks, text, case.folder / "screens" / f"{way.name}.txt")
    checks.lacks("a reason", "no stage of ignition has said why", text)
    for path in (system.path, other.path, direct.initrd):
        path.unlink()
    checks.done()


def seconds(text: str) -> str:
    """The time from the first error in the journal to the end of the script, by the guest's clock."""
    errors = [float(found) for found in re.findall(r"^times: \[ *([\d.]+)\]", text, re.MULTILINE)]
    script = {
        name: int(time) / 1e6 for name, time in re.findall(r"^times: ExecMain(\w+)TimestampMonotonic=(\d+)$", text, re.MULTILINE)
    }
    if len(script) != 2 or not errors:
        return f"unknown: {len(errors)} errors in the journal, {script}"
    return f"{script['Exit'] - min(errors):.2f} s, of which {script['Exit'] - script['Start']:.2f} s are the script's"


def retries(case: Case, machine: Machine, checks: Checks) -> None:
    """The missing disk is attached, and the stage that lacked it runs again; then the boot goes on, to the next fault."""
    machine.wait_for_sulogin(SCREEN_S)
    machine.type("\n", PROMPT, SCREEN_S)
    machine.plug(2, disks.blank(case.work / "missing.raw", 64 * MIB))
    machine.type(f"until [ {MISSING} -ef {_LINK} ]; do sleep 1; done; echo found=$?\n", r"found=0")  # udevd goes on
    machine.type("\n", PROMPT)
    text = machine.type("ignition retry --stage disks\n", r"/etc/passwd already exists", SCREEN_S)
    checks.contains("where it begins", "from the stage disks on", text)
    checks.contains("the next fault", "The first boot failed in the stage 'files'.", text)


def asks(case: Case, machine: Machine, checks: Checks) -> None:
    """The shell is for those who know the password."""
    machine.wait_for_sulogin(SCREEN_S)
    begin = len(machine.console.text())
    machine.type("wrong horse\n", "Login incorrect")
    machine.wait_for_sulogin(begin=begin)
    machine.type(f"{PASSWORD}\n", PROMPT)
    text = machine.console.text()[begin:]
    checks.contains("a shell of root", "uid=0", machine.type("echo uid=$(( $$ * 0 ))\n", r"uid=0\n"))
    checks.lacks("password on the console", "horse", text)


def gives_none(case: Case, machine: Machine, checks: Checks) -> None:
    """Whatever is typed, there is no shell, and the console says why."""
    machine.wait_for_console("^ignition: no shell here: ignition.failure.shell=none is on the kernel command line", SCREEN_S)
    machine.type("\necho uid=$(( $$ * 0 ))\n", "echo uid")  # the terminal's echo
    time.sleep(ANSWER_S)
    checks.lacks("a shell", "uid=0", machine.console.text())


THEN: Mapping[str, Callable[[Case, Machine, Checks], None]] = {
    "device_missing": retries,
    "config_is_not_json": asks,
    "config_invalid": gives_none,
}
_ACCOUNTS = """root:x:0:0::/root:/bin/sh
systemd-network:x:998:998:systemd Network Management:/:/usr/sbin/nologin
systemd-resolve:x:996:996:systemd Resolver:/:/usr/sbin/nologin
"""
# As module-setup.sh of the agent writes them where the image has a hash.
FILES = {"config_is_not_json": {"etc/passwd": _ACCOUNTS, "etc/shadow": f"root:{_HASH}:::::::\n"}}
