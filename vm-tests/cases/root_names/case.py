"""verifies: a ROOT recreated by a config that does not set its name is found by the same boot, and gets its contents back,
where the kernel command line names it by UUID, PARTUUID, PARTLABEL or device. By LABEL: the case root-btrfs. A config after
which the command line would find no ROOT is refused with nothing changed.
"""

import uuid
from pathlib import Path

from harness import disks, gpt, prepared, root_anew
from harness.case import Case
from harness.disks import Disk

TIMEOUT_S = 1500
EXPECTED_S = 450
FAILURE_S = 240.0
# Files that no boot needs: two in five. The cases root-raid, root-luks and root-btrfs look at all that ROOT has.
SPARE = (
    "/usr/lib/x86_64-linux-gnu/gconv",
    "/usr/lib/x86_64-linux-gnu/perl",
    "/usr/lib/x86_64-linux-gnu/perl-base",
    "/usr/share/bash-completion",
    "/usr/share/doc",
    "/usr/share/perl",
    "/usr/share/perl5",
    "/usr/share/zoneinfo",
    "/var/lib/dpkg/info",
)
_EXT4_UUID = 1024 + 0x68  # in its superblock, linux/Documentation/filesystems/ext4

PROBES = {
    "failed": "systemctl --failed --plain --no-legend",
    "root": "findmnt --noheadings --output FSTYPE,UUID,PARTLABEL /",
    "journal": root_anew.PROBES["journal"],
    "provisioned": "cat /etc/provisioned",
    "cmdline": "cat /proc/cmdline",
}


def run(case: Case) -> None:
    """A boot for each spelling, each on a disk of its own; one that must fail."""
    raw = case.raw(case.system_disk("look", 0), "look")
    entry = gpt.read_table(raw).labelled("ROOT")
    identity = root_uuid(raw, entry)
    prepared.empty_in_ext4(raw, entry, SPARE, case.work / "spare")
    spellings = {
        "uuid": f"UUID={identity}",
        "partuuid": f"PARTUUID={entry.guid.lower()}",
        "partlabel": "PARTLABEL=ROOT",
        "device": f"/dev/vda{entry.number}",
    }
    for name, spelled in spellings.items():
        found_again(case, name, Disk(raw, "raw"), spelled, identity if name == "uuid" else "")
    refused(case, entry.number)


def root_uuid(raw: Path, entry: gpt.Partition) -> str:
    """Of the ext4 on the image's ROOT."""
    with raw.open("rb") as file:
        file.seek(entry.first * 512 + _EXT4_UUID)
        return str(uuid.UUID(bytes=file.read(16)))


def found_again(case: Case, name: str, image: Disk, spelled: str, identity: str) -> None:
    """One first boot, up to the login: `root=` is looked up after the disks stage."""
    system = disks.overlay(image, case.work / f"{name}.qcow2")
    direct = case.image.direct("coreos.first_boot=detected", f"root={spelled}")
    with case.machine(name, [system], direct=direct, fw_cfg=root_anew.config(case)) as machine:
        seen = root_anew.look(machine, PROBES)
        machine.cut_off()
    checks = case.checks(f"root={spelled}", machine)
    checks.equal("state of the system", "running", seen["state"].text)
    checks.equal("failed units", "", seen["failed"].text)
    format, found, label = seen["root"].text.split()
    checks.equal("format and partition of ROOT", ("xfs", "ROOT"), (format, label))
    checks.equal("a file of the config", "yes\n", seen["provisioned"].text)
    messages = root_anew.judge_held(seen["journal"].text, checks)
    if identity:
        checks.equal("UUID of ROOT", identity, found)
        checks.contains("the journal", f"gets the UUID {identity}", messages)
    checks.done()


def refused(case: Case, number: int) -> None:
    """The partition is recreated under another name."""
    config = case.fill("renamed.ign", {"SSH_KEY": case.key.public})
    system = case.system_disk("renamed", 0)
    before = state_of(case, system, "before")
    direct = case.image.direct("coreos.first_boot=detected", "root=PARTLABEL=ROOT")
    with case.machine("renamed", [system], direct=direct, fw_cfg={"opt/com.coreos/config": config}) as machine:
        text = machine.wait_for_console("ignition: first boot failed", FAILURE_S)
        machine.quit()
    checks = case.checks("a partition that root= would not find", machine)
    screen = " ".join(text[text.index("The first boot failed") :].split())
    what = f"this overwrites ROOT (/dev/vda{number}), and the config does not create a file system PARTLABEL=ROOT"
    checks.contains("the screen", [what, "$.storage.disks.0.partitions.0"], screen)
    checks.equal("ROOT, its entry and every bit", before, state_of(case, system, "after"))
    checks.done()


def state_of(case: Case, system: Disk, name: str) -> tuple[gpt.Partition, str]:
    """ROOT's entry and a digest of its content."""
    raw = case.raw(system, name)
    entry = gpt.read_table(raw).labelled("ROOT")
    found = entry, gpt.digest(raw, entry)
    raw.unlink()
    return found
