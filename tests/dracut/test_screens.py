"""The screens of failed first boots, each compared with a text in tests/dracut/screens: one page of 80 x 24.

`WRITE_SCREENS=1 .venv/bin/python -m pytest tests/dracut/test_screens.py` writes them again. The answers of systemctl and
journalctl have the form of systemd 252; the screen of a stage is made by the code of the stage.
"""

import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ignition.cli.failure_screen import screen
from ignition.config.parse import parse
from ignition.errors import CommandFailed, Failure, RootInMemory, unforeseen
from ignition.platforms import config_source
from ignition.rendering.parsing import invalid
from tests.dracut.test_emergency import Machine

SCREENS = Path(__file__).parent / "screens"
WRITE = "WRITE_SCREENS"
COLUMNS, ROWS = 80, 24
CONFIG = b"""{
  "ignition": {"version": "3.5.0"},
  "passwd": {"users": [{"name": "core", "passwordHash": "$6$SECRET"}]},
  "storage": {
    "disks": [{"device": "/dev/vdx", "wipeTable": true, "partitions": [{"label": "data", "sizeMiB": 64}]}],
    "files": [
      {"path": "relative", "contents": {"source": "data:,SECRET"}},
      {"path": "/etc/app", "mode": 99999, "contents": {"source": "https://u:SECRET@example.com/app?token=SECRET"}}
    ]
  }
}
"""
NAME = "https://example.com/web.ign"

pytestmark = pytest.mark.root

Scene = Callable[["Broken"], None]
SCENES: dict[str, Scene] = {}


class Broken(Machine):
    """A machine with two disks and two links, which fails."""

    def __init__(self, tmp_path: Path) -> None:
        super().__init__(tmp_path)
        (self.run_dir / "failure.txt").unlink()
        self.units, self.line = tmp_path / "units", "root=LABEL=ROOT coreos.first_boot=detected"
        self.units.mkdir()
        for name in ("failed", "timeouts", "needs", "errors", "kernel"):
            (tmp_path / name).touch()
        self.program(
            "systemctl",
            f"""
            case "$*" in
                *list-units*) cat {tmp_path}/failed ;;
                *--property=Version*) echo Version=252 ;;
                show*) for unit; do :; done; cat {self.units}/"$unit".properties ;;
            esac""",
        )
        self.program(
            "journalctl",
            f"""
            case "$*" in
                *_SYSTEMD_UNIT=*) unit=${{*#*_SYSTEMD_UNIT=}}; cat {self.units}/"${{unit%% *}}".journal ;;
                *JOB_RESULT=timeout*) cat {tmp_path}/timeouts ;;
                *JOB_RESULT=dependency*) cat {tmp_path}/needs ;;
                *--priority=err*) cat {tmp_path}/errors ;;
            esac""",
        )
        self.program("dmesg", f'[ -n "$1" ] || cat {tmp_path}/kernel')
        self.disk(
            "vda", 40 << 21, "QEMU HARDDISK", "E:ID_PART_TABLE_TYPE=gpt", {"1": ("vfat", "EFI-SYSTEM"), "9": ("ext4", "ROOT")}
        )
        self.disk("vdb", 512 << 11, "", "", {})
        for name, state in (("lo", "unknown"), ("enp1s0", "up"), ("enp2s0", "down")):
            self.put(f"sys/class/net/{name}/operstate", f"{state}\n")
        self.firmware("QEMU", "Standard PC (Q35 + ICH9, 2009)")
        self.put("proc/meminfo", "MemTotal:        2014208 kB\nMemFree:          102400 kB\n")
        self.put(
            "proc/net/if_inet6",
            (
                "00000000000000000000000000000001 01 80 10 80       lo\n"
                "fe80000000000000505400fffe123456 02 40 20 80   enp1s0\n"
                "fec00000000000000000000000000015 02 40 00 00   enp1s0\n"
            ),
        )
        self.put("proc/net/fib_trie", (
            "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n"
            "           |-- 10.0.2.2\n              /32 link UNICAST\n"
            "           |-- 127.0.0.1\n              /32 host LOCAL\n"
            "           |-- 10.0.2.15\n              /32 host LOCAL\n"
            "           |-- 10.0.2.255\n              /32 link BROADCAST\nLocal:\n"
            "           |-- 10.0.2.15\n              /32 host LOCAL\n"
        ))  # fmt: skip
        self.put("titles", "# id and name\naws Amazon EC2\ngcp Google Compute Engine\nqemu QEMU\nvmware VMware\n")
        self.platform("qemu")

    def put(self, name: str, text: str) -> None:
        """A file of the machine."""
        path = self.at / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def disk(self, name: str, sectors: int, model: str, about: str, partitions: dict[str, tuple[str, str]]) -> None:
        """A disk in sysfs and in udev's records."""
        number = len(list((self.at / "sys/block").glob("*"))) if (self.at / "sys/block").exists() else 0
        self.put(f"sys/block/{name}/size", f"{sectors}\n")
        if model:
            self.put(f"sys/block/{name}/device/model", f"{model}\n")
        self.put(f"sys/class/block/{name}/dev", f"254:{16 * number}\n")
        self.put(f"udev/b254:{16 * number}", f"S:disk/by-path/x\n{about}\n")
        for partition, (format_, label) in partitions.items():
            self.put(f"sys/block/{name}/{name}{partition}/partition", f"{partition}\n")
            self.put(f"sys/class/block/{name}{partition}/dev", f"254:{16 * number + int(partition)}\n")
            self.put(f"udev/b254:{16 * number + int(partition)}", f"E:ID_FS_TYPE={format_}\nE:ID_FS_LABEL={label}\n")

    def firmware(self, vendor: str, product: str) -> None:
        """The names in the firmware."""
        self.put("sys/class/dmi/id/sys_vendor", f"{vendor}\n")
        self.put("sys/class/dmi/id/product_name", f"{product}\n")

    def platform(self, name: str) -> None:
        """The id on the kernel command line, as the generator leaves it."""
        self.put("run/ignition.env", f"PLATFORM_ID={name}\n")

    def unit(self, name: str, said: str = "", *, at: int = 1000, on_failure: str = "emergency.target", **properties: str) -> None:
        """A failed unit: its properties, and the messages of its processes."""
        with (self.at / "failed").open("a") as file:
            file.write(f"{name} loaded failed failed Ignition\n")
        rows = {"OnFailure": on_failure, "InactiveEnterTimestampMonotonic": str(at), **properties}
        self.put(f"units/{name}.properties", "".join(f"{key}={value}\n" for key, value in rows.items()))
        self.put(f"units/{name}.journal", said)

    def stage(self, name: str, failure: Failure) -> None:
        """A stage that left its reason."""
        (self.run_dir / "failure.txt").write_text(screen(name, failure, {NAME: CONFIG}))


def scene(function: Scene) -> Scene:
    """Put it into the table."""
    SCENES[function.__name__] = function
    return function


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Broken]:
    """A machine that does not come up."""
    made = Broken(tmp_path)
    yield made
    for console in made.consoles:
        console.close()


@scene
def config_invalid(machine: Broken) -> None:
    report = parse(CONFIG, source=NAME).report
    machine.stage("fetch", invalid(report, NAME, texts=[CONFIG] * len(report.entries)))


@scene
def config_with_many_errors(machine: Broken) -> None:
    files = ",\n".join(f'{{"path": "relative{number}"}}' for number in range(20))
    text = f'{{"ignition": {{"version": "3.5.0"}}, "storage": {{"files": [\n{files}\n]}}}}'.encode()
    report = parse(text, source=NAME).report
    machine.stage("fetch", invalid(report, NAME, texts=[text] * len(report.entries)))


@scene
def config_is_not_json(machine: Broken) -> None:
    text = CONFIG.replace(b'"wipeTable": true,', b'"wipeTable": true')
    report = parse(text, source=NAME).report
    machine.stage("fetch", invalid(report, NAME, texts=[text] * len(report.entries)))


@scene
def server_unreachable(machine: Broken) -> None:
    machine.put("proc/net/fib_trie", "Main:\n")
    machine.put("proc/net/if_inet6", "")
    what = "connection refused (26 attempts in 119.6 s, limit 120 s)"
    machine.stage("fetch", Failure(what, where="http://10.0.2.2:8080/config.ign", fix="check that the server runs, and its port"))


@scene
def platform_unknown(machine: Broken) -> None:
    machine.platform("vmwar")
    with pytest.raises(Failure) as caught:
        config_source("vmwar")
    caught.value.where = "kernel argument ignition.platform.id"
    machine.stage("fetch-offline", caught.value)


@scene
def platform_of_another_cloud(machine: Broken) -> None:
    machine.firmware("Amazon EC2", "t3.micro")
    machine.platform("gcp")
    place, what = "http://metadata.google.internal/computeMetadata/v1/", "the name cannot be resolved (9 attempts in 119.2 s)"
    machine.stage("fetch", Failure(what, where=place, fix="check the name servers of the network"))


@scene
def device_missing(machine: Broken) -> None:
    fix = "check the device's name, and that the machine has it; there are /dev/vda (40 GiB), /dev/vdb (512 MiB)"
    where = f"{NAME}:5:26 ($.storage.disks.0.device)"
    machine.stage("disks", Failure("no such device after 90 s: /dev/vdx", where=where, fix=fix))


@scene
def disk_in_use(machine: Broken) -> None:
    fix = "unmount it, or leave its partitions alone"
    where = f"{NAME}:5:26 ($.storage.disks.0.device)"
    machine.stage("disks", Failure("/dev/vda9 is mounted on /srv", where=where, fix=fix, lasting=True))


@scene
def long_path(machine: Broken) -> None:
    """It stays whole, on two rows, which are counted."""
    what = f"/var/lib/{'a-long-name/' * 7}x already exists with other content"
    machine.stage("files", Failure("\n".join([what] * 4), where=f"{NAME}:7:8 ($.storage.files.0)", fix="choose another path"))


@scene
def digests_differ(machine: Broken) -> None:
    what = f"the content's sha512 is {'0123456789abcdef' * 8}, the config expects {'fedcba9876543210' * 8}"
    machine.stage("files", Failure(what, where=f"{NAME}:8:43 ($.storage.files.1)", fix="correct the hash in the config"))


@scene
def program_failed(machine: Broken) -> None:
    what = (
        "formatting /dev/vdb1: mkfs.ext4 -F -L data /dev/vdb1: exit status 1: mke2fs 1.47.0 (5-Feb-2023) | …"
        " | /dev/vdb1: Input/output error while writing out and closing file system"
    )
    machine.stage("disks", CommandFailed(what, status=1))


@scene
def secret_in_the_line(machine: Broken) -> None:
    where = f"{NAME}:8:77 ($.storage.files.1.contents.source)"
    machine.stage("files", Failure("HTTP status 404 Not Found", where=where, fix="check the URL"))


@scene
def root_in_memory(machine: Broken) -> None:
    what = "formatting /dev/vda9: mkfs.btrfs: exit status 1: ERROR: unable to open /dev/vda9: Device or resource busy"
    machine.stage("disks", RootInMemory(what, where="$.storage.filesystems.0", fix="see /run/ignition/root-contents"))


@scene
def bug_of_ours(machine: Broken) -> None:
    try:
        raise ValueError("a secret")
    except ValueError as error:
        failure = unforeseen(error, "ignition")
    failure.what = failure.what.partition(" (")[0] + " (files.py, line 100)"
    machine.stage("files", failure)


@scene
def memory_exhausted_in_python(machine: Broken) -> None:
    machine.put("proc/meminfo", "MemTotal:         262144 kB\n")
    machine.stage("files", unforeseen(MemoryError(), "ignition"))


@scene
def root_does_not_appear(machine: Broken) -> None:
    (machine.at / "timeouts").write_text(
        "dev-disk-by\\x2dlabel-ROOT.device: Job dev-disk-by\\x2dlabel-ROOT.device/start timed out.\n"
        "Timed out waiting for device dev-disk-by\\x2dlabel-ROOT.device - /dev/disk/by-label/ROOT.\n"
    )
    (machine.at / "needs").write_text(
        "Dependency failed for sysroot.mount - /sysroot.\n"
        "initrd-root-fs.target: Job initrd-root-fs.target/start failed with result 'dependency'.\n"
        "Dependency failed for initrd-root-fs.target - Initrd Root File System.\n"
        "Dependency failed for ignition-files.service - Ignition (files).\n"
        "Dependency failed for initrd.target - Initrd Default Target.\n"
    )
    (machine.units / "dev-disk-by\\x2dlabel-ROOT.device.properties").write_text("JobRunningTimeoutUSec=1min 30s\n")


@scene
def array_not_assembled(machine: Broken) -> None:
    machine.line = "root=/dev/md/root"
    machine.put(
        "proc/mdstat",
        "Personalities : [raid1]\nmd127 : inactive vdb1[1](S)\n      523264 blocks super 1.2\n\nunused devices: <none>\n",
    )
    (machine.at / "timeouts").write_text("Timed out waiting for device dev-md-root.device - /dev/md/root.\n")
    (machine.at / "needs").write_text("Dependency failed for sysroot.mount - /sysroot.\n")


@scene
def disk_of_data_does_not_appear(machine: Broken) -> None:
    (machine.at / "timeouts").write_text("Timed out waiting for device dev-sdx1.device - /dev/sdx1.\n")
    needs = "".join(
        f"Dependency failed for {name} - what it is for.\n" for name in ("sysroot-a.mount", "b.target", "c.service", "d.target")
    )
    (machine.at / "needs").write_text(needs)


@scene
def volume_not_opened(machine: Broken) -> None:
    machine.line = "root=/dev/mapper/root rd.luks.name=8a1f=root"
    (machine.at / "timeouts").write_text("Timed out waiting for device dev-mapper-root.device - /dev/mapper/root.\n")
    (machine.at / "needs").write_text("Dependency failed for sysroot.mount - /sysroot.\n")


@scene
def root_does_not_mount(machine: Broken) -> None:
    said = (
        "mount: /sysroot: wrong fs type, bad option, bad superblock on /dev/vda9, missing codepage or helper program, "
        "or other error.\n"
        "       dmesg(1) may have more information after failed mount system call.\n"
    )
    machine.unit("sysroot.mount", said, Result="exit-code", What="/dev/disk/by-label/ROOT", TimeoutUSec="1min 30s")
    (machine.at / "needs").write_text("Dependency failed for initrd-root-fs.target - Initrd Root File System.\n")


@scene
def file_system_check_failed(machine: Broken) -> None:
    said = (
        "ROOT contains a file system with errors, check forced.\n"
        "ROOT: Inodes that were part of a corrupted orphan linked list found.\n"
        "\nROOT: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.\n\t(i.e., without -a or -p options)\n"
        "fsck failed with exit status 4.\n"
    )
    machine.unit("systemd-fsck-root.service", said, Result="exit-code", ExecMainStatus="1", TimeoutStartUSec="infinity",
        ExecStart="{ path=/lib/systemd/systemd-fsck ; argv[]=/lib/systemd/systemd-fsck }")  # fmt: skip


def of_python(machine: Broken, said: str, status: str = "1", result: str = "exit-code", drop_ins: str = "") -> None:
    """A stage that ends before it can leave a reason."""
    machine.unit(
        "ignition-disks.service",
        said,
        Result=result,
        ExecMainStatus=status,
        TimeoutStartUSec="1d",
        DropInPaths=drop_ins,
        ExecStart="{ path=/usr/bin/ignition ; argv[]=/usr/bin/ignition -stage disks -platform ${PLATFORM_ID} -root /sysroot }",
    )


@scene
def python_module_missing(machine: Broken) -> None:
    of_python(machine, (
        "Traceback (most recent call last):\n"
        '  File "/usr/bin/ignition", line 9, in <module>\n    from ignition.cli.ignition import main\n'
        '  File "/usr/lib/python3/dist-packages/ignition/cli/ignition.py", line 9, in <module>\n    import json\n'
        "ModuleNotFoundError: No module named 'json'\n"
    ))  # fmt: skip


@scene
def python_syntax_error(machine: Broken) -> None:
    of_python(machine, (
        "Traceback (most recent call last):\n"
        '  File "/usr/bin/ignition", line 9, in <module>\n    from ignition.cli.ignition import main\n'
        '  File "/usr/lib/python3/dist-packages/ignition/cli/ignition.py", line 12\n    imp\x00ort os\n'
        "SyntaxError: source code string cannot contain null bytes\n"
    ))  # fmt: skip


@scene
def python_without_library(machine: Broken) -> None:
    of_python(machine, (
        "Could not find platform independent libraries <prefix>\n"
        "Fatal Python error: init_fs_encoding: failed to get the Python codec of the filesystem encoding\n"
        "Python runtime state: core initialized\nModuleNotFoundError: No module named 'encodings'\n"
    ))  # fmt: skip


@scene
def interpreter_missing(machine: Broken) -> None:
    of_python(machine, "", status="203")


@scene
def interpreter_crashed(machine: Broken) -> None:
    of_python(machine, "op(1): [started]  format /dev/vdb1 as ext4\n", status="11", result="core-dump")


@scene
def killed_without_memory(machine: Broken) -> None:
    machine.put("proc/meminfo", "MemTotal:         262144 kB\n")
    (machine.at / "kernel").write_text(
        "[   12.345678] Out of memory: Killed process 312 (ignition) total-vm:812345kB, anon-rss:201234kB, UID:0\n"
    )
    of_python(machine, "op(1): [started]  fetch\n", status="9", result="oom-kill")


@scene
def unit_timed_out(machine: Broken) -> None:
    of_python(machine, "op(2): [started]  format /dev/vdb1 as ext4\n", status="15", result="timeout")


@scene
def flag_in_a_drop_in(machine: Broken) -> None:
    said = (
        "ignition: unknown flag -plattform\n\nUsage: ignition -stage NAME -platform ID [options]\n\n"
        "Try 'ignition -help' for more information.\n"
    )
    of_python(machine, said, status="2", drop_ins="/etc/systemd/system/ignition-disks.service.d/10-local.conf")


@scene
def run_is_full(machine: Broken) -> None:
    of_python(machine, "cannot write the failure screen: [Errno 28] No space left on device\n", status="1")
    machine.is_full = True


@scene
def run_was_full(machine: Broken) -> None:
    """There is space again when the screen is made."""
    said = (
        "files: op(2): [failed] write file /etc/passwd: it already exists with other content\n"
        f"files: stage files failed: {NAME}:7:8 ($.storage.files.0): /etc/passwd already exists with other content\n"
        "files: cannot write the failure screen: [Errno 28] No space left on device\n"
        "files: the failure was not recorded: OSError: [Errno 28] No space left on device\n"
    )
    machine.unit("ignition-files.service", said, Result="exit-code", ExecMainStatus="1", DropInPaths="")


@scene
def network_service_failed(machine: Broken) -> None:
    said = (
        "Failed to start systemd-networkd.service: Unit systemd-networkd.service has a bad unit file setting.\n"
        "See system logs and 'systemctl status systemd-networkd.service' for details.\n"
    )
    machine.unit("ignition-network.service", said, Result="exit-code", ExecMainStatus="1", TimeoutStartUSec="5min")
    machine.unit("systemd-modules-load.service", "x\n", at=5, on_failure="", Result="exit-code", ExecMainStatus="1")


@scene
def dependency_only(machine: Broken) -> None:
    (machine.at / "needs").write_text("Dependency failed for ignition-files.service - Ignition (files).\n")


@scene
def nothing_failed(machine: Broken) -> None:
    (machine.at / "errors").write_text(
        "nvme nvme0: controller is down; will reset: CSTS=0xffffffff\nI/O error, dev nvme0n1, sector 0\n"
    )


@scene
def nothing_answers(machine: Broken) -> None:
    for name in ("systemctl", "journalctl", "dmesg"):
        machine.program(name, "exit 1")


@pytest.mark.parametrize("name", SCENES)
def test_screen(name: str, broken: Broken) -> None:
    SCENES[name](broken)
    shown = broken.fail(f"{broken.line} ignition.failure=shell")
    text = shown[0].removesuffix("ignition: first boot failed, giving a shell\n").replace(str(broken.at), "")
    assert shown[1] == shown[0]
    path = SCREENS / f"{name}.txt"
    if os.environ.get(WRITE):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text(), f"{WRITE}=1 writes it again"
    lines = text.splitlines()
    # Below it are the number of the attempt, the prompt and the cursor.
    assert sum(-(-max(1, len(line)) // COLUMNS) for line in lines) <= ROWS - 3
    assert all(len(line) < COLUMNS or "/a-long-name/" in line for line in lines)
    assert any(line.startswith("what:  ") for line in lines) and any(line.startswith("do:    ") for line in lines)
    assert "SECRET" not in text and "secret" not in text


def used_s() -> float:
    """Processor time of the programs that have ended: unlike the time of day, it does not depend on what runs beside them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_screen_of_a_machine_with_many_disks_comes_in_time(broken: Broken) -> None:
    """From the fault to the screen at most two seconds, of which this is the part of the script."""
    for number in range(64):
        partitions = {str(part): ("ext4", f"data{part}") for part in range(1, 5)}
        broken.disk(
            f"sd{chr(97 + number // 26)}{chr(97 + number % 26)}", 1 << 31, "a model", "E:ID_PART_TABLE_TYPE=gpt", partitions
        )
    root_does_not_mount(broken)
    begin = used_s()
    shown = broken.fail("ignition.failure=shell")[0]
    assert used_s() - begin < 2
    assert len(shown.splitlines()) <= ROWS and "more lines: cat" in shown
    assert "and 54 more disks: ls /sys/block" in (broken.run_dir / "seen.txt").read_text()


def test_long_log_of_the_kernel_does_not_delay_the_screen(broken: Broken) -> None:
    broken.program("dmesg", "seq 5000")
    begin = used_s()
    assert "       5000\n" in broken.fail("ignition.failure=shell")[0]
    assert used_s() - begin < 2


def test_no_screen_is_left_over() -> None:
    assert {path.stem for path in SCREENS.glob("*.txt")} == set(SCENES)
    assert len(SCENES) >= 20


def test_documented_screen_is_a_real_one() -> None:
    page = (Path(__file__).parents[2] / "docs/boot.md").read_text()
    assert f"```\n{(SCREENS / 'device_missing.txt').read_text()}```\n" in page
