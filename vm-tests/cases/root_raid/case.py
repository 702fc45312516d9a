"""verifies: a config that mirrors ROOT over two disks gets its contents into the mirror (RAID1, xfs); the machine boots from it
at once, later when both disks have grown (partitions, array and file system grow with them), and with one of the disks gone.
"""

from harness import disks, root_anew
from harness.case import Case
from harness.disks import GIB

TIMEOUT_S = 1500
EXPECTED_S = 340

PROBES = root_anew.PROBES | {"mdstat": "cat /proc/mdstat"}


def run(case: Case) -> None:
    """Three boots, the second through GRUB."""
    size = (disks.virtual_size(case.image.disk) // GIB + 2) * GIB
    drives = [case.system_disk("system", size), disks.blank(case.work / "second.qcow2", size)]
    config = root_anew.config(case)
    plan = root_anew.foresee(case, drives, config)
    direct = case.image.direct("coreos.first_boot=detected")
    with case.machine("first", drives, direct=direct, fw_cfg=config, foreseen=plan) as machine:
        seen = root_anew.look(machine, PROBES)
        told = machine.against_config(config[root_anew.CONFIG])
        machine.power_off()
    checks = case.checks("first boot", machine)
    # The image's ROOT has 2162 MiB; the mirror is as large as the smaller half after growth.
    root_anew.judge(seen, checks, format="xfs", least=size - 3 * GIB)
    root_anew.judge_first(seen, checks)
    checks.equal(f"compared with its config: {told.text}", 0, told.status)
    checks.matches("the mirror", r"raid1 vd\S+ vd\S+\n.*\[2/2\] \[UU\]", seen["mdstat"].text)
    checks.equal("first-boot flag and mark on EFI-SYSTEM", [], case.first_boot_files(drives[0]))
    checks.done()
    root_anew.boot_again(case, drives, "second", format="xfs").done()
    with case.machine("degraded", drives[:1], direct=case.image.direct()) as machine:
        seen = root_anew.look(machine, PROBES)
        told = machine.against_config(config[root_anew.CONFIG])
        machine.cut_off(altered="the disk with the other member is missing")
    checks = case.checks("boot without the second disk", machine)
    root_anew.judge(seen, checks, format="xfs", least=size - GIB)
    checks.contains("compared with its config", ["- partition ", "~ array /dev/md/root members without "], told.text)
    checks.matches("half of the mirror", r"raid1 vd\S+\n.*\[2/1\] \[U_\]", seen["mdstat"].text)
    checks.done()
