"""Kernel arguments of a config, with any boot loader: checks for each boot of such a machine. For the cases kargs-*."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness import fat_replace, filesystems, guest
from harness.case import Case
from harness.checks import Checks
from harness.disks import Disk
from harness.machine import Machine
from harness.ssh import Answer, Ssh

REBOOT = "the kernel arguments have changed: rebooting once"
GOES_ON = "the machine was rebooted for its kernel arguments: the first boot goes on"
STAGE_RAN = "set kernel arguments with ignition-kargs-helper"
PROBES = {
    "failed": "systemctl --failed --plain --no-legend",
    "cmdline": "cat /proc/cmdline",
    "journal": guest.JOURNAL,
    "provisioned": "cat /etc/provisioned",
}


def config(case: Case) -> dict[str, Path]:
    """The case's config, as fw_cfg hands it over."""
    return {"opt/com.coreos/config": case.fill("config.ign", {"SSH_KEY": case.key.public})}


def look(machine: Machine) -> dict[str, Answer]:
    """Everything at once, when the boot is complete."""
    ssh = machine.wait_for_login()
    state = guest.settle(ssh)
    return ssh.collect(PROBES) | {"state": Answer(state, 0)}


def power_cuts_on_fat(ssh: Ssh) -> list[str]:
    """The content of a file on FAT after a power cut before each step of its replacement; see fat_replace.py."""
    answer = ssh.feed("python3 -", Path(__file__).with_name("fat_replace.py").read_text(encoding="utf-8"), 240)
    found: list[str] = json.loads(answer.text) if answer.text.startswith("[") else [answer.text]
    return found


def judge_power_cuts(found: Sequence[str], checks: Checks) -> None:
    """The file is the old one up to some step, and the new one from then on."""
    kinds = [fat_replace.KINDS.get(text, text) for text in found]
    checks.true("power cuts on FAT", len(kinds) > len(fat_replace.STEPS), kinds)
    checks.equal("power cuts on FAT: old and new files", ["old"] * kinds.count("old") + ["new"] * kinds.count("new"), kinds)
    checks.equal("power cuts on FAT: before the first step and after the last", ["old", "new"], [kinds[0], kinds[-1]])


def esp_file(case: Case, disk: Disk, path: str) -> str:
    """The text of a file on a disk's EFI-SYSTEM."""
    with case.esp(disk) as found:
        return filesystems.fat_read(*found, path)


def judge_reboot(case: Case, console: str, disk: Disk, checks: Checks) -> None:
    """The first start ends in the kargs stage, with one reboot that is announced and noted, and before any other change."""
    checks.equal("kernels started", 1, console.count("] Linux version "))
    checks.contains("the reboot is announced", REBOOT, console)
    for word in ("disks: ", "files: ", "emergency", "The first boot failed"):
        checks.lacks("the console", word, console)
    checks.equal("flag and mark on EFI-SYSTEM", ["first_boot", "first_boot.in-progress"], case.first_boot_files(disk))
    checks.equal("notes in the mark", ["kargs-rebooted"], esp_file(case, disk, "/coreos/first_boot.in-progress").split()[1:])


def judge_boot(seen: Mapping[str, Answer], checks: Checks, *, present: Sequence[str], absent: Sequence[str]) -> None:
    """The machine is up, provisioned, and its kernel has the arguments, each once."""
    checks.equal("state of the system", "running", seen["state"].text)
    checks.equal("failed units", "", seen["failed"].text)
    checks.equal("a file of the config", "yes\n", seen["provisioned"].text)
    padded = f" {seen['cmdline'].text.strip()} "
    for argument in present:
        checks.equal(f"{argument} on the kernel command line", 1, padded.count(f" {argument} "))
    for argument in absent:
        checks.lacks("kernel command line", f" {argument} ", padded)


def judge_first(seen: Mapping[str, Answer], checks: Checks, *, rebooted: bool) -> None:
    """A first boot that was completed: the stage ran and changed nothing more."""
    messages = "\n".join(guest.parse_journal(seen["journal"].text).messages())
    checks.contains("kernel command line", "coreos.first_boot=detected", seen["cmdline"].text)
    checks.contains("the stage", [f"[finished] {STAGE_RAN}", "nothing to change in "], messages)
    (checks.contains if rebooted else checks.lacks)("that the machine was rebooted before", GOES_ON, messages)
    checks.lacks("a second reboot", REBOOT, messages)
    checks.lacks("failed operations", "[failed]", messages)


def judge_later(seen: Mapping[str, Answer], checks: Checks) -> None:
    """An ordinary boot: nothing of the agent ran."""
    checks.lacks("kernel command line", "first_boot", seen["cmdline"].text)
    checks.equal("stages in the journal", [], guest.parse_journal(seen["journal"].text).stages())
