"""verifies: a stock Debian 12, with GRUB, /boot in ROOT and ordinary partition types, on which the agent was installed and
`ignition arm -grow` was run: its clone provisions itself at its first boot with BIOS, including kernel arguments and the reboot
for them; flag and notes live in /boot; ROOT grows; units stay as they were enabled. `ignition reset` sets the flag in /boot
again, `ignition disarm` makes the running machine an ordinary one, and `ignition arm` an image: it provisions itself at another
first boot, with UEFI, and with its boot directory named by PARTUUID.
"""

from harness import stock
from harness.case import Case
from harness.hardware import Hardware

TIMEOUT_S = 2400
EXPECTED_S = 300


def run(case: Case) -> None:
    """One clone, three boots."""
    system = stock.clone(case, "bookworm")
    stock.first_boot(case, system, Hardware(), arms=True)
    uefi = Hardware(uefi=case.uefi())
    stock.first_boot_without_reboot(case, system, uefi, config="config.ign", named="PARTUUID=")
