"""verifies: a machine that `ignition reset` has prepared is provisioned again at its next boot through GRUB: with another machine
ID and other SSH host keys, while data on another disk, a home and files beside those of the config are kept; a file is not
appended to again, and the results of both boots are in the history. `ignition status` says so before, between and after. Without
a terminal the reset is refused, and with -dry-run it changes nothing.

Both boots do what `ignition plan` said: from images before the first, from the machine's own facts before the second. Plans on
the machine say that its config has nothing to do, what another one adds, and what a third one would lose.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness import disks, foreseen, guest
from harness.case import Case
from harness.checks import Checks
from harness.disks import GIB, Disk
from harness.errors import Failed
from harness.foreseen import Foreseen
from harness.machine import Machine
from harness.ssh import Answer

TIMEOUT_S = 900
EXPECTED_S = 210

WRITE = (
    "echo 'dear config' >/srv/data/letter; install -o ann -m 0600 /srv/data/letter /home/ann/letter; "
    "echo mine >/etc/by-hand; echo changed >/etc/app.conf; groupadd --gid 4242 later; sync"
)
PROBES = {
    "status": "ignition status",
    "status as json": "ignition status --json",
    "status of a user": "setpriv --reuid=ann --regid=ann --clear-groups ignition status",
    "failed": "systemctl --failed --plain --no-legend",
    "machine id": "cat /etc/machine-id",
    "host key": "cat /etc/ssh/ssh_host_ed25519_key.pub",
    "letters": "cat /srv/data/letter; stat -c '%U %a' /home/ann/letter",
    "by hand": "cat /etc/by-hand; getent group later",
    "app": "cat /etc/app.conf",
    "motd": "grep -c 'added once' /etc/motd",
    "file system": "blkid --match-tag UUID --output value /dev/vdb1",
}
CONFIG = "/root/config.ign"
# Its own config again, with one more file and user, and with a disk that is wiped.
PLANS = {
    "own": f"ignition plan {CONFIG}",
    "more": "ignition plan --host /root/more.ign",
    "wiping": "ignition plan /root/wiping.ign",
    "facts": f"ignition facts {CONFIG} 2>/dev/null",
}
# One after the other, in a single login: sshd reads its host keys again for each.
RESET = {
    "no terminal": "ignition reset",
    "dry run": "ignition reset --dry-run",
    "after the dry run": "ls /boot/coreos; cat /etc/machine-id; ls /etc/ssh",
    "status before": "ignition status --json",
    "reset": "ignition reset --yes",
    "machine id": "cat /etc/machine-id",
    "host keys": "ls /etc/ssh",
    "repeated": "ignition reset --yes",
    "facts": f"ignition facts {CONFIG} 2>/dev/null",
    "status": "ignition status --json",
    "screen": "ignition status",
}


def run(case: Case) -> None:
    """Two first boots of one machine. GRUB has to find the flag of the second."""
    system = case.system_disk("system", 0)
    data = disks.blank(case.work / "data.qcow2", GIB)
    config = {"opt/com.coreos/config": case.fill("config.ign", {"SSH_KEY": case.key.public})}
    plan = case.foresee([system, data], config["opt/com.coreos/config"])
    direct = case.image.direct("coreos.first_boot=detected")
    with case.machine("first", [system, data], direct=direct, fw_cfg=config, foreseen=plan) as machine:
        ssh = machine.wait_for_login()
        state = guest.settle(ssh)
        machine.verify()
        for path, text in configs(config["opt/com.coreos/config"]).items():
            ssh.feed(f"cat >{path}", text)
        plans = ssh.collect(PLANS, 300)
        ssh.run(WRITE)
        first = ssh.collect(PROBES) | {"state": Answer(state, 0)}
        said = ssh.collect(RESET, 300)
        with suppress(Failed):  # the connection ends with the machine
            ssh.run("systemctl reboot", 60)
        machine.wait_for_reboot()
    judge_first(case, machine, first)
    judge_plans(case, machine, plans)
    judge_reset(case, machine, first, said, system)
    facts = case.work / "facts.json"  # checked against its schema when it is read
    facts.write_text(said["facts"].text, encoding="utf-8")
    plan = Foreseen(foreseen.plan(config["opt/com.coreos/config"], "--facts", str(facts), "--platform", "qemu"))
    with case.machine("second", [system, data], fw_cfg=config, foreseen=plan) as machine:
        ssh = machine.wait_for_login()
        state = guest.settle(ssh)
        second = ssh.collect(PROBES | {"journal": guest.JOURNAL}) | {"state": Answer(state, 0)}
        machine.cut_off()
    judge_second(case, machine, first, second, system)


def configs(own: Path) -> dict[str, str]:
    """Files of the machine: its config, and variants of it."""
    text = own.read_text(encoding="utf-8")
    more, wiping = json.loads(text), json.loads(text)
    more["storage"]["files"].append({"path": "/etc/more", "contents": {"source": "data:,more%0A"}})
    more["passwd"]["users"].append({"name": "bob"})
    wiping["storage"]["disks"][0]["wipeTable"] = True
    wiping["storage"]["filesystems"][0]["wipeFilesystem"] = True
    return {CONFIG: text, "/root/more.ign": json.dumps(more), "/root/wiping.ign": json.dumps(wiping)}


def judge_plans(case: Case, machine: Machine, said: Mapping[str, Answer]) -> None:
    """Plans on the machine itself for its next first boot, and its facts."""
    checks = case.checks("plans on the machine", machine)
    checks.equal("its own config: exit status", 0, said["own"].status)
    checks.contains("its own config", "Plan: ", said["own"].text)
    checks.equal("more: exit status", 2, said["more"].status)
    checks.matches("more: the file", r"^\+ file +/etc/more ", said["more"].text)
    checks.matches("more: the user", r"^\+ user +bob ", said["more"].text)
    checks.equal("wiping: exit status", 3, said["wiping"].status)
    checks.contains("wiping", "- /dev/vdb partition 1 'data': ext4 'data'", said["wiping"].text)
    found = document(said["facts"])
    devices = {one["node"]: one for one in found["devices"]}
    checks.equal("facts: disks", ["/dev/vda", "/dev/vdb"], [node for node, one in devices.items() if one["kind"] == "disk"])
    checks.equal("facts: size", GIB, devices["/dev/vdb"]["size"])
    parts = [(part["number"], part["label"]) for part in devices["/dev/vdb"]["table"]["parts"]]
    checks.equal("facts: partitions", [(1, "data")], parts)
    checks.contains("facts: use", "mounted on /srv/data", devices["/dev/vdb1"]["user"])
    content = devices["/dev/vdb1"]["content"]
    checks.equal("facts: content", ("ext4", "data"), (content["format"], content["label"]))
    checks.contains("facts: links", "/dev/disk/by-partlabel/data", " ".join(devices["/dev/vdb1"]["links"]))
    checks.equal("facts: root", next(node for node, one in devices.items() if one.get("content", {}).get("label") == "ROOT"),
                 found["root"])  # fmt: skip
    checks.lacks("facts: hashes of passwords", "$6$", said["facts"].text)
    checks.done()


def judge_first(case: Case, machine: Machine, seen: Mapping[str, Answer]) -> None:
    """Status of a machine in its first boot."""
    checks = case.checks("first boot", machine)
    judge_boot(seen, checks, runs=1)
    checks.equal("earlier boots", [], document(seen["status as json"])["earlier"])
    checks.lacks("the screen", "Not read", seen["status"].text)
    for_user = seen["status of a user"]
    checks.equal("status as a user: exit status", 0, for_user.status)
    checks.contains("status as a user", ["State:       provisioned", "Not read:    /etc/.ignition-result.json"], for_user.text)
    checks.done()


def judge_boot(seen: Mapping[str, Answer], checks: Checks, *, runs: int) -> None:
    """The checks for both boots."""
    checks.equal("state of the system", "running", seen["state"].text)
    checks.equal("failed units", "", seen["failed"].text)
    checks.equal("status: exit status", 0, seen["status"].status)
    shown = seen["status"].text.splitlines()
    checks.true("status: one screen", len(shown) <= 24 and max(map(len, shown)) <= 80, seen["status"].text)
    for line in ("State:       provisioned", "Platform:    qemu", "Next boot:   an ordinary boot"):
        checks.contains("status", line, seen["status"].text)
    checks.contains("status", f", in this boot, run {runs}\n", seen["status"].text)
    found = document(seen["status as json"])
    checks.equal("status: runs", runs, found["provisioned"]["runs"])
    checks.contains("status: kinds of sources", "user", " ".join(one["kind"] for one in found["config"]["sources"]))
    checks.equal("status: length of the digest", 128, len(found["config"]["sha512"]))
    checks.equal("status: not read", [], found["unread"])
    checks.equal("status: next boot", {"isFirst": False, "flag": ""}, found["nextBoot"])
    checks.true("status: address", any("10.0.2.15/24" in link["addresses"] for link in found["links"]), found["links"])


def judge_reset(case: Case, machine: Machine, first: Mapping[str, Answer], said: Mapping[str, Answer], system: Disk) -> None:
    """Refused, shown, done, and already done."""
    checks = case.checks("reset", machine)
    checks.equal("without a terminal: exit status", 1, said["no terminal"].status)
    checks.contains("without a terminal", "a person must confirm this on a terminal (fix: pass -yes)", said["no terminal"].text)
    checks.equal("dry run: exit status", 0, said["dry run"].status)
    unchanged = said["after the dry run"].text
    checks.lacks("after the dry run", "first_boot", unchanged)
    checks.contains("after the dry run", [first["machine id"].text, "ssh_host_ed25519_key"], unchanged)
    checks.equal("status after the dry run", False, document(said["status before"])["nextBoot"]["isFirst"])
    checks.equal("reset: exit status", 0, said["reset"].status)
    checks.contains(
        "reset", ["set the first-boot flag on EFI-SYSTEM (/dev/vda1): coreos/first_boot", "Done."], said["reset"].text
    )
    checks.contains("reset", said["dry run"].text, said["reset"].text)
    checks.equal("machine ID", "uninitialized\n", said["machine id"].text)
    checks.lacks("host keys", "ssh_host_", said["host keys"].text)
    checks.equal("reset again: exit status", 0, said["repeated"].status)
    checks.equal("status: exit status", 0, said["status"].status)
    checks.equal("status", {"isFirst": True, "flag": "coreos/first_boot"}, document(said["status"])["nextBoot"])
    checks.contains("status", "Next boot:   a first boot: the flag coreos/first_boot is set\n", said["screen"].text)
    checks.equal("flag and mark on EFI-SYSTEM", ["first_boot"], case.first_boot_files(system))
    checks.done()


def judge_second(case: Case, machine: Machine, first: Mapping[str, Answer], second: Mapping[str, Answer], system: Disk) -> None:
    """Another machine with the same data."""
    checks = case.checks("second first boot", machine)
    judge_boot(second, checks, runs=2)
    before, after = (document(seen["status as json"]) for seen in (first, second))
    checks.equal("history", [before["provisioned"]["bootId"]], [one["bootId"] for one in after["earlier"]])
    checks.equal("config", before["config"], after["config"])
    warnings = " ".join(one["message"] for one in after["warnings"])
    checks.contains("warnings, of the journal", "this machine was provisioned before", warnings)
    for name in ("machine id", "host key"):
        checks.true(f"another {name}", second[name].text != first[name].text, second[name].text)
    checks.matches("machine ID", r"\A[0-9a-f]{32}\n\Z", second["machine id"].text)
    checks.equal("letters", "dear config\nann 600\n", second["letters"].text)
    checks.equal("file system", first["file system"].text, second["file system"].text)
    checks.equal("by hand", "mine\nlater:x:4242:\n", second["by hand"].text)
    checks.equal("a file of the config", "of the config\n", second["app"].text)
    checks.equal("lines that were appended", ("1\n", "1\n"), (first["motd"].text, second["motd"].text))
    journal = guest.parse_journal(second["journal"].text)
    checks.equal("operations that failed", [], journal.operations("failed"))
    checks.lacks("the journal", "trying again", "\n".join(journal.messages()))
    checks.equal("flag and mark on EFI-SYSTEM", [], case.first_boot_files(system))
    checks.done()


def document(answer: Answer) -> Any:
    """The JSON of `ignition status`."""
    try:
        return json.loads(answer.text)
    except ValueError as error:
        raise Failed(f"expected: JSON of ignition status\nseen:     status {answer.status}, {answer.text[-400:]!r}") from error
