"""verifies: a first boot whose power is cut at random moments of the stage `disks` (tables of two disks, RAID1, LUKS on it with a
generated key, ext4 on that, xfs, btrfs, swap) converges at the next boot: every layer is as the config says, mounted and with its
files, and a partition that the config keeps still has every bit, in its entry and in its file system.

POWER_CUTS sets the number of machines (default 2; the soak cuts 30), POWER_CUTS_SEED repeats an earlier run.
"""

import os
import random
import time
from dataclasses import dataclass, replace
from pathlib import Path

from harness import disks, filesystems, gpt, guest
from harness.case import Case
from harness.checks import Checks
from harness.disks import GIB, Disk
from harness.machine import DirectBoot
from harness.prepared import partitioned, put_ext4
from harness.ssh import Answer

TIMEOUT_S = 1200
EXPECTED_S = 160
MOMENTS = 26  # lines that the disks stage writes about its operations when nothing interrupts it
LONGEST_PAUSE_S = 1.5
FILES = {"letters/one.txt": "keep me\n", "letters/two.bin": "x" * 300_000, "deep/er/file": "1\n"}
SECOND_DISK = """label: gpt
label-id: 7c1d0b52-0d8a-4d5b-9f53-0e8f0a6b1b00
start=2048, size=204800, type=c95dc21a-df0e-4340-8d7b-26cbfa9a03e0, uuid=7c1d0b52-0d8a-4d5b-9f53-0e8f0a6b1b01, name=kept, \
attrs="RequiredPartition GUID:48,52,56,63"
"""
OPERATION = r"ignition\[\d+\]: disks: op\(\w+\): \[(?:started|finished)\]"
PROBES = {
    "failed": "systemctl --failed --plain --no-legend",
    "mounts": guest.mounts_command(),
    "files": "cat /srv/vault/file /srv/logs/file /srv/bulk/file",
    "layers": "cat /proc/mdstat; cryptsetup status vault; cryptsetup luksDump /dev/md/pair; stat -c '%a' /etc/luks/vault",
    "crypttab": "cat /etc/crypttab",
    "swap": "blkid -p -o value -s LABEL -s UUID /dev/disk/by-partlabel/swap",
    "kept": "cd /srv/kept && cat letters/one.txt && stat -c %s letters/two.bin && cat deep/er/file",
}
MOUNTS = {
    "/srv/vault": ("ext4", "vault"),
    "/srv/logs": ("xfs", "logs"),
    "/srv/bulk": ("btrfs", "bulk"),
    "/srv/kept": ("ext4", "KEPT"),
}


@dataclass
class Cut:
    """One moment: after so many lines about operations, and a pause."""

    lines: int
    pause_s: float

    def __str__(self) -> str:
        return f"{self.lines} lines of disks and {self.pause_s:.2f} s"


def run(case: Case) -> None:
    """One machine after the other; the first that does not converge ends it."""
    seed = int(os.environ.get("POWER_CUTS_SEED") or time.time())
    chance = random.Random(seed)  # noqa: S311 - moments to cut the power, not secrets
    case.say(f"seed {seed}")
    config = case.fill("config.ign", {"SSH_KEY": case.key.public})
    direct = case.image.direct("coreos.first_boot=detected", "systemd.journald.forward_to_console=1")
    for number in range(int(os.environ.get("POWER_CUTS") or 2)):
        cut = Cut(chance.randint(1, MOMENTS), chance.uniform(0, LONGEST_PAUSE_S))
        case.say(f"machine {number}: {cut}")
        one_machine(case, f"{number}", cut, direct, {"opt/com.coreos/config": config}, seed)


def one_machine(case: Case, name: str, cut: Cut, direct: DirectBoot, source: dict[str, Path], seed: int) -> None:
    """Cuts the power of a fresh machine once, then lets it boot."""
    drives = make_disks(case, name)
    before, digest = kept(drives[1])
    with case.machine(f"cut-{name}", drives, direct=direct, fw_cfg=source) as machine:
        machine.console.wait_for_number(OPERATION, cut.lines, "disks: stage disks finished", 420, alive=machine.alive)
        time.sleep(cut.pause_s)
        machine.kill()
        where = machine.console.text().count("disks: op(")
    case.say(f"machine {name}: cut after {where} lines")
    checks = case.checks(f"machine {name} of seed {seed}, after a cut after {cut}", machine)
    checks.equal("the kept partition, to the last bit", (before, digest), kept(drives[1]))
    checks.done()
    # Nobody kills this one: that flushes reach this host's disk would only cost time.
    with case.machine(f"after-{name}", [replace(disk, unsafe=True) for disk in drives], direct=direct, fw_cfg=source) as machine:
        ssh = machine.wait_for_login()
        guest.settle(ssh)
        seen = ssh.collect(PROBES)
        machine.cut_off()
    checks = case.checks(f"machine {name} of seed {seed}, cut after {cut}", machine)
    judge(seen, checks)
    # Mounted by now, which changes its superblock.
    after, (files, _) = kept(drives[1])
    checks.equal("the kept partition's entry and files", (before, digest[0]), (after, files))
    checks.equal("first-boot flag and mark on EFI-SYSTEM", [], case.first_boot_files(drives[0]))
    checks.done()


def make_disks(case: Case, name: str) -> list[Disk]:
    """The system disk, one with a past, and one with the table of somebody else."""
    size = (disks.virtual_size(case.image.disk) // GIB + 1) * GIB
    second = partitioned(case.work / f"{name}-second.raw", GIB, SECOND_DISK)
    put_ext4(second, 1, 100, "KEPT", FILES, case.work / f"{name}-kept")
    third = partitioned(case.work / f"{name}-third.raw", GIB, "label: dos\nstart=2048, size=4096, type=83\n")
    return [case.system_disk(f"{name}-system", size, unsafe=False), replace(second, unsafe=False), replace(third, unsafe=False)]


def kept(disk: Disk) -> tuple[gpt.Partition, tuple[str, str]]:
    """The entry of the first partition, with its bits, and what its files are (debugfs) and all of it is (a digest)."""
    entry = gpt.read_table(disk.path).partitions[1]
    content = "".join(filesystems.ext4_read(disk.path, entry, f"/{path}") for path in sorted(FILES))
    return entry, (content, gpt.digest(disk.path, entry))


def judge(seen: dict[str, Answer], checks: Checks) -> None:
    """Every layer exists, and is in use."""
    checks.equal("failed units", "", seen["failed"].text)
    mounts = guest.parse_mounts(seen["mounts"].text)
    for target, wanted in MOUNTS.items():
        row = mounts.get(target, {})
        checks.equal(f"mount {target}", wanted, (row.get("fstype"), row.get("label")))
    checks.equal("files of the config", "in the vault\nlogs\nbulk\n", seen["files"].text)
    checks.matches("the mirror", r"raid1 vd\S+ vd\S+\n.*\[2/2\] \[UU\]", seen["layers"].text)
    checks.contains("the volume", ["is active", "7c1d0b52-0d8a-4d5b-9f53-0e8f0a6b1d01"], seen["layers"].text)
    checks.lacks("the volume", "ignition-unfinished", seen["layers"].text)
    line = "vault UUID=7c1d0b52-0d8a-4d5b-9f53-0e8f0a6b1d01 /etc/luks/vault luks,x-initrd.attach\n"
    checks.equal("crypttab, once", line, seen["crypttab"].text)
    checks.equal("swap", "swap\n7c1d0b52-0d8a-4d5b-9f53-0e8f0a6b1e04\n", seen["swap"].text)
    checks.equal("kept partition", "keep me\n300000\n1\n", seen["kept"].text)
