"""`make demo`: a first boot in QEMU, through GRUB, with a config from a metadata service on this host; then what happened.

With DEMO_KEEP=1 the machine keeps running, with SSH on a local port; the commands to log in and to stop it are printed.
"""

import argparse
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from demo_story import story
from harness import disks, gpt, guest
from harness.disks import GIB, Disk
from harness.errors import Failed, HarnessError
from harness.image import BOOT_LOADER_EXTRA, EMULATED, Image, build_image, open_image
from harness.machine import Machine, Plan, metadata_nic
from harness.services.ec2 import Ec2
from harness.services.files import FileServer
from harness.services.http import Service
from harness.ssh import Answer, Key, make_key

CONFIG = Path(__file__).resolve().parent / "demo_story" / "config.ign"
INDEX = "<h1>Provisioned before the first boot was over</h1>\n"
ARGUMENTS = f"{BOOT_LOADER_EXTRA}=ignition.platform.id=aws {EMULATED}"
BOOT_TIMEOUT_S = 420.0
PROBES = {
    "journal": guest.JOURNAL,
    "result": f"cat {guest.RESULT}",
    "mounts": "df --human-readable --output=target,fstype,size,used / /srv/www",
    "metadata": "sort /run/metadata/coreos",
    "web": "python3 -c 'import urllib.request as u; print(u.urlopen(\"http://127.0.0.1/\").read().decode())'",
    "failed": "systemctl --failed --plain --no-legend",
    "boot": "systemd-analyze",
    "report": f"cat {guest.REPORT}",
}
PAGE = Path(__file__).resolve().parent.parent / "build" / "demo-report.html"


def say(line: str = "") -> None:
    """A line of the story."""
    print(line, flush=True)


def tell(lines: Iterable[str]) -> None:
    """Several lines of it."""
    for line in lines:
        say(line)


def make_service(folder: Path, key: Key) -> tuple[FileServer, Ec2]:
    """The metadata service with the config, and the server of the file that the config names."""
    files = FileServer()
    files.put("/index.html", INDEX)
    text = CONFIG.read_text(encoding="utf-8")
    values = {"HTTP_PORT": str(files.port), "SSH_KEY": key.public, "INDEX_SHA512": hashlib.sha512(INDEX.encode()).hexdigest()}
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    (folder / "config.ign").write_text(text, encoding="utf-8")
    return files, Ec2(text.encode(), ssh_key=key.public)


def make_disks(image: Image, folder: Path) -> list[Disk]:
    """A copy of the image on a larger disk, and an empty one."""
    size = (disks.virtual_size(image.disk) // GIB + 4) * GIB
    return [disks.overlay(image.disk, folder / "system.qcow2", size), disks.blank(folder / "data.qcow2", 4 * GIB)]


def show_disks(title: str, drives: list[Disk], folder: Path) -> None:
    """Both partition tables."""
    say(f"\n{title}")
    for name, disk in zip(("/dev/vda", "/dev/vdb"), drives, strict=True):
        raw = disks.raw_copy(disk, folder / "look.raw", shared=True)
        try:
            table = gpt.read_table(raw)
        except Failed:
            table = None
        tell(story.table(name, table))
        raw.unlink()


def watch(machine: Machine) -> None:
    """Tells the stages as the console shows them, until somebody can log in."""
    told: set[str] = set()
    deadline = time.monotonic() + BOOT_TIMEOUT_S
    while time.monotonic() < deadline:
        for line in story.new_console_lines(machine.console.text(), told):
            say(f"  {time.monotonic() - machine.started:>5.0f} s  {line}")
        try:
            machine.wait_for_login(1)
        except Failed as failure:
            if machine.gave_up():
                raise failure
            continue
        say(f"  {time.monotonic() - machine.started:>5.0f} s  the machine can be logged in to")
        return
    raise machine.console.failure("a login over SSH", "none in time")


def show_guest(seen: dict[str, Answer], service: Service) -> None:
    """Print the machine's report on its first boot."""
    say("\nThe stages, from the machine's journal (journalctl --identifier=ignition --all)")
    tell(story.stages(guest.parse_journal(seen["journal"].text)))
    say("\nThe machine now")
    say(f"  {story.result(seen['result'].text)}")
    say(f"  the metadata service was asked {len(service.log)} times; what coreos-metadata wrote of its answers:")
    tell(f"    {line}" for line in seen["metadata"].text.splitlines())
    say("  file systems:")
    tell(story.mounts(seen["mounts"].text))
    say(f"  its web server says: {seen['web'].text.strip()}")
    say(f"  failed units: {seen['failed'].text.strip() or 'none'}")


def make_page(seen: dict[str, Answer], root: Path) -> None:
    """The page of the machine's report, made on this host. `root` gets the files of the machine that the page is about."""
    for inside, text in ((guest.REPORT, seen["report"].text), ("/run/metadata/coreos", seen["metadata"].text)):
        path = root / inside.lstrip("/")
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    PAGE.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "ignition.cli.ignition", "report", "--root", str(root), "--html", str(PAGE)]
    done = subprocess.run(command, cwd=PAGE.parent.parent, capture_output=True, text=True, check=False)
    if done.returncode:
        raise HarnessError(f"the page of the report was not made: {done.stderr.strip()}")


def show_login(machine: Machine, folder: Path) -> None:
    """How to log in to a machine that keeps running, and how to stop it."""
    process = machine.process
    say("\nThe machine goes on running (its metadata service has ended). Log in with")
    say(f"  {shlex.join(replace(machine.ssh('core'), shared=None).argv())}")
    say("and stop it with")
    say(f"  kill {process.pid if process else ''}; rm -r {folder}")


def first_boot(image: Image, folder: Path, *, keep: bool) -> None:
    """The whole story."""
    key = make_key(folder)
    drives = make_disks(image, folder)
    files, service = make_service(folder, key)
    show_disks("The disks before", drives, folder)
    nics = (metadata_nic(service.port),)
    machine = Machine(Plan("demo", folder, drives, key, nics=nics, smbios=[ARGUMENTS], outlives=True))
    with files, service, machine:
        say(f"\nThe first boot, through GRUB, as on EC2 (console: {machine.console.path})")
        watch(machine)
        ssh = machine.ssh()
        guest.settle(ssh)
        seen = ssh.collect(PROBES)
        show_guest(seen, service)
        make_page(seen, folder / "root")
        ssh.run("sync")
        machine.pause()
        show_disks("The disks after", drives, folder)
        machine.resume()
        if keep:
            show_login(machine, folder)
            machine.release()
        else:
            machine.power_off()
            say("\nThe machine is off again; DEMO_KEEP=1 would leave it running.")
    say(f"\nThe report of this boot, as a page: {PAGE}")


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="demo.py", description="Boots a machine for the first time and shows what happened.")
    parser.add_argument("--image", type=Path, metavar="DIR", help="a folder of the image cache (default: built from the sources)")
    chosen = parser.parse_args().image
    keep = os.environ.get("DEMO_KEEP", "") not in ("", "0")
    folder = Path(tempfile.mkdtemp(prefix="ignition-demo-"))
    kept = False
    try:
        say("The machine image (built once, some minutes; progress follows when it is not in the cache)")
        image = open_image(chosen) if chosen else build_image()
        first_boot(image, folder, keep=keep)
        kept = keep
    except (Failed, HarnessError) as error:
        say(f"\ndemo: {error}")
        kept = True
        return 1
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
