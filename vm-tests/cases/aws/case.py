"""verifies: a first boot on EC2: a 3.5.0 config from the metadata service with session tokens, remote files with hashes,
the environment file of coreos-metadata consumed by a unit; and that ROOT grows again when its disk has grown.

The service answers nothing without a token that it gave out.
"""

import gzip
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from harness import disks, expected, filesystems, gpt, guest
from harness.case import Case
from harness.checks import Checks
from harness.disks import GIB, MIB, Disk
from harness.machine import Machine, metadata_nic
from harness.services.ec2 import Ec2
from harness.services.files import FileServer
from harness.services.http import Service
from harness.ssh import Answer

TIMEOUT_S = 900
EXPECTED_S = 90
ALSO_ON = ("trixie",)

PLAIN, HEADED, UNPACKED = b"checked by sha512\n", b"checked by sha256\n", b"line\n" * 20000
NODES = {
    "/etc/merged": expected.file("merged\n", "600"),
    "/srv/www": expected.directory("755", "1000:1000"),
    "/srv/www/by-sha512": expected.file(PLAIN, "644", "1000:0"),
    "/srv/www/by-sha256": expected.file(HEADED, "600"),
    "/srv/www/unpacked": expected.file(UNPACKED),
    "/srv/www/joined": expected.file("one\ntwo\nthree\n"),
    "/srv/www/index": expected.link("by-sha512"),
    "/var/lib/state/kept-on-xfs": expected.file("on the second disk\n"),
}
VALUES = {
    "INSTANCE_ID": "i-0abc1234def567890",
    "IPV4_LOCAL": "172.31.5.20",
    "HOSTNAME": "ip-172-31-5-20.eu-west-1.compute.internal",
    "AVAILABILITY_ZONE": "eu-west-1b",
    "REGION": "eu-west-1",
}
ENVIRONMENT = [f"{prefix}_{name}={value}" for prefix in ("AFTERBURN_AWS", "COREOS_EC2") for name, value in VALUES.items()] + [
    "AFTERBURN_AWS_INSTANCE_TYPE=t3.small"
]
PROBES = {
    "failed": "systemctl --failed --plain --no-legend",
    "nodes": guest.nodes_command(list(NODES)),
    "mounts": guest.mounts_command(),
    "environment file": "cat /run/metadata/coreos",
    "seen by the unit": "cat /srv/www/environment",
    "journal": guest.JOURNAL,
    "result": f"cat {guest.RESULT}",
    "partitions": "lsblk --noheadings --raw --output NAME,PARTLABEL /dev/vdb",
}


def run(case: Case) -> None:
    """A first boot, then one on a disk that has grown."""
    size = (disks.virtual_size(case.image.disk) // GIB + 2) * GIB
    drives = [case.system_disk("system", size), disks.blank(case.work / "second.qcow2", 2 * GIB)]
    direct = case.image.direct("coreos.first_boot=detected", "ignition.platform.id=aws")
    with serving(case) as service:
        nics = (metadata_nic(service.port),)
        plan = case.foresee(drives, case.work / "config.ign", here={nics[0].host: "127.0.0.1"}, platform="aws")
        with case.machine("first", drives, direct=direct, nics=nics, foreseen=plan) as machine:
            seen = facts(machine)
            machine.power_off()
        checks = case.checks("first boot", machine)
        judge_guest(seen, checks)
        judge_service(service, checks)
        judge_root(case, drives[0], "after-first", checks)
        checks.done()
        disks.grow(drives[0], size + GIB)
        with case.machine("grown", drives, direct=case.image.direct("ignition.platform.id=aws"), nics=nics) as machine:
            seen = facts(machine)
            machine.cut_off()
    checks = case.checks("boot on a disk that has grown", machine)
    checks.equal("failed units", "", seen["failed"].text)
    checks.equal("stages in the journal", ["grow"], guest.parse_journal(seen["journal"].text).stages())
    judge_root(case, drives[0], "after-grown", checks)
    checks.done()


@contextmanager
def serving(case: Case) -> Iterator[Ec2]:
    """The metadata service with the config, and the files that the config names."""
    merged = (case.folder / "merged.ign").read_bytes()
    with FileServer() as files:
        files.put("/merged.ign", merged)
        files.put("/by-sha512", PLAIN)
        files.put("/by-sha256", HEADED, headers={"X-Purpose": "vm-test"})
        files.put("/packed.gz", gzip.compress(UNPACKED))
        files.put("/two", "two\n")
        values: dict[str, str | int] = {
            "HTTP_PORT": str(files.port),
            "MERGED_SHA256": hashlib.sha256(merged).hexdigest(),
            "FILE_SHA512": hashlib.sha512(PLAIN).hexdigest(),
            "FILE_SHA256": hashlib.sha256(HEADED).hexdigest(),
            "UNPACKED_SHA512": hashlib.sha512(UNPACKED).hexdigest(),
            "SSH_KEY": case.key.public,
        }
        with Ec2(case.fill("config.ign", values).read_bytes()) as service:
            yield service


def facts(machine: Machine) -> dict[str, Answer]:
    """Waits for the end of the boot and asks the guest everything at once."""
    ssh = machine.wait_for_login()
    guest.settle(ssh)
    return ssh.collect(PROBES)


def judge_guest(seen: dict[str, Answer], checks: Checks) -> None:
    """Files, mounts, journal and the metadata as the unit saw it."""
    checks.equal("failed units", "", seen["failed"].text)
    nodes = guest.parse_nodes(seen["nodes"].text)
    for path, node in NODES.items():
        checks.equal(path, node, nodes.get(path))
    state = guest.parse_mounts(seen["mounts"].text).get("/var/lib/state", {})
    mounted = (state.get("source"), state.get("fstype"), state.get("label"))
    checks.equal("mount of the second disk", ("/dev/vdb1", "xfs", "state"), mounted)
    checks.equal("partitions of the second disk", "vdb \nvdb1 state\nvdb2 cache\n", seen["partitions"].text)
    for place in ("environment file", "seen by the unit"):
        lines = seen[place].text.splitlines()
        missing = [line for line in ENVIRONMENT if line not in lines]
        checks.equal(f"values that are missing: {place}, {lines}", [], missing)
    checks.contains("result", '"userConfigProvided": true', seen["result"].text)
    stages = guest.parse_journal(seen["journal"].text).stages()
    wanted = ["fetch-offline", "fetch", "disks", "grow", "mount", "files", "umount"]
    checks.equal("stages in the journal", wanted, [stage for stage in stages if stage in wanted])


def judge_service(service: Service, checks: Checks) -> None:
    """The requests to the metadata service: first for a token, none without one, none refused."""
    log = [(request.method, request.path, status) for request, status in service.log]
    checks.equal("first request", ("PUT", "/latest/api/token", 200), log[0] if log else None)
    checks.equal("requests without a valid token", [], [row for row in log if row[2] in (400, 401, 403, 405)])
    checks.true("the config was asked for", ("GET", "/2019-10-01/user-data", 200) in log, log)


def judge_root(case: Case, disk: Disk, name: str, checks: Checks) -> None:
    """ROOT's partition and file system reach the end of the disk; the table is sound; the flag is gone."""
    raw = case.raw(disk, name)
    table = gpt.read_table(raw)
    root = table.partitions[9]
    checks.equal("problems of the table", (), table.problems)
    checks.true("ROOT reaches the end", 0 <= table.last_usable - root.last < 4096, (root, table.last_usable))
    size = filesystems.ext4_size(raw, root)
    checks.true("ROOT's file system fills it", 0 <= root.size - size < 2 * MIB, f"{size} of {root.size} bytes")
    raw.unlink()
    checks.equal("first-boot flag and mark on EFI-SYSTEM", [], case.first_boot_files(disk))
