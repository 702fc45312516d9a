"""verifies: a config that makes ROOT btrfs gets its ext4 ROOT's contents into the new one, which fills the disk; the machine
boots from it at once, and later, when its disk has grown again; the flag goes away.
"""

from harness import disks, root_anew
from harness.case import Case
from harness.disks import GIB

TIMEOUT_S = 900
EXPECTED_S = 240


def run(case: Case) -> None:
    """Two boots through GRUB."""
    size = (disks.virtual_size(case.image.disk) // GIB + 3) * GIB
    system = case.system_disk("system", size)
    with case.machine("first", [system], fw_cfg=root_anew.config(case)) as machine:
        seen = root_anew.look(machine)
        machine.power_off()
    checks = case.checks("first boot", machine)
    root_anew.judge(seen, checks, format="btrfs", least=size - 3 * GIB)
    root_anew.judge_first(seen, checks)
    checks.equal("first-boot flag and mark on EFI-SYSTEM", [], case.first_boot_files(system))
    checks.done()
    root_anew.boot_again(case, [system], "second", format="btrfs").done()
