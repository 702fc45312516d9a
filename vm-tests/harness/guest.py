"""The state of a running guest, read over SSH with Debian's programs. Independent of the agent's code."""

import json
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.ssh import Ssh

SETTLE_S = 240.0
RESULT = "/etc/.ignition-result.json"
REPORT = "/var/lib/ignition/report.json"
APPLIED = "/var/lib/ignition/applied.json"  # has the time of its writing
JOURNAL = "journalctl --boot --identifier=ignition --all --output=json --no-pager"
# Differs between any two machines, or is written at any time by the running system.
VOLATILE = ("/proc", "/sys", "/dev", "/run", "/tmp", "/boot", "/var/log", "/var/tmp", "/var/cache", "/var/lib/systemd",
            "/var/lib/private", "/var/lib/apt", "/var/lib/dpkg", "/usr", "/etc/ssh/ssh_host_*", "/etc/machine-id",
            "/etc/mtab", "/etc/resolv.conf", "/etc/.pwd.lock", RESULT, REPORT, APPLIED, "/etc/.updated", "/var/.updated",
            "/etc/ld.so.cache")  # fmt: skip

# Runs in the guest; one process for many files, as starting processes is slow in an emulated machine.
WALK = """
import fnmatch, hashlib, json, os, stat, sys
asked, found = json.loads(sys.argv[1]), {}
def look(path):
    if asked["deep"] and any(fnmatch.fnmatch(path, pattern) for pattern in asked["leave_out"]):
        return
    try:
        seen = os.lstat(path)
    except OSError:
        return
    kind, content = "?", ""
    if stat.S_ISREG(seen.st_mode):
        kind, content = "f", hashlib.sha256(open(path, "rb").read()).hexdigest()
    elif stat.S_ISLNK(seen.st_mode):
        kind, content = "l", os.readlink(path)
    elif stat.S_ISDIR(seen.st_mode):
        kind = "d"
    found[path] = [kind, format(stat.S_IMODE(seen.st_mode), "o"), f"{seen.st_uid}:{seen.st_gid}", content]
    if kind == "d" and asked["deep"]:
        for name in sorted(os.listdir(path)):
            look(os.path.join(path, name))
for path in asked["paths"]:
    look(path)
json.dump(found, sys.stdout)
"""


@dataclass(frozen=True)
class Node:
    """A file, directory or link: mode in octal as text, owner as uid:gid, content a hash or a link's target."""

    kind: str
    mode: str
    owner: str
    content: str


@dataclass(frozen=True)
class Journal:
    """The entries of the agent in the present boot."""

    entries: list[dict[str, object]]

    def stages(self) -> list[str]:
        """The stages that wrote something, in order of appearance."""
        return list(dict.fromkeys(str(entry["IGNITION_STAGE"]) for entry in self.entries if "IGNITION_STAGE" in entry))

    def messages(self) -> list[str]:
        """All messages; those that are not text are shown as journalctl prints them."""
        return [str(entry.get("MESSAGE", "")) for entry in self.entries]

    def operations(self, word: str) -> list[str]:
        """The messages of operations with [started], [finished] or [failed]."""
        return [message for message in self.messages() if f"[{word}]" in message]


def settle(ssh: Ssh) -> str:
    """Waits until the guest's boot is complete: "running", or "degraded" when a unit has failed."""
    return ssh.run("systemctl is-system-running --wait", SETTLE_S).text.strip()


def parse_journal(text: str) -> Journal:
    """The output of JOURNAL."""
    return Journal([json.loads(line) for line in text.splitlines() if line.startswith("{")])


def units_command(names: Iterable[str]) -> str:
    """Prints the states of units."""
    words = " ".join(f"'{name}'" for name in names)
    return f"systemctl show --property=Id,ActiveState,SubState,UnitFileState,LoadState,Result {words}"


def parse_units(text: str) -> dict[str, dict[str, str]]:
    """The output of units_command, by unit."""
    units = {}
    for paragraph in text.strip().split("\n\n"):
        fields = dict(line.split("=", 1) for line in paragraph.splitlines() if "=" in line)
        units[fields.get("Id", "")] = fields
    return units


def mounts_command() -> str:
    """Prints the mounts as JSON."""
    return "findmnt --json --list --bytes --output TARGET,SOURCE,FSTYPE,LABEL,UUID"


def parse_mounts(text: str) -> dict[str, dict[str, str]]:
    """The output of mounts_command, by mount point."""
    rows: list[dict[str, str]] = json.loads(text)["filesystems"] if text.startswith("{") else []
    return {row["target"]: row for row in rows}


def data_mounts(text: str) -> dict[str, dict[str, str]]:
    """Of the output of mounts_command only what a config mounts: everything on a second disk or a new partition."""
    return {target: row for target, row in parse_mounts(text).items() if target.startswith(("/srv", "/var/lib", "/home"))}


def addresses(text: str) -> dict[str, list[str]]:
    """The output of `ip -json address`: addresses with prefix by MAC address."""
    links = json.loads(text) if text.startswith("[") else []
    return {
        link.get("address", ""): [f"{entry['local']}/{entry['prefixlen']}" for entry in link.get("addr_info", [])]
        for link in links
    }


def nodes_command(paths: Sequence[str], *, deep: bool = False, leave_out: Sequence[str] = VOLATILE) -> str:
    """Prints nodes as JSON; deep: also everything below the paths, on any file system, without what leave_out names."""
    return shlex.join(["python3", "-c", WALK, json.dumps({"paths": list(paths), "deep": deep, "leave_out": list(leave_out)})])


def parse_nodes(text: str) -> dict[str, Node]:
    """The output of nodes_command, by path; empty if the text is not such output."""
    found = json.loads(text) if text.startswith("{") else {}
    return {path: Node(*fields) for path, fields in found.items()}
