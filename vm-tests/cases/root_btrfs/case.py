"""verifies: a config that makes ROOT btrfs is refused, with the figures and nothing changed, on a machine whose memory cannot
hold ROOT; with more memory it gets the ext4 ROOT's contents into the new one, which fills the disk; the machine boots from it at
once, and later, when its disk has grown again; the flag is removed. The config does not set the label by which `root=` finds it.
"""

from harness import disks, gpt, root_anew
from harness.case import Case
from harness.disks import GIB, Disk
from harness.hardware import Hardware

TIMEOUT_S = 900
EXPECTED_S = 230
FAILURE_S = 240.0
TOO_LITTLE = 768  # MiB of memory: the content of the image's ROOT is larger than the free part


def run(case: Case) -> None:
    """A boot that must fail, one that comes up, and one of the new ROOT through GRUB."""
    size = (disks.virtual_size(case.image.disk) // GIB + 3) * GIB
    system = case.system_disk("system", size)
    source = root_anew.config(case)
    before = state_of(case, system, "before")
    direct, hardware = case.image.direct("coreos.first_boot=detected"), Hardware(memory_mib=TOO_LITTLE)
    with case.machine("small", [system], direct=direct, fw_cfg=source, hardware=hardware) as machine:
        text = machine.wait_for_console("ignition: first boot failed", FAILURE_S)
        machine.quit()
    checks = case.checks("too little memory", machine)
    screen = " ".join(text[text.index("The first boot failed") :].split())
    checks.matches(
        "the screen",
        r"ROOT's contents do not fit into memory: \d+ MiB of files and 256 MiB of working memory, and \d+ MiB are available",
        screen,
    )
    checks.contains("the place", ["$.storage.filesystems.0", "add memory to the machine for its first boot"], screen)
    checks.equal("flag and mark on EFI-SYSTEM", ["first_boot", "first_boot.in-progress"], case.first_boot_files(system))
    checks.equal("ROOT, its entry and every bit", before, state_of(case, system, "after"))
    checks.done()
    with case.machine("first", [system], direct=direct, fw_cfg=source) as machine:
        seen = root_anew.look(machine)
        machine.power_off()
    checks = case.checks("first boot", machine)
    root_anew.judge(seen, checks, format="btrfs", least=size - 3 * GIB)
    root_anew.judge_first(seen, checks)
    checks.equal("first-boot flag and mark on EFI-SYSTEM", [], case.first_boot_files(system))
    checks.done()
    root_anew.boot_again(case, [system], "second", format="btrfs").done()


def state_of(case: Case, system: Disk, name: str) -> tuple[gpt.Partition, str]:
    """ROOT's entry and a digest of its content."""
    raw = disks.raw_copy(system, case.work / f"{name}.raw")
    entry = gpt.read_table(raw).labelled("ROOT")
    found = entry, gpt.digest(raw, entry)
    raw.unlink()
    return found
