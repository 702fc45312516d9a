"""One first boot, and its times by the guest's own clock, which starts with the kernel."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness import disks, guest
from harness.case import Case
from harness.errors import Failed
from harness.hardware import Hardware
from harness.image import Image
from harness.ssh import Key

from boots import work

TIMEOUT_S = 900.0
# The agents' units, in the initramfs and afterwards. What only an agent's image has belongs to it.
OWN = ("ignition-", "coreos-", "cloud-")
# systemd/sd-messages.h: a unit starts, has started, failed, stops, has stopped.
BEGIN = {"7d4958e842da4a758f6c1cdc7b36dcc5", "de5b426a63be47a7b6ac3eaac82e2f6f"}
END = {"39f53479d3a045ac8e11786248231fbf", "be02cf6855d2428ba40df7e9d022f03d", "9d1aaa27d60140bd96365438aad20286"}
PROBES = {
    "state": "systemctl is-system-running --wait",
    "cpu": "head -n 1 /proc/stat; getconf CLK_TCK",
    "manager": "systemctl show",
    "units": "systemctl show --property=Id,ActiveEnterTimestampMonotonic serial-getty@ttyS0.service ssh.service",
    "journal": "journalctl --boot _PID=1 --output=json --output-fields=MESSAGE,MESSAGE_ID,UNIT --no-pager",
    "report": "cat /var/lib/ignition/report.json",
    "plot": "systemd-analyze plot",
    "failed": "systemctl --failed --plain --no-legend",
    "work": work.PROBE,
}
ARGUMENTS = {
    "nothing": "",
    "ours": "coreos.first_boot=detected ignition.platform.id=qemu",
    "ignition": "ignition.firstboot=1 ignition.platform.id=qemu",
    "cloud-init": "",
}
# A guest that is slower than real hardware needs more time than the defaults; its processor stalls in kvm_amd (harness/image.py).
COMMON = "systemd.default_device_timeout_sec=300 systemd.default_timeout_start_sec=300 module_blacklist=kvm_amd"


@dataclass(frozen=True)
class Boot:
    """Seconds since the kernel started, to: the first process of the initramfs, that of the root, a login on the console, sshd,
    the end of all jobs. Then seconds in which a unit of the agent was starting or stopping, and of processor until the end.
    """

    initrd: float
    root: float
    login: float
    ssh: float
    finished: float
    agent: float
    cpu: float


def first_boot(variant: str, image: Image, key: Path, folder: Path, *, counted: bool) -> Boot:
    """Boots the image for the first time, with the work unless it has no agent. Raises Failed if the work was not done.

    Leaves journal.jsonl of the service manager, systemd's plot.svg, and the agent's report.json in the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pair = Key(key, key.with_suffix(".pub").read_text(encoding="utf-8").strip())
    drives = [disks.overlay(image.disk, folder / "system.qcow2"), disks.blank(folder / "data.qcow2", disks.GIB)]
    fw_cfg: Mapping[str, Path] = {}
    if variant == "cloud-init":
        drives.append(work.cloud_config_drive(folder, pair.public))
    elif variant != "nothing":
        fw_cfg = {"opt/com.coreos/config": work.ignition_config(folder, pair.public)}
    case = Case(variant, folder, folder, image)
    direct = image.direct_with(f"{COMMON} {ARGUMENTS[variant]}".strip())
    with case.machine(variant, drives, direct=direct, fw_cfg=fw_cfg, hardware=Hardware(counted=counted), key=pair) as machine:
        seen = {name: one.text for name, one in machine.wait_for_login(TIMEOUT_S).collect(PROBES, TIMEOUT_S).items()}
    for name, file in (("journal", "journal.jsonl"), ("plot", "plot.svg"), ("report", "report.json")):
        (folder / file).write_text(seen[name], encoding="utf-8")
    if variant != "nothing":
        _check(variant, seen, pair.public)
    manager, units = _properties(seen["manager"]), guest.parse_units(seen["units"])
    words, ticks = seen["cpu"].splitlines()
    user, nice, system, _idle, _iowait, irq, softirq, *_ = (int(word) for word in words.split()[1:])
    return Boot(
        initrd=_seconds(manager["InitRDTimestampMonotonic"]),
        root=_seconds(manager["UserspaceTimestampMonotonic"]),
        login=_seconds(units["serial-getty@ttyS0.service"]["ActiveEnterTimestampMonotonic"]),
        ssh=_seconds(units["ssh.service"]["ActiveEnterTimestampMonotonic"]),
        finished=_seconds(manager["FinishTimestampMonotonic"]),
        agent=busy(seen["journal"].splitlines()),
        cpu=(user + nice + system + irq + softirq) / int(ticks),
    )


def _check(variant: str, seen: Mapping[str, str], key: str) -> None:
    files = "".join(work.content(number) for number in range(work.FILES))
    expected = [
        f"user {work.USER} {key.split()[1]}",
        f"host {work.HOSTNAME}",
        f"files {hashlib.sha256(files.encode()).hexdigest()}  -",
        "unit enabled",
        "mount ext4 data",
    ]
    if seen["work"].split("\n")[:-1] != expected:
        raise Failed(f"{variant}: expected: {expected}\nseen:     {seen['work']}\nfailed units: {seen['failed']}")


def _properties(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _seconds(microseconds: str) -> float:
    return int(microseconds) / 1e6


def busy(lines: Iterable[str]) -> float:
    """Seconds in which at least one of the agent's units was starting or stopping."""
    busy, since, active = 0.0, 0.0, set[str]()
    for line in lines:
        entry = json.loads(line)
        unit, message = entry.get("UNIT", ""), entry.get("MESSAGE_ID", "")
        if not unit.startswith(OWN) or message not in BEGIN | END:
            continue
        at = _seconds(entry["__MONOTONIC_TIMESTAMP"])
        if message in BEGIN:
            since = since if active else at
            active.add(unit)
        elif unit in active:
            active.discard(unit)
            busy += 0.0 if active else at - since
    return busy
