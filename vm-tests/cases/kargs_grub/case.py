"""verifies: kernel arguments of a config reach GRUB's file on EFI-SYSTEM; the machine reboots exactly once for them, before any
disk is touched, comes up with them, and completes its first boot; a later boot, with the kernel of an upgrade, keeps them and
runs no stage; a first boot whose arguments are right already does not reboot; one whose kernel something else has started fails
with the reason on the screen, instead of rebooting again. The file on FAT is the old or the new one on the disk, before whatever
step of replacing it the power fails.
"""

import re

from harness import kargs
from harness.case import Case
from harness.disks import Disk

TIMEOUT_S = 1500
EXPECTED_S = 220

PRESENT = ("kargs_test=one", '"kargs_quoted=two words"', "loglevel=6", "rw", "root=LABEL=ROOT", "console=ttyS0,115200")
ABSENT = ("console=tty0", "never-there")
FILE = """\
set linux_console='console=ttyS0,115200'
set kargs='root=LABEL=ROOT rw kargs_test=one "kargs_quoted=two words" loglevel=6'
"""
# A kernel upgrade as apt does it, without another kernel: two files in /boot, and the hook that tells GRUB.
UPGRADE = """set -e; new=$(uname -r)-upgraded
cp /boot/coreos/vmlinuz /boot/vmlinuz-$new
cp /boot/coreos/initrd.img /boot/initrd.img-$new
/etc/kernel/postinst.d/zz-coreos-grub $new /boot/vmlinuz-$new"""
NEW_FLAG = "touch /boot/coreos/first_boot && sync"


def run(case: Case) -> None:
    """One machine: the boot that ends in a reboot, the one that completes the first boot, a later one, another first one."""
    system = case.system_disk("system", 0)
    first_boot(case, system)
    upgraded(case, system)
    right_already(case, system)
    started_otherwise(case, system)


def first_boot(case: Case, system: Disk) -> None:
    """Two starts: one up to the reboot, one up to the login. The second one ends with a kernel upgrade."""
    source = kargs.config(case)
    plan = case.foresee([system], source["opt/com.coreos/config"])
    with case.machine("first", [system], fw_cfg=source) as machine:
        console = machine.wait_for_reboot()
    checks = case.checks("up to the reboot", machine)
    kargs.judge_reboot(case, console, system, checks)
    checks.matches("GRUB's file", rf"\A# .*\n{re.escape(FILE)}\Z", kargs.esp_file(case, system, "/coreos/kargs.cfg"))
    checks.done()
    with case.machine("second", [system], fw_cfg=source, foreseen=plan) as machine:
        seen = kargs.look(machine)
        cuts = kargs.power_cuts_on_fat(machine.ssh())
        upgrade = machine.ssh().run(UPGRADE, 120)
        machine.cut_off()
    checks = case.checks("after the reboot", machine)
    kargs.judge_boot(seen, checks, present=PRESENT, absent=ABSENT)
    kargs.judge_first(seen, checks, rebooted=True)
    checks.equal("first-boot flag and mark on EFI-SYSTEM", [], case.first_boot_files(system))
    kargs.judge_power_cuts(cuts, checks)
    checks.contains("the kernel's hook", "-upgraded", upgrade.text)
    checks.done()


def upgraded(case: Case, system: Disk) -> None:
    """A later boot: it starts the new kernel. At its end somebody asks for another first boot."""
    with case.machine("later", [system]) as machine:
        seen = kargs.look(machine)
        machine.ssh().run(NEW_FLAG, 60)
        machine.cut_off()
    checks = case.checks("later boot", machine)
    kargs.judge_boot(seen, checks, present=PRESENT, absent=ABSENT)
    kargs.judge_later(seen, checks)
    checks.matches("GRUB starts the new kernel", r"^BOOT_IMAGE=\S*/vmlinuz-\S+-upgraded ", seen["cmdline"].text)
    checks.done()


def right_already(case: Case, system: Disk) -> None:
    """A first boot with the same config: it comes up at once."""
    with case.machine("right-already", [system], fw_cfg=kargs.config(case)) as machine:
        seen = kargs.look(machine)
        machine.ssh().run(NEW_FLAG, 60)
        machine.cut_off()
    checks = case.checks("first boot with arguments that are right", machine)
    kargs.judge_boot(seen, checks, present=PRESENT, absent=ABSENT)
    kargs.judge_first(seen, checks, rebooted=False)
    checks.done()


def started_otherwise(case: Case, system: Disk) -> None:
    """A first boot whose kernel GRUB has not started: it has other arguments, whatever the file says."""
    direct = case.image.direct("coreos.first_boot=detected")
    with case.machine("started-otherwise", [system], fw_cfg=kargs.config(case), direct=direct) as machine:
        text = machine.wait_for_console("ignition: first boot failed")
        machine.quit()
    screen = " ".join(text[text.index("The first boot failed") :].split())
    checks = case.checks("first boot that something else started", machine)
    checks.contains("the stage on the screen", "in the stage 'kargs'", screen)
    checks.contains("the cause on the screen", "the kernel was started without 'kargs_test=one', ", screen)
    checks.contains("the cause on the screen", "with 'console=tty0', although it is right in /coreos/kargs.cfg", screen)
    checks.lacks("a reboot", kargs.REBOOT, text)
    checks.equal("first-boot flag on EFI-SYSTEM", ["first_boot"], case.first_boot_files(system))
    checks.done()
