"""Clones of an armed stock machine: a plain Debian disk on which the agent was installed and `ignition arm` was run."""

import subprocess
import sys
from pathlib import Path

from harness import disks, guest, kargs
from harness.case import Case
from harness.checks import Checks
from harness.disks import GIB, Disk
from harness.errors import HarnessError
from harness.hardware import Hardware
from harness.image import BUILD_TIMEOUT_S, EMULATED
from harness.ssh import Answer, Ssh

BUILDER = Path(__file__).resolve().parent.parent / "image" / "stock.py"
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


def clone(case: Case, suite: str) -> Disk:
    """A clone of the armed disk, larger than that; built if need be."""
    argv = [sys.executable, str(BUILDER), suite, "--append", EMULATED]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, timeout=BUILD_TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise HarnessError(f"the stock machine was not built: {BUILDER} ended with status {done.returncode}")
    return disks.overlay(Disk(Path(done.stdout.strip()) / "disk.qcow2"), case.work / "clone.qcow2", SIZE)


def first_boot(case: Case, system: Disk, hardware: Hardware) -> None:
    """Up to the reboot for kernel arguments, and from there to the end."""
    source = kargs.config(case)
    with case.machine("first", [system], fw_cfg=source, hardware=hardware) as machine:
        machine.wait_for_reboot()
    with case.machine("second", [system], fw_cfg=source, hardware=hardware) as machine:
        seen = _look(machine.wait_for_login())
        machine.cut_off()
    checks = case.checks("first boot", machine)
    kargs.judge_boot(seen, checks, present=("stock_test=one", "norandmaps"), absent=("quiet", "console=tty0"))
    checks.contains("the boot loader names its directory", "ignition.boot=UUID=", seen["cmdline"].text)
    messages = guest.parse_journal(seen["journal"].text).messages()
    checks.contains("the notes say that it was rebooted", kargs.GOES_ON, "\n".join(messages))
    checks.equal("host name", "stock-machine\n", seen["host name"].text)
    checks.equal("unit", "hello\n", seen["hello"].text)
    checks.matches("user", r"^pilot:", seen["pilot"].text)
    checks.true("ROOT has grown, on a partition of an ordinary type", int(seen["root"].text) > SIZE - GIB, seen["root"].text)
    checks.equal("a host key of its own", "/etc/ssh/ssh_host_ed25519_key\n", seen["keys"].text)
    checks.true("a machine ID of its own", seen["machine id"].text.strip() not in ("", "0123456789abcdef0123456789abcdef"), seen)
    checks.equal("units that were enabled stay enabled", "enabled\nenabled\n", seen["networkd"].text)
    _judge_complete(seen, checks)
    checks.done()


def later_boot(case: Case, system: Disk, hardware: Hardware) -> None:
    """An ordinary boot with the other firmware, at whose end another first boot is asked for."""
    with case.machine("later", [system], hardware=hardware) as machine:
        ssh = machine.wait_for_login()
        seen = _look(ssh)
        reset = ssh.run(f"ignition reset -yes >/run/said 2>&1; cat /run/said; ls {FLAG}", 120)
        machine.kill()
    checks = case.checks("later boot", machine)
    kargs.judge_boot(seen, checks, present=("stock_test=one",), absent=("quiet", "console=tty0"))
    kargs.judge_later(seen, checks)
    _judge_complete(seen, checks)
    checks.contains("ignition reset sets the flag in /boot", f"\n{FLAG}\n", reset.text)
    checks.done()


def _look(ssh: Ssh) -> dict[str, Answer]:
    state = guest.settle(ssh)
    return ssh.collect(PROBES) | {"state": Answer(state, 0)}


def _judge_complete(seen: dict[str, Answer], checks: Checks) -> None:
    checks.equal("flag and notes in /boot", "kargs.cfg\n", seen["boot"].text)
    checks.contains("arguments of the config in /boot", "stock_test=one", seen["kargs.cfg"].text)
    checks.contains("ignition status", "provisioned", seen["status"].text)
