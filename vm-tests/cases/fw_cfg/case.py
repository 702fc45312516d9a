"""verifies: a first boot through GRUB with a 2.2.0 config from fw_cfg that uses everything, on two disks.

Judged from outside: logins, units, the static address, mounted data partitions, both partition tables before and after
(entries bit by bit, contents of unnamed partitions by checksum), ROOT's size, the journal, the flag on EFI-SYSTEM; features of
2.x only: named file systems, append, networkd, enable, oem URLs (a config, a file, and an addition to GRUB's file on the OEM
partition itself); and that a second boot does not start Python, does not run any stage and keeps everything.
"""

import base64
import gzip
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from harness import disks, expected, filesystems, gpt, guest
from harness.case import Case
from harness.checks import Checks
from harness.disks import GIB, MIB, Disk
from harness.machine import Machine, Nic
from harness.prepared import add_to_ext4, partitioned, put_ext4
from harness.services.certificates import make_certificate
from harness.services.files import FileServer
from harness.ssh import Answer

TIMEOUT_S = 1200
EXPECTED_S = 180
ALSO_ON = ("trixie",)

SECTOR = gpt.SECTOR
DATA_SIZE = 512 * MIB // SECTOR
TOOL = b'#!/bin/sh\necho "tool ran" >"$1"\n'
OVER_HTTPS = "tls = yes\n"
OEM_CONFIG = "oem:///vendor/appended.ign"
VENDOR = {
    "vendor/vendor.conf": "vendor = Example\n",
    "vendor/grub-more.cfg": 'set linux_append="oem_was_here"\n',
    "vendor/appended.ign": json.dumps(
        {
            "ignition": {"version": "2.0.0"},
            "storage": {"files": [{"filesystem": "root", "path": "/etc/app/from-oem", "mode": 420,
                                   "contents": {"source": "data:,from%20the%20OEM%20partition%0A"}}]},
        }
    ),
}  # fmt: skip
SECRETS = ("planted-secret-7f3a", "plantedsalt", "VE9LRU49cGxhbnRlZC1zZWNyZXQ")
NICS = (
    Nic(),
    Nic(mac="52:54:00:12:34:02", net="10.77.0.0/24", host="10.77.0.2", dns="10.77.0.3", dhcp="10.77.0.15", ssh_to="10.77.0.5"),
)
SECOND_DISK = """label: gpt
label-id: 6e0c1c9b-2a55-4c7e-9e0d-3f6f5a4b1d20
start=2048, size=524288, type=0fc63daf-8483-4772-8e79-3d69d8477de4, uuid=6e0c1c9b-2a55-4c7e-9e0d-3f6f5a4b1d21, name=kept, \
attrs="RequiredPartition GUID:48,49,56,63"
3 : start=5242880, size=65536, type=c95dc21a-df0e-4340-8d7b-26cbfa9a03e0, uuid=6e0c1c9b-2a55-4c7e-9e0d-3f6f5a4b1d23, \
name=stranger, attrs="LegacyBIOSBootable GUID:52,60"
"""
# Of the root, not of the initramfs. Its access time moves when it is started: relatime does that for one that is a day old.
PYTHON_SEEN = "stat -L -c %X /usr/bin/python3"
MAKE_PYTHON_OLD = "touch -a -d '2020-02-02 02:02:02 UTC' /usr/bin/python3 && sync"
OLD = "1580608922\n"
# Written by systemd itself, in the initramfs, too.
OUR_UNITS = (
    'journalctl --boot --output=json --no-pager _PID=1 | grep -v "was skipped" | grep -o \'"UNIT":"ignition[^"]*"\' | sort -u'
)
UNITS = ("hello.service", "old-style.service", "not-wanted.service", "fstrim.timer", "appended.service", "ssh.service",
         "srv-data.mount", "srv-kept.mount", "srv-logs.mount", "srv-bulk.mount", "srv-stick.mount")  # fmt: skip
NODES = {
    "/etc/hostname": expected.file("fw-cfg-machine\n"),
    "/etc/app/secret.env": expected.file("TOKEN=planted-secret-7f3a\n", "600", "1500:2500"),
    "/opt/tool/bin/tool": expected.file(TOOL, "755"),
    "/usr/local/bin/tool": expected.file(TOOL, "755"),
    "/etc/app/over-https.conf": expected.file(OVER_HTTPS, "640"),
    "/etc/app/empty": expected.file(""),
    "/etc/app/appended": expected.file("from the appended config\n"),
    "/etc/app/vendor.conf": expected.file(VENDOR["vendor/vendor.conf"]),
    "/etc/app/from-oem": expected.file("from the OEM partition\n"),
    "/etc/app/current": expected.link("over-https.conf"),
    "/srv/builders": expected.directory("750", "1500:2500"),
    "/srv/logs/app": expected.directory("750", "1500:2500"),
    "/srv/logs/first.log": expected.file("written before the first boot\n", "640", "1500:2500"),
    "/srv/data/db/VERSION": expected.file("14\n"),
    "/srv/kept/letters/one.txt": expected.file("dear config, leave me alone\n"),
    "/etc/systemd/system/fstrim.timer": expected.link("/dev/null"),
}
HOME = "/home/pilot"
MOUNTS = {
    "/srv/data": ("/dev/vda10", "ext4", "data"),
    "/srv/kept": ("/dev/vdb1", "ext4", "KEPT"),
    "/srv/logs": ("/dev/vdb2", "xfs", "logs"),
    "/srv/bulk": ("/dev/vdb4", "btrfs", "bulk"),
    "/srv/stick": ("/dev/vdb5", "vfat", "STICK"),
}
PROBES = {
    "units": guest.units_command(UNITS),
    "failed": "systemctl --failed --plain --no-legend",
    "mounts": guest.mounts_command(),
    "swaps": "swapon --show=NAME --noheadings",
    "addresses": "ip -json address",
    "home mode": r"sed -n 's/^HOME_MODE[[:blank:]]*0//p' /etc/login.defs",  # of Debian 13
    "nodes": guest.nodes_command([*NODES, HOME, "/var/lib/hello.log", "/var/lib/not-wanted", "/etc/systemd/system/ssh.service"]),
    "hard link": "stat -c %h /opt/tool/bin/tool",
    "motd": "cat /etc/motd",
    "hello": "cat /var/lib/hello.log",
    "marked": "systemctl show --property=Environment --value ssh.service",
    "users": "getent passwd root pilot robot; id pilot",
    "groups": "getent group builders robots",
    "shadow": "getent shadow pilot robot",
    "keys": "cat /home/pilot/.ssh/authorized_keys /home/pilot/.ssh/authorized_keys.d/* 2>/dev/null",
    "journal": guest.JOURNAL,
    "result": f"cat {guest.RESULT}",
    "report": f"cat {guest.REPORT}",
    "report mode": f"stat -c %a {guest.REPORT}",
    "cache": "ls /run/ignition.json /run/ignition/texts 2>/dev/null | grep .",
    "cmdline": "cat /proc/cmdline",
    "our units": OUR_UNITS,
    "root's options": "findmnt --noheadings --output OPTIONS /",
    "identity": "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub",
}


@dataclass
class Scene:
    """The two disks, their state before, and what the boots told."""

    system: Disk
    data: Disk
    config: Path
    before: gpt.Table
    digests: dict[int, str] = field(default_factory=dict)
    oem_grub: str = ""


def run(case: Case) -> None:
    """Two boots; all judgements on the first before those on the second."""
    with serving(case) as values:
        scene = set_the_scene(case, values)
        source = {"opt/com.coreos/config": scene.config}
        here = {"http://10.0.2.2": "http://127.0.0.1", OEM_CONFIG: f"data:,{quote(VENDOR['vendor/appended.ign'])}"}
        plan = case.foresee([scene.system, scene.data], scene.config, here=here)
        with case.machine("first", [scene.system, scene.data], nics=NICS, fw_cfg=source, foreseen=plan) as machine:
            first = facts(machine)
            checks = case.checks("first boot", machine)
            judge_logins(machine, checks)
            machine.verify()  # starts Python
            checks.equal("access time of Python, made old", OLD, make_python_old(machine))
            machine.shut_down()
        judge_guest(first, checks)
        judge_journal(first, checks, machine.console.text())
        after = judge_system_disk(case, scene, checks)
        judge_data_disk(case, scene, checks)
        checks.done()
    # The servers and the config are gone: a second boot needs neither.
    disks.grow(scene.system, disks.virtual_size(scene.system) + GIB)
    with case.machine("second", [scene.system, scene.data], nics=NICS) as machine:
        python = python_of_a_boot(machine)
        second = facts(machine)
        moved = machine.wait_for_login().run(PYTHON_SEEN).text
        machine.cut_off()
    checks = case.checks("second boot", machine)
    checks.equal("access time of Python after an ordinary boot", OLD, python)
    checks.true("access time of Python once it was started", moved != OLD, moved)
    judge_second(first, second, checks)
    entries = gpt.read_table(case.raw(scene.system, "second")).partitions
    checks.equal("the second boot does not change entries of the first disk", after.partitions, entries)
    checks.done()


@contextmanager
def serving(case: Case) -> Iterator[dict[str, str | int]]:
    """Both servers with their files; yields the values for the config."""
    certificate = make_certificate(case.work, ["10.0.2.2"])
    appended = (case.folder / "appended.ign").read_bytes()
    with FileServer() as http, FileServer(certificate) as https:
        http.put("/appended.ign", appended)
        http.put("/tool.gz", gzip.compress(TOOL))
        https.put("/over-https.conf", OVER_HTTPS)
        yield {
            "HTTP_PORT": str(http.port),
            "HTTPS_PORT": str(https.port),
            "APPENDED_SHA512": hashlib.sha512(appended).hexdigest(),
            "TOOL_SHA512": hashlib.sha512(TOOL).hexdigest(),
            "HTTPS_SHA512": hashlib.sha512(OVER_HTTPS.encode()).hexdigest(),
            "CA_BASE64": base64.b64encode(certificate[0].read_bytes()).decode(),
            "VENDOR_SHA512": hashlib.sha512(VENDOR["vendor/vendor.conf"].encode()).hexdigest(),
            "SSH_KEY": case.key.public,
        }


def set_the_scene(case: Case, values: dict[str, str | int]) -> Scene:
    """Makes both disks and the config; remembers what was on the disks."""
    size = (disks.virtual_size(case.image.disk) // GIB + 3) * GIB
    values |= {"DATA_START": (size - 600 * MIB) // SECTOR, "DATA_SIZE": DATA_SIZE}
    data = partitioned(case.work / "second-disk.raw", 3 * GIB, SECOND_DISK)
    put_ext4(data, 1, 256, "KEPT", {"letters/one.txt": "dear config, leave me alone\n"}, case.work / "kept")
    image = case.raw(case.image.disk, "image")
    before = gpt.read_table(image)
    scene = Scene(case.system_disk("system", size), data, case.fill("config.ign", values), before)
    scene.digests = {number: gpt.digest(image, entry) for number, entry in before.partitions.items() if number not in (1, 6, 9)}
    scene.oem_grub = filesystems.ext4_read(image, before.partitions[6], "/grub.cfg")
    add_to_ext4(scene.system, image, before.partitions[6], VENDOR, case.work / "oem")
    return scene


def facts(machine: Machine) -> dict[str, Answer]:
    """Waits for the end of the boot and asks the guest everything at once."""
    ssh = machine.wait_for_login()
    state = guest.settle(ssh)
    return ssh.collect(PROBES) | {"state": Answer(state, 0)}


def make_python_old(machine: Machine) -> str:
    """Makes Python look unused for years; returns its access time. Nothing may start it until the machine is off."""
    ssh = machine.wait_for_login()
    ssh.run(MAKE_PYTHON_OLD)
    return ssh.run(PYTHON_SEEN).text


def python_of_a_boot(machine: Machine) -> str:
    """Python's access time at the end of a boot, before anybody here starts it."""
    ssh = machine.wait_for_login()
    guest.settle(ssh)
    return ssh.run(PYTHON_SEEN).text


def judge_logins(machine: Machine, checks: Checks) -> None:
    """The configured user logs in, also through the static address."""
    checks.equal("who logs in as the configured user", "pilot\n", machine.ssh("pilot").run("whoami").text)
    machine.wait_for_login(nic=1)
    checks.equal("who logs in through the static address", "pilot\n", machine.ssh("pilot", nic=1).run("whoami").text)


def judge_guest(seen: dict[str, Answer], checks: Checks) -> None:
    """Files, users, units, mounts and the network."""
    checks.equal("state of the system", "running", seen["state"].text)
    checks.equal("failed units", "", seen["failed"].text)
    nodes = guest.parse_nodes(seen["nodes"].text)
    home = expected.directory(seen["home mode"].text.strip() or "755", "1500:2500")
    for path, wanted in {**NODES, HOME: home}.items():
        checks.equal(path, wanted, nodes.get(path))
    checks.equal("links of the hard link's file", "2\n", seen["hard link"].text)
    checks.matches("end of /etc/motd", r"Provisioned\.\n\Z", seen["motd"].text)
    checks.true("a disabled unit did not run", "/var/lib/not-wanted" not in nodes, nodes.get("/var/lib/not-wanted"))
    judge_users(seen, checks)
    judge_units(seen, checks)
    judge_mounts(seen, checks)
    addresses = guest.addresses(seen["addresses"].text)
    checks.true("the static address", "10.77.0.5/24" in addresses.get(NICS[1].mac, []), addresses)
    checks.matches("MTU from the networkd drop-in", rf'"mtu":1400\b[^{{]*"address":"{NICS[1].mac}"', seen["addresses"].text)


def judge_users(seen: dict[str, Answer], checks: Checks) -> None:
    """Users and groups as the config names them."""
    users = seen["users"].text
    checks.contains("passwd", "pilot:x:1500:2500:The Pilot:/home/pilot:/bin/bash", users)
    checks.matches("groups of pilot", r"groups=2500\(builders\),.*\(sudo\).*\(systemd-journal\)|groups=.*\(sudo\)", users)
    checks.matches("the system user", r"^robot:x:\d{1,3}:\d+:.*:/nonexistent:/usr/sbin/nologin$", users)
    checks.matches("a group with its id", r"^builders:x:2500:", seen["groups"].text)
    checks.matches("a system group", r"^robots:x:\d{1,3}:", seen["groups"].text)
    checks.contains("password hash", "pilot:$6$plantedsalt$", seen["shadow"].text)
    checks.matches("a user without password is locked", r"^robot:[*!]", seen["shadow"].text)
    checks.contains("both SSH keys", ["vm-tests", "second@example"], seen["keys"].text)


def judge_units(seen: dict[str, Answer], checks: Checks) -> None:
    """Units ran, or did not, as the config says."""
    units = guest.parse_units(seen["units"].text)
    for name in UNITS:
        if name in ("not-wanted.service", "fstrim.timer"):
            continue
        checks.equal(f"state of {name}", "active", units.get(name, {}).get("ActiveState"))
    checks.equal("a unit with enabled false", "disabled", units.get("not-wanted.service", {}).get("UnitFileState"))
    checks.equal("a masked unit", "masked", units.get("fstrim.timer", {}).get("LoadState"))
    checks.matches("what a unit with a drop-in wrote", r"\Ahello from [0-9a-f-]{36}\n\Z", seen["hello"].text)
    checks.contains("a drop-in for a unit of the image", "MARKED=yes", seen["marked"].text)


def judge_mounts(seen: dict[str, Answer], checks: Checks) -> None:
    """The data partitions are mounted with their file systems."""
    mounts = guest.parse_mounts(seen["mounts"].text)
    for target, wanted in MOUNTS.items():
        row = mounts.get(target, {})
        checks.equal(f"mount {target}", wanted, (row.get("source"), row.get("fstype"), row.get("label")))
    checks.equal("swap in use", "/dev/vdb6\n", seen["swaps"].text)


def judge_journal(seen: dict[str, Answer], checks: Checks, console: str) -> None:
    """Every stage is in the journal, without secrets, and each operation ended; the files for people exist."""
    journal = guest.parse_journal(seen["journal"].text)
    # A warning would show that useradd or a similar program ran without its own namespaces.
    checks.lacks("accounts made in the open", "without namespaces of its own", seen["journal"].text)
    # A 2.x config mounts its file systems one at a time while it writes to them: the mount stage has no work, and does not run.
    wanted = ["fetch-offline", "fetch", "disks", "grow", "files"]
    checks.equal("stages in the journal", wanted, journal.stages())
    started, finished = journal.operations("started"), journal.operations("finished")
    checks.true("operations are journaled", len(started) >= 30, f"{len(started)} operations")
    checks.equal("operations started and finished", len(started), len(finished))
    checks.equal("failed operations", [], journal.operations("failed"))
    structured = [entry for entry in journal.entries if "IGNITION_DURATION_S" in entry]
    checks.equal("finished operations with their duration", len(finished), len(structured))
    for secret in SECRETS:
        checks.lacks("secrets in the journal", secret, seen["journal"].text)
        checks.lacks("secrets on the console", secret, console)
        checks.lacks("secrets in the report", secret, seen["report"].text)
    checks.equal("mode of the report", "600\n", seen["report mode"].text)
    checks.true("the config cache is gone", seen["cache"].status != 0, seen["cache"].text)
    checks.contains("GRUB found the flag", "coreos.first_boot=detected", seen["cmdline"].text)
    checks.contains("our units", ["ignition-fetch.service", "ignition-files.service"], seen["our units"].text)
    checks.contains("how ROOT is mounted", "relatime", seen["root's options"].text)
    judge_result(seen, checks)


def judge_result(seen: dict[str, Answer], checks: Checks) -> None:
    """The result file of Ignition and our report."""
    result = json.loads(seen["result"].text or "{}")
    checks.equal("a user config was provided", True, result.get("userConfigProvided"))
    checks.contains("the result's boot is this one", str(result.get("provisioningBootID")), seen["hello"].text)
    checks.true("an earlier report", "previousReport" not in result, result)
    report = json.loads(seen["report"].text or "{}")
    checks.contains(
        "operations in the report", ["format", "/dev/disk/by-partlabel/logs", "/etc/app/secret.env"], json.dumps(report)
    )


def judge_system_disk(case: Case, scene: Scene, checks: Checks) -> gpt.Table:
    """The first disk: only ROOT's end and the new entry differ; contents too, but for ROOT and the flag."""
    raw = case.raw(scene.system, "system")
    after = gpt.read_table(raw)
    checks.equal("problems of the first disk's table", (), after.problems)
    checks.equal("disk GUID", scene.before.disk_guid, after.disk_guid)
    root, old_root = after.partitions[9], scene.before.partitions[9]
    checks.equal("entries of the first disk", {**scene.before.partitions, 9: old_root.ending_at(root.last)},
                 {number: entry for number, entry in after.partitions.items() if number != 10})  # fmt: skip
    new = after.partitions.get(10)
    checks.true("the new partition", new is not None, sorted(after.partitions))
    if new is not None:
        wanted = ("data", "6e0c1c9b-2a55-4c7e-9e0d-3f6f5a4b1d10", "0fc63daf-8483-4772-8e79-3d69d8477de4", 0, DATA_SIZE)
        checks.equal("the new partition", wanted, (new.label, new.guid, new.type_guid, new.attributes, new.size // SECTOR))
        checks.true("ROOT ends where the new partition begins", 0 < new.first - root.last <= 4096, (root, new))
    for number, wanted_digest in scene.digests.items():
        checks.equal(f"content of partition {number}", wanted_digest, gpt.digest(raw, after.partitions[number]))
    size = filesystems.ext4_size(raw, root)
    checks.true("ROOT's file system fills it", 0 <= root.size - size < 2 * MIB, f"{size} of {root.size} bytes")
    checks.equal("ROOT's file system", "", filesystems.ext4_is_clean(raw, root, case.work / "root.raw"))
    judge_oem(case, scene, raw, after.partitions[6], checks)
    esp = after.partitions[1]
    flags = [name for name in filesystems.fat_names(raw, esp, "/coreos") if name.startswith("first_boot")]
    checks.equal("first-boot flag and mark on EFI-SYSTEM", [], flags)
    return after


def judge_oem(case: Case, scene: Scene, raw: Path, oem: gpt.Partition, checks: Checks) -> None:
    """The OEM partition: still ext4, though the config says btrfs; one file longer, the others unchanged."""
    checks.equal("file system of OEM", "ext4", filesystems.probe(raw, oem).get("TYPE"))
    grub = scene.oem_grub + VENDOR["vendor/grub-more.cfg"]
    for path, wanted in {**VENDOR, "grub.cfg": grub}.items():
        checks.equal(f"{path} on OEM", wanted, filesystems.ext4_read(raw, oem, f"/{path}"))
    checks.equal("file system of OEM", "", filesystems.ext4_is_clean(raw, oem, case.work / "oem.raw"))


def judge_data_disk(case: Case, scene: Scene, checks: Checks) -> None:
    """The second disk: old entries unchanged, new ones as configured."""
    after = gpt.read_table(scene.data.path)
    before_path = case.work / "second-disk-before.raw"
    before = gpt.read_table(partitioned(before_path, 3 * GIB, SECOND_DISK).path)
    checks.equal("problems of the second disk's table", (), after.problems)
    checks.equal("disk GUID of the second disk", before.disk_guid, after.disk_guid)
    for number in (1, 3):
        checks.equal(f"entry {number} of the second disk", before.partitions[number], after.partitions.get(number))
    new = {number: (entry.label, entry.size // SECTOR) for number, entry in after.partitions.items() if number not in (1, 3)}
    last = after.partitions.get(6)
    rest = last.size // SECTOR if last else 0
    checks.equal("new entries", {2: ("logs", 819200), 4: ("bulk", 614400), 5: ("stick", 131072), 6: ("swap", rest)}, new)
    if last is not None:
        checks.true("size 0 fills the free block", 0 < before.partitions[3].first - last.last <= 2048, last)
    types = {number: filesystems.probe(scene.data.path, entry).get("TYPE") for number, entry in after.partitions.items()}
    checks.equal("file systems", {1: "ext4", 2: "xfs", 3: None, 4: "btrfs", 5: "vfat", 6: "swap"}, types)


def judge_second(first: dict[str, Answer], second: dict[str, Answer], checks: Checks) -> None:
    """The second boot: no stage, everything unchanged."""
    checks.equal("state of the system", "running", second["state"].text)
    checks.equal("failed units", "", second["failed"].text)
    checks.lacks("kernel command line", "first_boot", second["cmdline"].text)
    checks.contains("kernel command line, from the OEM partition's grub.cfg", "oem_was_here", second["cmdline"].text)
    checks.equal("our units", '"UNIT":"ignition-growroot.service"\n', second["our units"].text)
    checks.contains("how ROOT is mounted", "relatime", second["root's options"].text)
    journal = guest.parse_journal(second["journal"].text)
    checks.equal("stages in the journal", [], journal.stages())
    checks.matches("why ROOT does not grow", "does not grow", "\n".join(journal.messages()))
    mounts = [guest.data_mounts(seen["mounts"].text) for seen in (first, second)]
    checks.equal("mounts, as at the first boot", *mounts)
    for name in ("swaps", "users", "groups", "shadow", "keys", "result", "report", "identity", "motd", "units"):
        checks.equal(f"{name}, as at the first boot", first[name].text, second[name].text)
    nodes, before = guest.parse_nodes(second["nodes"].text), guest.parse_nodes(first["nodes"].text)
    changed = {path for path in {*nodes, *before} if nodes.get(path) != before.get(path)}
    checks.equal("changed files", {"/var/lib/hello.log"}, changed)
    checks.equal("lines of the unit that runs at each boot", 2, len(second["hello"].text.splitlines()))
