"""Clones of an armed stock machine: a plain Debian disk on which the agent was installed and `ignition arm` was run."""

import subprocess
import sys
from pathlib import Path

from harness import disks, filesystems, gpt, guest, kargs
from harness.case import Case
from harness.checks import Checks
from harness.disks import GIB, Disk
from harness.errors import HarnessError
from harness.hardware import Hardware
from harness.image import BUILD_TIMEOUT_S, EMULATED
from harness.machine import OFF_TIMEOUT_S
from harness.ssh import Answer, Ssh

BUILDER = Path(__file__).resolve().parent.parent / "image" / "stock.py"
ROOT_ON_BOOKWORM = 3
SIZE = 6 * GIB
FLAG = "/boot/coreos/first_boot"
PROBES = kargs.PROBES | {
    "boot": "ls -A /boot/coreos",
    "kargs.cfg": "cat /boot/coreos/kargs.cfg",
    "hello": "cat /var/lib/hello.log",
    "pilot": "getent passwd pilot",
    "host name": "hostname",
    "root": "df --output=size --block-size=1 / | tail -1",
    "keys": "ls /etc/ssh/ssh_host_ed25519_key",
    "machine id": "cat /etc/machine-id",
    "status": "ignition status",
    "networkd": "systemctl is-enabled systemd-networkd.service ssh.service",
}
# On the running machine, in a single login: without host keys there is no other one. The initramfs of this very machine is built
# faster than one for any, which is in the image that the case begins with; the one that disarm builds is not booted.
ARMED_AGAIN = {
    "quick": (
        "echo 'dracutmodules=\" base \"' >/etc/dracut.conf.d/40-quick.conf;"
        " echo 'hostonly=yes compress=\"zstd -1 -q\"' >/etc/dracut.conf.d/60-quick.conf"
    ),
    "reset": f"ignition reset -yes >/run/said 2>&1; cat /run/said; ls {FLAG}",
    "disarm": "ignition disarm 2>&1",
    "flag after disarm": "ls -A /boot/coreos",
    "identity after disarm": "cat /etc/machine-id; ls /etc/ssh/ssh_host_ed25519_key",
    "GRUB after disarm": "grep -c first_boot /boot/grub/grub.cfg",
    "arm": "ignition arm -grow 2>&1",
    "identity after arm": "cat /etc/machine-id; ls /etc/ssh/ssh_host_* 2>/dev/null",
    "doctor": "ignition doctor",
    "another name": (
        'sed -i "s/ignition.boot=UUID=[^:]*/ignition.boot=PARTUUID=$(blkid -o value -s PARTUUID $(findmnt -no SOURCE /))/"'
        " /boot/grub/grub.cfg; grep ignition.boot= /boot/grub/grub.cfg"
    ),
    "off": "systemctl poweroff --no-wall --no-block",
}


def clone(case: Case, suite: str, name: str = "clone") -> Disk:
    """A clone of the armed disk, larger than that; built if need be."""
    argv = [sys.executable, str(BUILDER), suite, "--append", EMULATED]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, timeout=BUILD_TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise HarnessError(f"the stock machine was not built: {BUILDER} ended with status {done.returncode}")
    return disks.overlay(Disk(Path(done.stdout.strip()) / "disk.qcow2"), case.work / f"{name}.qcow2", SIZE)


def first_boot(case: Case, system: Disk, hardware: Hardware, *, arms: bool = False) -> None:
    """Up to the reboot for kernel arguments, and from there to the end. `arms`: the running machine then arms itself again."""
    source = kargs.config(case)
    with case.machine("first", [system], fw_cfg=source, hardware=hardware) as machine:
        machine.wait_for_reboot()
    with case.machine("second", [system], fw_cfg=source, hardware=hardware) as machine:
        ssh = machine.wait_for_login()
        seen = _look(ssh)
        machine.verify()
        armed = ssh.collect(ARMED_AGAIN, 1200) if arms else {}
        if arms:
            machine.wait_for_end(OFF_TIMEOUT_S)
        else:
            machine.cut_off()
    checks = case.checks("first boot", machine)
    messages = _judge_first(seen, checks)
    checks.contains("the notes say that it was rebooted", kargs.GOES_ON, messages)
    checks.contains("the boot loader names its directory", "ignition.boot=UUID=", seen["cmdline"].text)
    _judge_arguments(seen, checks)
    if arms:
        _judge_armed_again(armed, checks)
        raw = case.raw(system, "armed")
        names = filesystems.ext4_names(raw, gpt.read_table(raw).partitions[ROOT_ON_BOOKWORM], "/var/lib/systemd")
        raw.unlink()
        checks.true("a seed after the shutdown", names and "random-seed" not in names, names)
    checks.done()


def first_boot_without_reboot(case: Case, system: Disk, hardware: Hardware, *, config: str, named: str) -> None:
    """A first boot whose kernel arguments need no change. `named`: the beginning of the value of ignition.boot=."""
    source = {"opt/com.coreos/config": case.fill(config, {"SSH_KEY": case.key.public})}
    with case.machine("whole", [system], fw_cfg=source, hardware=hardware) as machine:
        seen = _look(machine.wait_for_login())
        machine.cut_off()
    checks = case.checks(f"first boot with {'UEFI' if hardware.uefi else 'BIOS'}", machine)
    messages = _judge_first(seen, checks)
    checks.lacks("the notes say that it was rebooted", kargs.GOES_ON, messages)
    checks.contains("the boot directory is named", f"ignition.boot={named}", seen["cmdline"].text)
    checks.done()


def later_boot(case: Case, system: Disk, hardware: Hardware) -> None:
    """The boot loader's part of an ordinary boot: without the flag, with the arguments of the config."""
    with case.machine("later", [system], hardware=hardware) as machine:
        line = machine.wait_for_console(r"Kernel command line: .*\n").rpartition("Kernel command line: ")[2].partition("\n")[0]
        machine.kill()
    checks = case.checks("later boot", machine)
    for argument in ("stock_test=one", "norandmaps", "ignition.boot=UUID="):
        checks.contains("kernel command line", argument, line)
    for argument in ("first_boot", "quiet", "console=tty0"):
        checks.lacks("kernel command line", argument, line)
    checks.done()


def _look(ssh: Ssh) -> dict[str, Answer]:
    state = guest.settle(ssh)
    return ssh.collect(PROBES) | {"state": Answer(state, 0)}


def _judge_first(seen: dict[str, Answer], checks: Checks) -> str:
    """The machine is provisioned; returns the messages of its journal."""
    kargs.judge_boot(seen, checks, present=(), absent=())
    checks.equal("host name", "stock-machine\n", seen["host name"].text)
    checks.equal("unit", "hello\n", seen["hello"].text)
    checks.matches("user", r"^pilot:", seen["pilot"].text)
    checks.true("ROOT has grown, on a partition of an ordinary type", int(seen["root"].text) > SIZE - GIB, seen["root"].text)
    checks.equal("a host key of its own", "/etc/ssh/ssh_host_ed25519_key\n", seen["keys"].text)
    checks.true("a machine ID of its own", seen["machine id"].text.strip() not in ("", "0123456789abcdef0123456789abcdef"), seen)
    checks.equal("units that were enabled stay enabled", "enabled\nenabled\n", seen["networkd"].text)
    checks.lacks("flag and notes in /boot", "first_boot", seen["boot"].text)
    checks.contains("ignition status", "provisioned", seen["status"].text)
    return "\n".join(guest.parse_journal(seen["journal"].text).messages())


def _judge_arguments(seen: dict[str, Answer], checks: Checks) -> None:
    kargs.judge_boot(seen, checks, present=("stock_test=one", "norandmaps"), absent=("quiet", "console=tty0"))
    checks.equal("flag and notes in /boot", "kargs.cfg\n", seen["boot"].text)
    checks.contains("arguments of the config in /boot", "stock_test=one", seen["kargs.cfg"].text)


def _judge_armed_again(seen: dict[str, Answer], checks: Checks) -> None:
    checks.contains("ignition reset sets the flag in /boot", f"\n{FLAG}\n", seen["reset"].text)
    checks.contains("disarm", "The next boot is an ordinary one.", seen["disarm"].text)
    checks.equal("flag after disarm", "kargs.cfg\n", seen["flag after disarm"].text)
    checks.matches("identity after disarm", r"^[0-9a-f]{32}\n/etc/ssh/ssh_host_ed25519_key\n", seen["identity after disarm"].text)
    checks.equal("GRUB after disarm", "0\n", seen["GRUB after disarm"].text)
    checks.contains("arm", "The next boot of this disk is a first boot.", seen["arm"].text)
    checks.equal("identity after arm", "uninitialized\n", seen["identity after arm"].text)
    checks.contains("doctor", "nothing is missing", seen["doctor"].text)
    checks.contains("another name for the directory", "ignition.boot=PARTUUID=", seen["another name"].text)
