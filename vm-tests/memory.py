#!/usr/bin/env python3
"""Finds the smallest memory with which a machine provisions itself: `python3 vm-tests/memory.py`.

Bisects between --least (assumed to be too little) and --most, in steps of 16 MiB. Each attempt is a first boot through GRUB with
a config of one user, and of a second disk with a file system and a file on it, from fw_cfg. An attempt succeeds if the user can
log in and the file exists; a kernel panic, the emergency shell or silence is a failure. Prints a line for each attempt.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from harness import disks, guest
from harness.case import Case
from harness.disks import GIB
from harness.errors import Failed
from harness.hardware import Hardware
from harness.image import Image
from run import choose_image

STEP_MIB = 16
GROWS_BY = GIB


def provisions_itself(case: Case, memory_mib: int) -> bool:
    """Whether a first boot succeeds with this memory."""
    name = f"with-{memory_mib}"
    config = case.work / f"{name}.ign"
    user = {"name": "core", "sshAuthorizedKeys": [case.key.public]}
    root = {"name": "root", "sshAuthorizedKeys": [case.key.public]}
    data = {"device": "/dev/vdb", "format": "ext4", "path": "/srv", "label": "data"}
    file = {"path": "/srv/hello", "contents": {"source": "data:,hello"}}
    parts = {"passwd": {"users": [user, root]}, "storage": {"filesystems": [data], "files": [file]}}
    config.write_text(json.dumps({"ignition": {"version": "3.4.0"}, **parts}), encoding="utf-8")
    drives = [
        case.system_disk(f"{name}-system", disks.virtual_size(case.image.disk) + GROWS_BY),
        disks.blank(case.work / f"{name}-data.qcow2", GIB),
    ]
    hardware = Hardware(memory_mib=memory_mib)
    try:
        with case.machine(name, drives, fw_cfg={"opt/com.coreos/config": config}, hardware=hardware) as machine:
            ssh = machine.wait_for_login()
            guest.settle(ssh)
            seen = ssh.collect({"data": "mount /dev/vdb /mnt && cat /mnt/hello", "kernel": "journalctl -k -o cat -g '^Memory:'"})
            print(f"{memory_mib} MiB: {seen['kernel'].text.strip()}", flush=True)
            return seen["data"].text.strip() == "hello"
    except Failed as failure:
        print(f"{memory_mib} MiB: {str(failure).splitlines()[0]}", flush=True)
        return False


def smallest(case: Case, least: int, most: int) -> int | None:
    """The smallest sufficient memory in (least, most], a multiple of the step above `least`; None if there is none."""
    if not provisions_itself(case, most):
        return None
    while most - least > STEP_MIB:
        middle = least + (most - least) // 2 // STEP_MIB * STEP_MIB
        if provisions_itself(case, middle):
            most = middle
        else:
            least = middle
    return most


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="memory.py", description="Finds the smallest memory for a first boot.")
    parser.add_argument("--least", type=int, default=192, metavar="MIB", help="too little (default: %(default)s)")
    parser.add_argument("--most", type=int, default=384, metavar="MIB", help="expected to suffice (default: %(default)s)")
    parser.add_argument("--image", type=Path, metavar="DIR", help="a folder of the image cache (default: built from the sources)")
    parser.add_argument("--sync", action="store_true", help="run the agent of these sources, on the newest image as it is")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="directory for the logs of the consoles")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="memory-") as scratch:
        work = arguments.keep or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        image: Image = choose_image(arguments)
        found = smallest(Case("memory", work, work, image), arguments.least, arguments.most)
    print(f"{found} MiB suffice" if found else f"{arguments.most} MiB do not suffice")
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
