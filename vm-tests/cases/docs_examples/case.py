"""verifies: examples of docs/transpiling.md boot as they stand there: the Butane document of a web server with its data on
another disk, and the Container Linux Config with a disk, a user and a network. Each is the user data itself, from QEMU's fw_cfg.

Only values that depend on the run are inserted: the key, and, in another config that the document refers to, root's key and a
stand-in for docker.
"""

import base64
import json
import re
from pathlib import Path

from harness import disks, guest
from harness.case import Case
from harness.checks import Checks
from harness.disks import GIB, Disk
from harness.ssh import Answer

TIMEOUT_S = 900
EXPECTED_S = 90

PAGE = Path(__file__).parents[3] / "docs/transpiling.md"
DATA_SIZE = 21 * GIB
EXAMPLE_KEY, EXAMPLE_DISK, DISK = "ssh-ed25519 AAAA… me@home", "/dev/sdb", "/dev/vdb"
DOCKER = "#!/bin/sh\nprintf '%s\\n' \"$@\" > /run/docker-arguments\nexec sleep infinity\n"
COMMON = {
    "state": "systemctl is-system-running",
    "failed": "systemctl --failed --plain --no-legend",
    "table": f"sfdisk --json {DISK}",
    "file system": f"blkid -o value -s TYPE -s LABEL {DISK}1",
    "journal": guest.JOURNAL,
}
OF_BUTANE = {
    "mount": "findmnt --noheadings --output SOURCE,FSTYPE /var/lib/data",
    "mount unit": "systemctl is-enabled var-lib-data.mount; systemctl is-active var-lib-data.mount",
    "hostname": "hostname",
    "web": "systemctl is-active web.service; cat /run/docker-arguments",
}
OF_CT = {
    "sysctl": "cat /etc/sysctl.d/10-files.conf; echo; sysctl -n fs.file-max",
    "network": "cat /etc/systemd/network/00-eth.network",
    "docker": "cat /etc/systemd/system/docker.service.d/20-clct-docker.conf",
}


def run(case: Case) -> None:
    """Two machines."""
    web = example("with_mount_unit: true") + referring(case, "merge")
    seen = booted(case, "web", web, OF_BUTANE)
    checks = case.checks("Butane")
    judge_common(seen, checks, "data")
    judge_web(seen, checks)
    checks.done()
    old = example("size: 20GiB").replace(EXAMPLE_DISK, DISK) + referring(case, "append")
    seen = booted(case, "old", old, OF_CT)
    checks = case.checks("Container Linux Config")
    judge_common(seen, checks, "DATA")
    judge_old(seen, checks)
    checks.done()


def example(words: str) -> str:
    """The document of the page that has these words."""
    (found,) = (text for text in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL) if words in text)
    return str(found)


def referring(case: Case, member: str) -> str:
    """The end of a document, which refers to a config with additions for the test."""
    files = [{"path": "/usr/bin/docker", "mode": 0o755, "contents": {"source": data_url(DOCKER)}}]
    users = [{"name": "root", "sshAuthorizedKeys": [case.key.public]}]
    config = {"ignition": {"version": "3.3.0"}, "storage": {"files": files}, "passwd": {"users": users}}
    return f"ignition:\n  config:\n    {member}:\n      - source: {data_url(json.dumps(config))}\n"


def data_url(text: str) -> str:
    """Base64."""
    return f"data:;base64,{base64.b64encode(text.encode()).decode()}"


def booted(case: Case, name: str, document: str, probes: dict[str, str]) -> dict[str, Answer]:
    """A first boot with the document as user data; the state of the machine afterwards."""
    drives: list[Disk] = [case.system_disk(name, (disks.virtual_size(case.image.disk) // GIB + 1) * GIB)]
    drives.append(disks.blank(case.work / f"{name}-data.qcow2", DATA_SIZE))
    config = case.work / f"{name}.yaml"
    config.write_text(document.replace(EXAMPLE_KEY, case.key.public))
    plan = case.foresee(drives, config)
    direct, fw_cfg = case.image.direct("coreos.first_boot=detected"), {"opt/com.coreos/config": config}
    with case.machine(name, drives, direct=direct, fw_cfg=fw_cfg, foreseen=plan) as machine:
        ssh = machine.wait_for_login()
        guest.settle(ssh)
        seen = ssh.collect(COMMON | probes)
        seen["core"] = machine.ssh("core").run("whoami")
        machine.cut_off()
    return seen


def judge_common(seen: dict[str, Answer], checks: Checks, label: str) -> None:
    """Units, the user, the disk."""
    checks.equal("state of the system", "running\n", seen["state"].text)
    checks.equal("failed units", "", seen["failed"].text)
    checks.equal("who logs in with the document's key", "core\n", seen["core"].text)
    (partition,) = json.loads(seen["table"].text)["partitiontable"]["partitions"]
    checks.equal("label of the partition", label, partition["name"])
    stages = guest.parse_journal(seen["journal"].text).stages()
    checks.true("stages in the journal", {"fetch-offline", "disks", "files"} <= set(stages), stages)


def judge_web(seen: dict[str, Answer], checks: Checks) -> None:
    """The results that the page promises for the example."""
    checks.equal("mount", [f"{DISK}1", "ext4"], seen["mount"].text.split())
    checks.equal("mount unit", "enabled\nactive\n", seen["mount unit"].text)
    checks.equal("host name", "web1\n", seen["hostname"].text)
    state, *arguments = seen["web"].text.splitlines()
    checks.equal("web server", "active", state)
    checks.equal("its arguments", "run --rm --name web -p 80:80 -v /var/lib/data:/data nginx".split(), arguments)


def judge_old(seen: dict[str, Answer], checks: Checks) -> None:
    """The results that the page promises for the example."""
    checks.equal("file system", ["DATA", "ext4"], sorted(seen["file system"].text.split()))
    checks.equal("file with inline contents", "fs.file-max = 500000\n500000\n", seen["sysctl"].text)
    checks.equal("network unit", "[Match]\nName=eth*\n[Network]\nDHCP=yes\n", seen["network"].text)
    checks.equal("drop-in of docker", '[Service]\nEnvironment="DOCKER_OPTS=--log-driver=journald"', seen["docker"].text.strip())
