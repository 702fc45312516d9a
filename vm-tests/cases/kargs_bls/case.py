"""verifies: on a UEFI machine with systemd-boot, kernel arguments of a config reach each entry of the Boot Loader Specification;
the machine reboots exactly once for them and completes its first boot, after which no entry says "first boot" any more; a later
boot of the other entry has the arguments and runs no stage; a first boot whose arguments are right already does not reboot.
"""

from harness import filesystems, gpt, kargs, systemd_boot
from harness.case import Case
from harness.checks import Checks
from harness.disks import Disk
from harness.hardware import Hardware
from harness.image import EMULATED

TIMEOUT_S = 1500
EXPECTED_S = 200

FIRST_BOOT = "coreos.first_boot=detected"
ADDED = 'kargs_test=one kargs_quoted="two words" loglevel=6'
PRESENT = ("kargs_test=one", 'kargs_quoted="two words"', "loglevel=6", "rw", "root=LABEL=ROOT", "console=ttyS0,115200")
ABSENT = ("console=tty0", "never-there")
FILES = "linux /coreos/vmlinuz\ninitrd /coreos/initrd.img\n"


def entries(consoles: str, added: str, first_boot: str) -> dict[str, str]:
    """Three entries: one line of options, several, none that are Linux'. Each argument brings the blank that it needs."""
    words = f"{added}{first_boot}"
    return {
        "debian.conf": f"# The one that starts.\ntitle Debian\n{FILES}options root=LABEL=ROOT rw {consoles}{EMULATED}{words}\n",
        "other.conf": f"title The same\n{FILES}options  root=LABEL=ROOT\noptions {consoles}{EMULATED} rw other{words}\n",
        "shell.conf": "title Shell\nefi /shell.efi\noptions console=tty0\n",
    }


BOTH_CONSOLES, ONE_CONSOLE = "console=tty0 console=ttyS0,115200 ", "console=ttyS0,115200 "
BEFORE = entries(BOTH_CONSOLES, "", f" {FIRST_BOOT}")
# The first boot's own word stays where the image has it; added arguments follow it.
REBOOTING = {
    name: text.replace(FIRST_BOOT, f"{FIRST_BOOT} {ADDED}") for name, text in entries(ONE_CONSOLE, "", f" {FIRST_BOOT}").items()
}
DONE = entries(ONE_CONSOLE, f" {ADDED}", "")
START_OTHER = "sed -i 's/^default .*/default other.conf/' /boot/loader/loader.conf && sync"
NEW_FLAG = f"""touch /boot/coreos/first_boot
sed -i '/^options.* rw/s/$/ {FIRST_BOOT}/' /boot/loader/entries/debian.conf /boot/loader/entries/other.conf
sync"""


def run(case: Case) -> None:
    """One machine: the boot that ends in a reboot, the one that completes the first boot, a later one, another first one."""
    system = systemd_boot.disk(case, "system", BEFORE, default="debian.conf")
    hardware = Hardware(uefi=case.uefi())
    first_boot(case, system, hardware)
    other_entry(case, system, hardware)
    right_already(case, system, hardware)


def first_boot(case: Case, system: Disk, hardware: Hardware) -> None:
    """Two starts: one up to the reboot, one up to the login."""
    source = kargs.config(case)
    with case.machine("first", [system], fw_cfg=source, hardware=hardware) as machine:
        console = machine.wait_for_reboot()
    checks = case.checks("up to the reboot", machine)
    kargs.judge_reboot(case, console, system, checks)
    judge_entries(case, system, REBOOTING, checks)
    checks.done()
    with case.machine("second", [system], fw_cfg=source, hardware=hardware) as machine:
        seen = kargs.look(machine)
        machine.ssh().run(START_OTHER, 60)
        machine.cut_off()
    checks = case.checks("after the reboot", machine)
    kargs.judge_boot(seen, checks, present=PRESENT, absent=ABSENT)
    kargs.judge_first(seen, checks, rebooted=True)
    checks.equal("first-boot flag and mark on EFI-SYSTEM", [], case.first_boot_files(system))
    judge_entries(case, system, DONE, checks)
    checks.done()


def other_entry(case: Case, system: Disk, hardware: Hardware) -> None:
    """A later boot: of the other entry. At its end somebody asks for another first boot."""
    with case.machine("later", [system], hardware=hardware) as machine:
        seen = kargs.look(machine)
        machine.ssh().run(NEW_FLAG, 60)
        machine.cut_off()
    checks = case.checks("later boot", machine)
    kargs.judge_boot(seen, checks, present=(*PRESENT, "other"), absent=ABSENT)
    kargs.judge_later(seen, checks)
    checks.done()


def right_already(case: Case, system: Disk, hardware: Hardware) -> None:
    """A first boot with the same config: it comes up at once."""
    with case.machine("right-already", [system], fw_cfg=kargs.config(case), hardware=hardware) as machine:
        seen = kargs.look(machine)
        machine.cut_off()
    checks = case.checks("first boot with arguments that are right", machine)
    kargs.judge_boot(seen, checks, present=(*PRESENT, "other"), absent=ABSENT)
    kargs.judge_first(seen, checks, rebooted=False)
    checks.equal("first-boot flag and mark on EFI-SYSTEM", [], case.first_boot_files(system))
    judge_entries(case, system, DONE, checks)
    checks.done()


def judge_entries(case: Case, disk: Disk, expected: dict[str, str], checks: Checks) -> None:
    """The entries on a disk, and no other file beside them."""
    raw = case.raw(disk, "entries")
    esp = gpt.read_table(raw).labelled("EFI-SYSTEM")
    names = filesystems.fat_names(raw, esp, systemd_boot.ENTRIES)
    checks.equal("entries", expected, {name: filesystems.fat_read(raw, esp, f"{systemd_boot.ENTRIES}/{name}") for name in names})
    raw.unlink()
