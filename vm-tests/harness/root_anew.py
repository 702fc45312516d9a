"""A ROOT recreated by a config: checks that every such machine must pass, whatever its ROOT is on. For the cases root-*."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness import disks, guest
from harness.case import Case
from harness.checks import Checks
from harness.disks import GIB, Disk
from harness.foreseen import Foreseen
from harness.hardware import Hardware
from harness.machine import Machine
from harness.ssh import Answer

# Besides the files that packages list: a capability, a set-user-id program, hard links, an owner, an empty directory.
PROBES = {
    "failed": "systemctl --failed --plain --no-legend",
    "root": "findmnt --json --bytes --output SOURCE,FSTYPE,LABEL,SIZE /",
    "layers": "lsblk --json --bytes --output NAME,TYPE,SIZE,FSTYPE,MOUNTPOINTS",
    "packages": "dpkg --verify | grep -v -e ' /usr/share/' -e ' c /etc/' -e ' /boot/' -e ' /usr/lib/binfmt.d/'",
    "ping": "getcap /usr/bin/ping; stat -c '%a %U:%G' /usr/bin/sudo /home/core /var/log/journal; stat -c %h /usr/bin/perl",
    "provisioned": "cat /etc/provisioned",
    "journal": guest.JOURNAL,
    "cmdline": "cat /proc/cmdline",
    "memory disk": "ls -d /sys/block/zram* 2>&1",
}
CONFIG = "opt/com.coreos/config"
HELD, RETURNED = r"\[finished\] hold ROOT's contents", r"\[finished\] put ROOT's contents"


def look(machine: Machine, probes: Mapping[str, str] = PROBES) -> dict[str, Answer]:
    """Everything at once, when the boot is complete."""
    ssh = machine.wait_for_login()
    state = guest.settle(ssh)
    return ssh.collect(probes) | {"state": Answer(state, 0)}


def root_row(seen: Mapping[str, Answer]) -> dict[str, object]:
    """findmnt's row for /."""
    rows: list[dict[str, object]] = json.loads(seen["root"].text)["filesystems"]
    return rows[0]


def judge(seen: Mapping[str, Answer], checks: Checks, *, format: str, least: int) -> None:
    """The machine runs from a ROOT of this format, of so many bytes at least, and nothing of it was lost."""
    checks.equal("state of the system", "running", seen["state"].text)
    checks.equal("failed units", "", seen["failed"].text)
    row = root_row(seen)
    checks.equal("format of ROOT", format, row["fstype"])
    checks.equal("label of ROOT", "ROOT", row["label"])
    checks.true("size of ROOT", int(str(row["size"])) >= least, f"{row['size']} bytes, {least} wanted")
    checks.equal("packages' files that are not as they were", "", seen["packages"].text)
    checks.contains("capabilities, owners, modes", ["cap_net_raw", "4755 root:root", "755 core:core"], seen["ping"].text)
    checks.equal("a file of the config", "yes\n", seen["provisioned"].text)


def judge_first(seen: Mapping[str, Answer], checks: Checks) -> None:
    """The first boot held ROOT and put it back."""
    judge_held(seen["journal"].text, checks)
    checks.contains("the memory is given back", "No such file", seen["memory disk"].text)


def judge_held(journal: str, checks: Checks) -> str:
    """The same checks for the journal alone; returns its messages."""
    messages = "\n".join(guest.parse_journal(journal).messages())
    checks.matches("ROOT is held in memory", HELD, messages)
    checks.matches("ROOT is put back", RETURNED, messages)
    checks.lacks("stages failed", "[failed]", messages)
    return messages


def boot_again(
    case: Case, drives: Sequence[Disk], checks_name: str, *, format: str, grow: int = 2 * GIB, **options: object
) -> Checks:
    """Enlarges the disks, boots once more, and judges; returns the checks, still open, so that the case can add its own."""
    before = disks.virtual_size(drives[0])
    for disk in drives:
        disks.grow(disk, disks.virtual_size(disk) + grow)
    with case.machine(checks_name, drives, **options) as machine:  # type: ignore[arg-type]
        seen = look(machine)
        machine.cut_off()
    checks = case.checks(checks_name, machine)
    # All that is before ROOT on the image's disk takes less than 3 GiB.
    judge(seen, checks, format=format, least=before + grow - 3 * GIB)
    checks.lacks("kernel command line", "first_boot", seen["cmdline"].text)
    return checks


def foresee(case: Case, drives: Sequence[Disk], config: Mapping[str, Path], hardware: Hardware | None = None) -> Foreseen:
    """The plan for the first boot."""
    return case.foresee(drives, config[CONFIG], hardware=hardware)


def config(case: Case, values: Mapping[str, str | int] | None = None) -> dict[str, Path]:
    """The case's config, as fw_cfg hands it over."""
    return {CONFIG: case.fill("config.ign", {"SSH_KEY": case.key.public} | dict(values or {}))}
