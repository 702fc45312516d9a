"""verifies: a stock Debian 13, with GRUB, /boot on XFS of its own and ordinary partition types, on which the agent was installed
and `ignition arm -grow` was run: its clone provisions itself at its first boot with UEFI, with kernel arguments and the reboot
for them; flag and notes live in /boot; ROOT grows; units stay as they were enabled; GRUB starts a later boot with BIOS as an
ordinary one. Another clone provisions itself with BIOS, without kernel arguments.
"""

from harness import stock
from harness.case import Case
from harness.hardware import Hardware

TIMEOUT_S = 2400
EXPECTED_S = 240


def run(case: Case) -> None:
    """Two clones; one boot is cut short."""
    system = stock.clone(case, "trixie")
    stock.first_boot(case, system, Hardware(uefi=case.uefi()))
    stock.later_boot(case, system, Hardware())
    other = stock.clone(case, "trixie", "other")
    stock.first_boot_without_reboot(case, other, Hardware(), config="plain.ign", named="UUID=")
