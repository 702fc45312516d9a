"""verifies: a first boot whose power is cut during `disks`, and another one during `files`, converges at the next boot to
the same machine as one that was not interrupted: partition tables, file systems, files with modes, owners and contents,
users and groups.

QEMU is killed: writes that the guest had not flushed are lost, those that it had are kept.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from harness import disks, filesystems, gpt, guest
from harness.case import Case
from harness.checks import Checks
from harness.disks import GIB, Disk
from harness.hardware import Hardware
from harness.machine import DirectBoot, Machine
from harness.services.files import FileServer
from harness.ssh import Answer

TEMPLATE = Path(__file__).with_name("config.ign")
TIMEOUT_S = 1400
EXPECTED_S = 240

# A format takes some seconds on a disk with so few requests per second.
SLOW_IOPS = 60
FORMATTING = r"disks: .*\[started\]  .*(format|mkfs).*\b(second|vdb2)\b"
UNITS = ("ready.service", "srv-first.mount", "srv-second.mount")
# Backups that the tools which edit these files keep from before their last change.
OLD_COPIES = ("/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-", "/etc/subuid-", "/etc/subgid-", "/var/lib/dbus")
PROBES = {
    "failed": "systemctl --failed --plain --no-legend",
    "nodes": guest.nodes_command(["/"], deep=True, leave_out=[*guest.VOLATILE, *OLD_COPIES]),
    "units": guest.units_command(UNITS),
    "users": "cat /etc/passwd /etc/group",
    "shadow": "cut -d: -f1,2,4- /etc/shadow",
    "mounts": guest.mounts_command(),
    "result": f"cat {guest.RESULT}",
}


@dataclass(frozen=True)
class Outcome:
    """A provisioned machine: what it says about itself, and what its disks hold."""

    seen: dict[str, Answer]
    nodes: dict[str, guest.Node]
    tables: list[gpt.Table]
    probes: list[dict[int, dict[str, str]]]
    flags: list[str]


@dataclass
class Station:
    """Shared by all boots of this case."""

    case: Case
    server: FileServer
    direct: DirectBoot
    size: int

    def drives(self, name: str) -> list[Disk]:
        """Two fresh disks for which a flush means what it says."""
        second = disks.blank(self.case.work / f"{name}-second.qcow2", 2 * GIB, unsafe=False)
        return [self.case.system_disk(name, self.size, unsafe=False), second]

    def machine(self, name: str, drives: list[Disk]) -> Machine:
        """A first boot of these disks."""
        return self.case.machine(name, drives, direct=self.direct, hardware=Hardware(cpus=2))

    def finish(self, name: str, drives: list[Disk]) -> Outcome:
        """Boots until the machine is complete, and inspects it."""
        # Nobody kills this one: that flushes reach this host's disk would only cost time.
        with self.machine(name, [replace(disk, unsafe=True) for disk in drives]) as machine:
            ssh = machine.wait_for_login()
            guest.settle(ssh)
            seen = ssh.collect(PROBES)
            machine.cut_off()
        return self._look(seen, drives)

    def finish_timed(self, name: str, drives: list[Disk]) -> tuple[Outcome, float]:
        """The same, with the seconds that the boot took up to the login."""
        with self.machine(f"{name}-timing", self.drives("timing")) as machine:
            machine.wait_for_login()
            seconds = time.monotonic() - machine.started
        return self.finish(name, drives), seconds

    def _look(self, seen: dict[str, Answer], drives: list[Disk]) -> Outcome:
        tables, probes = [], []
        for disk in drives:
            raw = self.case.raw(disk, "look")
            table = gpt.read_table(raw)
            tables.append(table)
            probes.append({number: filesystems.probe(raw, entry) for number, entry in table.partitions.items()})
            raw.unlink()
        nodes = guest.parse_nodes(seen["nodes"].text)
        return Outcome(seen, nodes, tables, probes, self.case.first_boot_files(drives[0]))


def run(case: Case) -> None:
    """The uninterrupted machine first, then the two others against it."""
    with open_station(case) as station:
        steady = station.finish("uninterrupted", station.drives("steady"))
        checks = case.checks("uninterrupted")
        checks.equal("failed units", "", steady.seen["failed"].text)
        checks.true("files to compare", "/srv/second/late" in steady.nodes and len(steady.nodes) > 300, len(steady.nodes))
        checks.done()
        in_disks(station, steady)
        in_files(station, steady)


@contextmanager
def open_station(case: Case) -> Iterator[Station]:
    """The config and its files are served while this lasts."""
    content = b"fetched once or twice\n" * 1000
    with FileServer() as server:
        values: dict[str, str | int] = {"SSH_KEY": case.key.public, "HTTP_PORT": str(server.port)}
        config = case.fill(TEMPLATE, values | {"FETCHED_SHA512": hashlib.sha512(content).hexdigest()})
        server.put("/config.ign", config.read_bytes())
        server.put("/fetched", content)
        server.put("/late", "late\n")
        arguments = [f"ignition.config.url=http://10.0.2.2:{server.port}/config.ign", "systemd.journald.forward_to_console=1"]
        direct = case.image.direct("coreos.first_boot=detected", *arguments)
        yield Station(case, server, direct, (disks.virtual_size(case.image.disk) // GIB + 2) * GIB)


def in_disks(station: Station, steady: Outcome) -> None:
    """The power is cut while the second file system is made."""
    drives = station.drives("disks")
    slow = [drives[0], replace(drives[1], iops=SLOW_IOPS)]
    with station.machine("killed-in-disks", slow) as machine:
        machine.wait_for_console(FORMATTING)
        machine.kill()
        text = machine.console.text()
    checks = station.case.checks("killed during disks", machine)
    checks.lacks("the moment of the kill", "files: Ignition", text)
    judge_interrupted(station, drives, checks)
    judge_same(steady, station.finish("after-disks", drives), station.case.checks("after the kill during disks"))


def in_files(station: Station, steady: Outcome) -> None:
    """The power is cut while a file is being fetched: others are written already, others not yet."""
    drives = station.drives("files")
    before = len(station.server.asked("/late"))
    station.server.hang("/late")
    with station.machine("killed-in-files", drives) as machine:
        asked = station.server.wait_for_count("/late", before + 1, 420, alive=machine.alive)
        machine.kill()
    checks = station.case.checks("killed during files", machine)
    checks.true("the moment of the kill: the file that hangs was asked for", asked, machine.console.tail())
    judge_interrupted(station, drives, checks)
    station.server.put("/late", "late\n")
    judge_same(steady, station.finish("after-files", drives), station.case.checks("after the kill during files"))


def judge_interrupted(station: Station, drives: list[Disk], checks: Checks) -> None:
    """The flag and the mark of begun changes exist after the kill."""
    flags = station.case.first_boot_files(drives[0])
    checks.equal("flag and mark on EFI-SYSTEM", ["first_boot", "first_boot.in-progress"], flags)
    checks.done()


def judge_same(steady: Outcome, outcome: Outcome, checks: Checks) -> None:
    """Two machines are alike, as far as a config can make them."""
    mounts = [guest.data_mounts(result.seen["mounts"].text) for result in (steady, outcome)]
    checks.equal("mounts", *mounts)
    for name in ("failed", "units", "users", "shadow"):
        checks.equal(name, steady.seen[name].text, outcome.seen[name].text)
    changed = {path for path in {*steady.nodes, *outcome.nodes} if steady.nodes.get(path) != outcome.nodes.get(path)}
    for path in sorted(changed):
        checks.equal(path, steady.nodes.get(path), outcome.nodes.get(path))
    for number, table in enumerate(outcome.tables):
        checks.equal(f"problems of table {number}", (), table.problems)
        checks.equal(f"partitions of disk {number}", steady.tables[number].partitions, table.partitions)
        checks.equal(f"file systems of disk {number}", _kinds(steady.probes[number]), _kinds(outcome.probes[number]))
    checks.equal("first-boot flag and mark on EFI-SYSTEM", [], outcome.flags)
    checks.lacks("a result of the interrupted run", "previousReport", outcome.seen["result"].text)
    checks.done()


def _kinds(probes: dict[int, dict[str, str]]) -> dict[int, tuple[str | None, ...]]:
    """The properties of file systems that a config determines."""
    return {number: tuple(probe.get(key) for key in ("TYPE", "LABEL", "UUID")) for number, probe in probes.items()}
