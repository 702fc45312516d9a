"""A booted machine with blank disks, on which stages of the agent run again and again: one boot, many scenarios.

It is an ordinary boot of the image (no first boot: the flag stays, no stage runs by itself); root's key comes as a credential of
systemd. It happens once per image: the machine is saved next to the image, and every lab is a copy that resumes from there and is
given its disks while it runs. The guest's own /usr/bin/ignition does the work, with -platform file and files of its own in
/run/lab. Disks are raw files that can be read on this host once they are flushed.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness import disks, guest, planned
from harness.case import Case
from harness.checks import Checks
from harness.disks import GIB, Attachment, Disk
from harness.errors import Failed, HarnessError
from harness.hardware import Hardware
from harness.image import EMULATED
from harness.lab_helper import Helper
from harness.lab_result import Result
from harness.machine import Machine
from harness.programs import run
from harness.qmp import Qmp
from harness.ssh import Answer, Key, Ssh, make_key

TOP = Path(__file__).resolve().parents[2]
ROOT = "/mnt/root"
SYNC_VARIABLE = "LAB_SYNC"
SLOTS = 8  # the most disks of a lab
PLUG_TIMEOUT_S = 60
SLOW_S = 60  # the log of a run that takes longer is kept
STAGES = ("fetch-offline", "disks")


@dataclass(frozen=True)
class Blank:
    """One blank disk that a lab is to have."""

    size: int = GIB
    bus: str = "virtio"
    sector_size: int = 512
    serial: str = ""
    product: str = ""
    removable: bool = False


@dataclass(frozen=True)
class LabDisk:
    """One of the lab's disks: node is its device in the guest, image its file on this host."""

    node: str
    disk: Disk

    @property
    def image(self) -> Path:
        """The raw file; Lab.flush() first."""
        return self.disk.path

    @property
    def sector_size(self) -> int:
        """Logical sector size in bytes."""
        return self.disk.attachment.sector_size

    def part(self, number: int) -> str:
        """A partition's device."""
        return f"{self.node}{'p' if self.node[-1].isdigit() else ''}{number}"

    def __str__(self) -> str:
        return self.node


@dataclass
class Lab:
    """A running lab. Scenarios gather their failures; done() raises them all."""

    case: Case
    machine: Machine
    ssh: Ssh
    helper: Helper
    disks: list[LabDisk] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    runs: int = 0
    plans: bool = False  # whether runs are compared with the plan made before
    compared: int = 0  # runs that a plan was compared with

    def run(self, command: str, timeout_s: float = 120) -> Answer:
        """A shell command in the guest, standard error included."""
        text, status = self.ask("run", command, timeout_s)
        return Answer(text, status)

    def must(self, command: str, timeout_s: float = 120) -> str:
        """The output of a shell command that has to succeed."""
        answer = self.run(f"set -e\n{command}", timeout_s)
        if answer.status != 0:
            raise Failed(f"expected: status 0 of {command!r}\nseen:     {answer.status}: {answer.text.strip()[-800:]}")
        return answer.text

    def provision(self, config: Mapping[str, Any] | None, *, stages: Sequence[str] = STAGES, root: str = ROOT,
                  earlier: Mapping[str, str] | None = None, folder: str = "") -> Result:  # fmt: skip
        """Runs stages on a config until one fails; fetch comes by itself when fetch-offline asked for the network.

        Each call has state and cache of its own in a new folder; with folder (Lab.folder() after a call) it continues where an
        earlier call stopped, and config None is the one of that call. earlier are files placed next to the state file before.
        """
        if not folder:
            self.runs += 1
            folder = self.folder()
        text = None if config is None else json.dumps(config)
        asked = {"folder": folder, "config": text, "stages": list(stages), "root": root, "earlier": dict(earlier or {})}
        plan = self.plan(config) if self.plans and config is not None and tuple(stages) == STAGES and not earlier else None
        answer = self.ask("provision", asked, timeout_s=1200)
        runs = answer["runs"]
        if (seconds := sum(each["seconds"] for each in runs)) > SLOW_S:
            self.case.say(f"slow: {folder} took {seconds:.0f} s\n{runs[-1]['log']}")
        result = Result(
            status=runs[-1]["status"],
            stage=runs[-1]["stage"],
            records=answer["records"],
            log="\n".join(each["log"] for each in runs),
            failure=answer["failure"],
            links=answer["links"],
            seconds=sum(each["seconds"] for each in runs),
        )
        if plan is not None:
            self.compared += 1
            self.failures += [f"{folder}: not as `ignition plan` said\n{one}" for one in planned.differences(plan, result)]
            for one in planned.differences(plan, result):
                self.case.say(f"FAILED {folder}: not as planned\n{one}\n{text}")
        return result

    def plan(self, config: Mapping[str, Any]) -> dict[str, Any] | None:
        """The output of `ignition plan` for the images of the disks; None if they are in use or open in the guest."""
        drives = [disk for disk in self.disks if disk.sector_size == planned.SECTOR]
        others = [str(disk) for disk in self.disks if disk not in drives]
        is_open = self.run(planned.OPEN.format(" ".join(map(str, drives)))).text.strip() if drives else "no disks"
        if is_open or any(one in json.dumps(config) for one in (*others, *planned.LINKS)):
            return None
        self.flush()
        return planned.plan(config, drives, self.case.work / "planned.ign", self.run("cat /proc/cmdline").text)

    def folder(self) -> str:
        """The folder of the newest provision(), with config, cache and state."""
        return f"/run/lab/run-{self.runs}"

    def wipe(self, *chosen: LabDisk) -> None:
        """Makes disks (default: all) blank again: ends every use, then discards everything."""
        nodes = [disk.node for disk in chosen or self.disks]
        answer = self.ask("wipe", nodes)
        if answer["left"]:
            raise Failed(f"expected: {nodes} blank\nseen:     {answer['left']}\n{answer['said']}")

    def new_root(self, root: str = ROOT) -> None:
        """An empty root for the stages mount and files; earlier mounts there are unmounted."""
        self.ask("new_root", root)

    def table(self, disk: LabDisk) -> dict[str, Any]:
        """sfdisk's view of a disk's table, {} without one."""
        text = self.run(f"sfdisk --json {disk.node}").text
        table: dict[str, Any] = json.loads(text)["partitiontable"] if text.startswith("{") else {}
        return table

    def facts(self, *chosen: LabDisk) -> dict[str, Any]:
        """ "tree" of lsblk, "probes" of blkid by device, "kernel" {disk: {partition: [start, length in bytes]}}."""
        found: dict[str, Any] = self.ask("facts", [disk.node for disk in chosen or self.disks])
        return found

    def probes(self, *chosen: LabDisk) -> dict[str, dict[str, str]]:
        """The findings of blkid by device: disks, partitions, and everything stacked on them."""
        found: dict[str, dict[str, str]] = self.facts(*chosen)["probes"]
        return found

    def files(self, *paths: str) -> dict[str, list[str]]:
        """[kind, mode, text] of files of the guest; files that do not exist are left out."""
        found: dict[str, list[str]] = self.ask("read", list(paths))
        return found

    def enlarge(self, disk: LabDisk, size: int) -> None:
        """Gives a disk a new size in bytes, in use or not; returns when the guest knows it."""
        with Qmp(self.machine.qmp) as qmp:
            # Of hardware.py; the first drive is the system's.
            qmp.command("block_resize", device=f"d{self.disks.index(disk) + 1}", size=size)
        self.must(f"for n in $(seq 100); do [ $(blockdev --getsize64 {disk}) != {size} ] || exit 0; sleep 0.1; done; exit 1")

    def flush(self, *chosen: LabDisk) -> None:
        """After this the images of disks (default: all) hold everything that was written."""
        self.ask("flush", [disk.node for disk in chosen or self.disks])

    def ask(self, action: str, argument: object, timeout_s: float = 300) -> Any:
        """One request to the helper in the guest."""
        return self.helper.ask(action, argument, timeout_s)

    @contextmanager
    def scenario(self, name: str, *used: LabDisk) -> Iterator[Checks]:
        """One scenario: its failures are recorded, and the next one runs. The disks that it uses are blank at the start."""
        started = time.monotonic()
        checks = self.case.checks(name, self.machine)
        try:
            if used:
                self.wipe(*used)
            yield checks
            checks.done()
        except Failed as failure:
            # The report includes failures of earlier checks.
            text = "\n".join([str(failure), *(one for one in checks.failures if one not in str(failure))])
            self.failures.append(text)
            self.case.say(f"FAILED {text}")
            if not self.machine.alive():
                raise
        self.case.say(f"{name}: {checks.count} expectations, {time.monotonic() - started:.1f} s")

    def done(self) -> None:
        """Raises Failed with the failures of all scenarios."""
        if self.failures:
            raise Failed("\n".join(self.failures))


@dataclass(frozen=True)
class Saved:
    """A lab that has booted and was saved, in a folder of its own."""

    folder: Path

    @property
    def memory(self) -> Path:
        """Memory and devices, of Machine.save()."""
        return self.folder / "memory"

    @property
    def disk(self) -> Disk:
        """The system disk of the same moment."""
        return Disk(self.folder / "system.qcow2")

    @property
    def key(self) -> Key:
        """Root's."""
        return make_key(self.folder)


@contextmanager
def booted(
    case: Case, blanks: Sequence[Blank], *, hardware: Hardware | None = None, name: str = "lab", plans: bool = False
) -> Iterator[Lab]:
    """A lab with these disks; it ends with the block. The scenarios' failures are raised at the end.

    `plans`: each run of the disks stage is compared with the output of `ignition plan` for the images of the disks before it.
    """
    started = time.monotonic()
    hardware = replace(hardware or Hardware(), slots=SLOTS)
    saved = saved_lab(case, hardware)
    system = disks.overlay(saved.disk, case.work / f"{name}-system.qcow2")
    drives = []
    for number, blank in enumerate(blanks):
        serial = blank.serial or f"{name}{number}"
        attachment = Attachment(blank.bus, blank.sector_size, serial, blank.product, blank.removable)
        drives.append(disks.blank_raw(case.work / f"{name}-{number}.raw", blank.size, attachment))
    direct = case.image.direct(credential(saved.key))
    with case.machine(name, [system], direct=direct, hardware=hardware, key=saved.key, saved=saved.memory) as machine:
        for number, drive in enumerate(drives, start=1):
            machine.plug(number, drive)
        ssh = machine.wait_for_login()
        ssh.run(f"date --set=@{time.time():.0f}")
        if os.environ.get(SYNC_VARIABLE, "") not in ("", "0"):
            sync(ssh)
        helper = Helper(ssh, case.work / f"{name}.helper.log")
        helper.install()
        found = [LabDisk(node, drive) for node, drive in zip(nodes_of(drives, helper), drives, strict=True)]
        case.say(f"{name}: up after {time.monotonic() - started:.0f} s")
        lab = Lab(case, machine, ssh, helper, found, plans=plans)
        lab.new_root()
        try:
            yield lab
        finally:
            helper.close()
    if plans:
        case.say(f"{name}: {lab.compared} of {lab.runs} runs were compared with the plan made before")
        if not lab.compared:
            raise Failed("expected: runs that are compared with a plan\nseen:     none")
    lab.done()


def saved_lab(case: Case, hardware: Hardware) -> Saved:
    """The saved lab of the case's image and this hardware, created unless it exists; concurrent callers wait for each other."""
    parts = [run(["qemu-system-x86_64", "--version"]), EMULATED, str(replace(hardware, tpm=hardware.tpm and Path("tpm")))]
    parts += [Path(__file__).with_name(module).read_text(encoding="utf-8") for module in ("lab.py", "machine.py", "hardware.py")]
    folder = case.image.folder / f"lab-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:16]}"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = folder.with_suffix(".new")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            boot_and_save(case, hardware, Saved(unfinished))
            unfinished.rename(folder)
    return Saved(folder)


def boot_and_save(case: Case, hardware: Hardware, saved: Saved) -> None:
    """The only boot. The saved state includes the TPM's memory."""
    size = (disks.virtual_size(case.image.disk) // GIB + 1) * GIB
    system = disks.overlay(case.image.disk, saved.disk.path, size)
    hardware = replace(hardware, tpm=hardware.tpm and case.tpm("boot"))
    direct = case.image.direct(credential(saved.key))
    with case.machine("boot", [system], direct=direct, hardware=hardware, key=saved.key) as machine:
        ssh = machine.wait_for_login()
        guest.settle(ssh)
        ssh.run("sync")
        machine.save(saved.memory)


def credential(key: Key) -> str:
    """The kernel argument that lets root log in with a key."""
    return f'"systemd.set_credential=ssh.authorized_keys.root:{key.public}"'


def nodes_of(drives: Sequence[Disk], helper: Helper) -> list[str]:
    """The devices of disks that were just plugged in, in their order; waits until all have appeared."""
    deadline, serials = time.monotonic() + PLUG_TIMEOUT_S, [drive.attachment.serial for drive in drives]
    while True:
        nodes: dict[str, str] = helper.ask("prepare", None)
        if nodes.keys() >= set(serials):
            return [nodes[serial] for serial in serials]
        if time.monotonic() > deadline:
            raise Failed(f"expected: disks with the serials {serials}\nseen:     {nodes}")


def sync(ssh: Ssh) -> None:
    """Replaces the guest's agent by the one of these sources, installed as the image's was."""
    with tempfile.TemporaryDirectory() as scratch:
        # Byte code of another Python than the guest's is not read, and on an emulated processor it takes long to make.
        run(["make", "--no-print-directory", "-C", TOP, "install", f"DESTDIR={scratch}", "PYC=1"])
        run([TOP / "dracut" / "install", scratch])
        packed = subprocess.run(["tar", "-c", "-C", scratch, "."], capture_output=True, check=True).stdout
    done = subprocess.run(ssh.argv("tar -x -C / --no-same-owner"), input=packed, capture_output=True, timeout=120, check=False)
    if done.returncode != 0:
        raise HarnessError(f"the agent cannot be copied: {done.stderr.decode('utf-8', 'replace')}")
