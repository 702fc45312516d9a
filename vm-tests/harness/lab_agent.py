"""The lab's helper inside a guest: a JSON question on each line of standard input, a JSON answer on each of standard output.

One process for all questions: starting one is slow in an emulated machine. Python's standard library only; it is sent over
SSH by harness/lab_helper.py and knows nothing of the agent's code but its command line.
"""

import json
import os
import re
import stat
import subprocess
import sys
import time
import traceback
from pathlib import Path

STAGE_LIMIT_S = 900  # five bindings with a TPM, on a host that runs three machines on two cores
PROGRAM_LIMIT_S = 60
BLOCK = Path("/sys/class/block")
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root"}
LINKS = ("/dev/disk/by-partlabel", "/dev/md")
HOLD_RULES = Path("/usr/lib/dracut/modules.d/35coreos-ignition/62-ignition-hold.rules")


def call(*argv: str, limit_s: float = PROGRAM_LIMIT_S) -> tuple[int, str]:
    """Status and output of a program; 124 when it took too long."""
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=ENVIRONMENT, timeout=limit_s,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        return 124, (error.output or b"").decode("utf-8", "replace") + f"\n{argv[0]}: no end within {limit_s:g} s"
    except FileNotFoundError:
        return 127, f"{argv[0]}: no such program"
    return done.returncode, done.stdout.decode("utf-8", "replace")


def provision(asked: dict[str, object]) -> dict[str, object]:
    """Runs stages of `ignition` on a config, with state and cache in a folder of their own, until one fails."""
    folder = Path(str(asked["folder"]))
    (folder / "state").mkdir(parents=True, mode=0o700, exist_ok=True)
    config = folder / "config.ign"
    if asked["config"] is not None:
        config.write_text(str(asked["config"]), encoding="utf-8")
    for name, text in dict(asked["earlier"]).items():  # type: ignore[call-overload]
        (folder / "state" / name).write_text(text, encoding="utf-8")
    waiting, runs = [str(stage) for stage in list(asked["stages"])], []  # type: ignore[call-overload]
    while waiting:
        stage = waiting.pop(0)
        runs.append(run_stage(stage, folder, str(asked["root"])))
        if runs[-1]["status"] != 0:
            break
        if stage == "fetch-offline" and not (folder / "ignition.json").exists():
            waiting.insert(0, "fetch")
    links = {str(path): os.path.realpath(path) for place in LINKS for path in Path(place).glob("*")}
    records = folder / "state" / "operations.jsonl"
    seen = records.read_text(encoding="utf-8").splitlines() if records.exists() else []
    failure = folder / "state" / "failure.txt"
    return {
        "runs": runs,
        "records": [json.loads(line) for line in seen],
        "failure": failure.read_text(encoding="utf-8") if failure.exists() else "",
        "links": links,
    }


def run_stage(stage: str, folder: Path, root: str) -> dict[str, object]:
    """One stage, as its unit would run it but for the paths."""
    ENVIRONMENT["IGNITION_CONFIG_FILE"] = str(folder / "config.ign")
    started = time.monotonic()
    status, log = call(
        "/usr/bin/ignition", f"-stage={stage}", "-platform=file", f"-root={root}", "-log-to-stdout",
        f"-config-cache={folder}/ignition.json", f"-neednet={folder}/state/neednet", f"-state-file={folder}/state/state",
        limit_s=STAGE_LIMIT_S,
    )  # fmt: skip
    return {"stage": stage, "status": status, "log": log, "seconds": round(time.monotonic() - started, 3)}


def wipe(disks: list[str]) -> dict[str, object]:
    """Makes disks blank again, regardless of their contents and holders. "left" lists anything that could not be undone."""
    names = [os.path.basename(os.path.realpath(disk)) for disk in disks]
    said = []
    for name in names:
        for device in [*partitions(name), name]:
            said += release(device)
    left = []
    for name in names:
        status, text = call("blkdiscard", "-f", f"/dev/{name}")
        said.append(f"blkdiscard /dev/{name}: {status} {text.strip()}")
        call("partx", "--delete", f"/dev/{name}")
        if status != 0 or partitions(name):
            left.append(f"{name}: {text.strip()} {partitions(name)} {users(name)}")
    call("udevadm", "trigger", "--settle", *[f"/dev/{name}" for name in names])
    call("udevadm", "settle")
    return {"left": left, "said": said}


def partitions(name: str) -> list[str]:
    """Kernel names of a disk's partitions."""
    return sorted(path.name for path in (BLOCK / name).iterdir() if (path / "partition").exists())


def users(name: str) -> dict[str, list[str]]:
    """The holders of a device and of its partitions."""
    return {device: [path.name for path in (BLOCK / device / "holders").glob("*")] for device in [*partitions(name), name]}


def release(name: str) -> list[str]:
    """Ends every use of a device, beginning with the devices stacked on it."""
    said = []
    for holder in sorted(path.name for path in (BLOCK / name / "holders").glob("*")):
        said += release(holder)
        if (BLOCK / holder / "md").exists():
            said += [f"{part}: {release(part)}" for part in partitions(holder)]
            status, text = call("mdadm", "--stop", f"/dev/{holder}")
        elif (BLOCK / holder / "dm").exists():
            mapped = (BLOCK / holder / "dm" / "name").read_text(encoding="utf-8").strip()
            status, text = call("dmsetup", "remove", "--retry", mapped)
        else:
            status, text = -1, "unknown kind of holder"
        said.append(f"{holder}: {status} {text.strip()}")
    said += unmount(name)
    return said


def unmount(name: str) -> list[str]:
    """Swap and mounts of one device; those mounted last go first."""
    said, node = [], f"/dev/{name}"
    for line in Path("/proc/swaps").read_text(encoding="utf-8").splitlines()[1:]:
        if os.path.realpath(line.split()[0]) == node:
            said.append(f"swapoff: {call('swapoff', node)}")
    for line in reversed(Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()):
        fields, rest = line.split(" - ", 1)
        target = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields.split()[4])
        if os.path.realpath(rest.split()[1]) == node:
            said.append(f"umount {target}: {call('umount', target)}")
    return said


def new_root(root: str) -> None:
    """An empty root for the mount and files stages: a tmpfs with accounts, used until another one is requested."""
    while any(line.split()[4].startswith(root) for line in Path("/proc/self/mountinfo").read_text("utf-8").splitlines()):
        if call("umount", "--recursive", root)[0] != 0:
            call("umount", "--lazy", "--recursive", root)
    os.makedirs(root, exist_ok=True)
    call("mount", "-t", "tmpfs", "-o", "mode=755", "lab-root", root)
    for name in ("etc", "var/lib", "usr/lib/systemd/system", "root", "run", "boot"):
        os.makedirs(f"{root}/{name}", exist_ok=True)
    for name in ("passwd", "group", "shadow", "gshadow", "login.defs"):
        call("cp", "--preserve=all", f"/etc/{name}", f"{root}/etc/{name}")


def facts(devices: list[str]) -> dict[str, object]:
    """The guest's view of devices and everything stacked on them: lsblk's tree, blkid's probes, the kernel's partitions."""
    columns = "NAME,KNAME,PATH,TYPE,SIZE,FSTYPE,LABEL,UUID,PARTLABEL,PARTUUID,PARTTYPE,START,MOUNTPOINTS,LOG-SEC,SERIAL"
    tree = json.loads(call("lsblk", "--json", "--bytes", "--output", columns, *devices)[1])["blockdevices"]
    probes = {}
    for node in dict.fromkeys(str(node["path"]) for node in flat(tree)):
        lines = call("blkid", "-p", "-o", "export", node)[1].splitlines()
        probes[node] = dict(line.split("=", 1) for line in lines if "=" in line)
    kernel = {}
    for device in devices:
        name = os.path.basename(os.path.realpath(device))
        kernel[device] = {
            part: [int((BLOCK / part / field).read_text(encoding="ascii")) * 512 for field in ("start", "size")]
            for part in partitions(name)
        }
    return {"tree": tree, "probes": probes, "kernel": kernel}


def flat(tree: list[dict[str, object]]) -> list[dict[str, object]]:
    """All nodes of lsblk's tree."""
    found = []
    for node in tree:
        found += [node, *flat(list(node.get("children") or []))]  # type: ignore[call-overload]
    return found


def flush(devices: list[str]) -> None:
    """Everything that is written is on the disks, for whoever reads their files outside."""
    os.sync()
    for device in devices:
        call("blockdev", "--flushbufs", device)


def read(paths: list[str]) -> dict[str, object]:
    """Files, read without following links: [kind, mode in octal, text or link target]; absent ones are left out."""
    found: dict[str, object] = {}
    for path in paths:
        try:
            status = os.lstat(path)
        except OSError:
            continue
        mode, kind, text = format(stat.S_IMODE(status.st_mode), "o"), "?", ""
        if stat.S_ISREG(status.st_mode):
            kind, text = "f", Path(path).read_text(encoding="utf-8", errors="replace")
        elif stat.S_ISLNK(status.st_mode):
            kind, text = "l", os.readlink(path)
        elif stat.S_ISDIR(status.st_mode):
            kind, text = "d", " ".join(sorted(os.listdir(path)))
        found[path] = [kind, mode, text]
    return found


def prepare() -> dict[str, str]:
    """Once per boot: nothing is assembled on its own, as in the initramfs before the disks stage. Returns disks by serial."""
    if HOLD_RULES.exists():
        os.makedirs("/run/udev/rules.d", exist_ok=True)
        os.makedirs("/run/ignition", exist_ok=True)
        call("cp", str(HOLD_RULES), "/run/udev/rules.d/")
        Path("/run/ignition/hold").touch()
        call("udevadm", "control", "--reload")
    call("udevadm", "settle")
    listed = json.loads(call("lsblk", "--json", "--nodeps", "--output", "PATH,SERIAL")[1])["blockdevices"]
    return {str(row["serial"]).strip(): str(row["path"]) for row in listed if row["serial"]}


def run(script: str) -> tuple[str, int]:
    """Output and status of a shell script, as if somebody had logged in for it."""
    done = subprocess.run(["sh", "-s"], input=f"exec 2>&1\n{script}".encode(), stdout=subprocess.PIPE, check=False)
    return done.stdout.decode("utf-8", "replace"), done.returncode


ACTIONS = {
    "prepare": lambda _: prepare(),
    "run": run,
    "provision": provision,
    "wipe": wipe,
    "new_root": new_root,
    "facts": facts,
    "flush": flush,
    "read": read,
}


def main() -> int:
    """Answers until there are no more questions; what failed is an answer, too."""
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = {"answer": ACTIONS[asked["action"]](asked["argument"])}  # type: ignore[operator]
        except Exception:  # noqa: BLE001 - whatever it was, the question has an answer
            answer = {"failure": traceback.format_exc()}
        print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
